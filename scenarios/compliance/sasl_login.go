package compliance

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// What LOGIN asks with, in base64: the words that every server uses, and those
// of the draft, with the NUL that some put behind them and without it.
const (
	asksName     = `~^(334|\+) (VXNlcm5hbWU6|VXNlciBOYW1lAA==|VXNlciBOYW1l)$`
	asksPassword = `~^(334|\+) (UGFzc3dvcmQ6|UGFzc3dvcmQA|UGFzc3dvcmQ=)$`
)

// LOGIN, which never became a standard.
var _ = register(
	script.Case{
		ID: "sasl/login/001", Title: "Two prompts, and then the verdict", Since: "2026.1",
		Level: may, Refs: refs("draft-murchison-sasl-login-00", "RFC 4422 6"),
		Says: "The server asks for a name and then for a password, in words that clients look for, and judges both together: " +
			"a name that nobody has is asked for its password too.",
		Needs: needs{Mechanisms: only(login.LOGIN)},
		Steps: steps{
			open(),
			say("AUTH LOGIN").Pass(asksName).Warn(asked).Fail(refused),
			say(b64(decoyName)).Keep("nobody").Pass(asksPassword).Warn(asked, refused).Because("the prompt is another, or does not come"),
			when(asksFor("nobody"), say(b64(decoyPassword)).Pass("535", "-ERR").Warn(refused)),
			ifAccount(
				open(),
				say("AUTH LOGIN").Must(asked),
				say(b64(user)).Keep("somebody").Must(asked, refused),
				when(asksFor("somebody"), say("*").Must(refused)),
				check(func(p *script.Play) (login.Verdict, string) {
					if asksFor("somebody")(p) != asksFor("nobody")(p) {
						return login.Fail, "the password is asked for of a name that somebody has, or of one that nobody has, and not of the other"
					}
					return login.Pass, ""
				}),
			),
		},
		Sabotage: bug("wrong-password-accepted"),
	},
	script.Case{
		ID: "sasl/login/002", Title: "The name as initial response", Since: "2026.1",
		Level: may, Refs: refs("draft-murchison-sasl-login-00", "RFC 4954 4"),
		Says: "A name in the command is taken for the answer to the first prompt, and the password is asked for, " +
			"or it is refused, since in LOGIN the server speaks first. It alone logs nobody in.",
		Needs: needs{Mechanisms: only(login.LOGIN)},
		Steps: steps{
			open(),
			say("AUTH LOGIN ", b64(decoyName)).Keep("initial").Pass(asksPassword, "501", "-ERR").Fail(asksName).Because("the name was overlooked").
				Warn(asked, refused),
			when(asksFor("initial"), say(b64(decoyPassword)).Pass("535", "-ERR").Warn(refused)),
			alive(),
			notAuthenticated(),
		},
		Sabotage: answers("AUTH LOGIN", "", "235 2.7.0 welcome"),
	},
	script.Case{
		ID: "sasl/login/003", Title: "NUL and far too much", Since: "2026.1",
		Level: practice, Refs: refs("draft-murchison-sasl-login-00", "RFC 4422 3.4.1", "RFC 4013 2.3"),
		Says: "A name with a NUL in it is refused, and so is a password that is right up to a NUL: neither ends there. " +
			"A name that is far too long harms nobody.",
		Needs: needs{Mechanisms: only(login.LOGIN), Account: true},
		Steps: steps{
			open(),
			say("AUTH LOGIN").Must(asked),
			say(b64(user, "\x00", decoyPassword)).Keep("cut").Pass(refused).Warn(asked).Because("a name with a NUL is taken for one").Fail(in, gone),
			when(asksFor("cut"), say(b64(password)).Pass(refused).Fail(in).Because("the name ended at the NUL")),
			open(),
			say("AUTH LOGIN").Must(asked),
			say(b64(user)).Must(asked),
			say(b64(password, "\x00x")).Pass("535", "501", "-ERR").Warn(refused).Fail(in).Because("the password ended at the NUL"),
			notAuthenticated(),
			script.Each([]int{1024, 6000}, func(n int) []script.Step {
				return steps{
					open(),
					say("AUTH LOGIN").Must(asked),
					say(b64(times(n, "u"))).Keep("long").Pass(asked, refused).Warn("421", gone),
					when(asksFor("long"), say(b64(decoyPassword)).Pass(refused), alive()),
				}
			}),
			script.Served(),
		},
		Sabotage: bug("wrong-password-accepted"),
	},
)

// asksFor: the answer that was kept under a name asks for more.
func asksFor(name string) func(*script.Play) bool {
	return func(p *script.Play) bool {
		return strings.HasPrefix(p.Value(name), "334") || strings.HasPrefix(p.Value(name), "+ ")
	}
}
