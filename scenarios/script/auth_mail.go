package script

import (
	"context"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Mailing opens a connection on which MAIL is taken: a stranger's where the
// server lets strangers begin, else one that the account has logged in on with
// the case's mechanism. Where there is neither, the case does not apply.
func Mailing() Step { return mailing{} }

type mailing struct{}

func (mailing) run(ctx context.Context, p *Play) error {
	stranger := Group(Open(), Say("MAIL FROM:<", From, ">").Keep("mailing").Must("2", "4", "5"))
	if err := stranger.run(ctx, p); err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(p.kept["mailing"], "2"):
		return Say("RSET").Must(OK).run(ctx, p)
	case !p.mayPresent():
		return skipping(login.WhyNoCredentials, "MAIL is not for strangers here, and it needs an account")
	default:
		return Group(Open(), LogIn().Must(In)).run(ctx, p)
	}
}

func (mailing) bill(b *Bill) {
	b.connect()
	b.connect()
	b.judged()
	b.Commands++
}
