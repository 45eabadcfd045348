package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// CaseJob is a compliance case over one protocol.
type CaseJob struct {
	script.Case
	Protocol login.Protocol
	// Provisional: the case is new in this release of the catalogue, and a
	// failure of it is a warning until the next.
	Provisional bool
	// Sabotaged: the case is to fail, because of what its sabotage does on the
	// way or to the state of the server. A mutant is the target's business.
	Sabotaged bool
}

// Standing is what a target may be besides: a server that stands as it stands.
// It takes part in the cases whose needs it meets as it is.
type Standing interface{ Stands() Stand }

// Stand is what is known of such a server.
type Stand struct {
	// Host is its name as its users type it.
	Host string
	// Domain is one that it delivers to.
	Domain string
	// Account is one whose password is known, Other another; zero values are
	// none.
	Account, Other login.Account
	// Others are further ones; what they log in by is shown in no result either.
	Others []login.Account
	// Policy is what its administrator says that the policy is; nil where
	// nobody has said it.
	Policy *login.Policy
	// Clear permits the account's password on a clear link.
	Clear bool
	// Known is what is known already of what it offers; a protocol that is not
	// in it is asked, before each case.
	Known map[login.Protocol]*script.Survey
	// AnyCertificate takes whatever the server shows: it is for a server whose
	// account is not known, or not worth keeping.
	AnyCertificate bool
}

// compliance runs one case.
func (r *runner) compliance(ctx context.Context, j CaseJob) result {
	got := newCaseResult(j)
	session := &script.Session{
		Session: &scenarios.Session{Secrets: r.secrets, Rand: r.Rand, Now: r.Now, Limit: r.Limit},
		Nonce:   fmt.Sprint(r.Seed), Patience: r.Patience,
	}
	if j.Sabotaged {
		session.Sabotage = j.Sabotage.Rewrites
	}
	opened, err := r.stand(ctx, j, session)
	if err != nil {
		got.Rule(cannot(err))
		return result{done: true, compliance: &got}
	}
	door := &watched{Door: opened}
	session.Door = door
	if issuer, ok := r.Target.(Issuer); ok {
		session.Issue = issuer.Issue
	}
	ruling := script.Run(ctx, session, j.Case, j.Protocol)
	if err := opened.Close(); err != nil && ruling.Verdict != login.Fail {
		ruling = cannot(err)
	}
	ruling = lenient(ruling, j.Provisional)
	// Why a case was skipped for another reason than that something is missing
	// is not that the target cannot do that.
	if ruling.Verdict == login.Skip && ruling.Why == login.WhyNotApplicable {
		ruling = door.judge(ruling)
	}
	got.Rule(ruling)
	// A server that stands as it stands has accounts of its own, and may echo
	// them.
	secrets := searchFor(session.Secrets, session.Other)
	got.Reason = secrets.Veil(got.Reason)
	out := result{done: true, compliance: &got}
	if r.kept(got.Verdict) {
		var transcript []string
		for _, seen := range session.Seen() {
			transcript = append(transcript, seen.Transcript()...)
		}
		out.transcript = secrets.VeilAll(transcript)
	}
	return out
}

// searchFor finds what a case knows of accounts. A name as short as "user" is
// in every other reply by chance, so it is not looked for.
func searchFor(s login.Secrets, other login.Account) *wire.Searcher {
	const tellsSomebody = 8
	needles := append(newEavesdropper(s).needles, wire.Needle{Text: other.Name}, wire.Needle{Text: other.Password})
	for i, n := range needles {
		if (n.Text == s.Name || n.Text == other.Name) && len(n.Text) < tellsSomebody {
			needles[i].Text = ""
		}
	}
	return wire.NewSearcher(needles...)
}

// lenient makes a warning of the failure of a case that is provisional.
func lenient(ruling login.Ruling, provisional bool) login.Ruling {
	if provisional && ruling.Verdict == login.Fail {
		ruling.Verdict, ruling.Reason = login.Warn, "new in this catalogue: "+ruling.Reason
	}
	return ruling
}

// stand puts the target into the state of the case, or takes it as it is.
func (r *runner) stand(ctx context.Context, j CaseJob, session *script.Session) (Door, error) {
	if standing, ok := r.Target.(Standing); ok {
		s := standing.Stands()
		session.Host, session.Domain, session.Policy, session.Clear, session.Other = s.Host, s.Domain, s.Policy, s.Clear, s.Other
		session.Known, session.AnyCertificate = s.Known, s.AnyCertificate
		session.NoAccount = s.Account.Password == ""
		if !session.NoAccount {
			session.Secrets.Name, session.Secrets.Password = s.Account.Name, s.Account.Password
		}
		return r.Target.Under(ctx, login.Setup{})
	}
	everything, err := r.everything(ctx)
	if err != nil {
		return nil, err
	}
	setup := j.State(everything)
	policy := setup.Policy
	session.Policy, session.Clear, session.Other = &policy, true, r.other
	session.Host, session.Domain = r.host(), r.lives().Domain
	setup.Accounts = slices.Concat(known(r.secrets.Account(login.NoOverride), r.other), setup.Accounts)
	if change := j.Sabotage.State; j.Sabotaged && change != nil {
		change(&setup)
	}
	door, err := r.Target.Under(ctx, setup)
	var refused *login.StartupError
	if errors.As(err, &refused) {
		return nil, fmt.Errorf("%s: the server does not start in the state of the case: %w", j.Case.ID, err)
	}
	return door, err
}

func newCaseResult(j CaseJob) login.CaseResult {
	return login.CaseResult{ID: j.Case.ID, Title: j.Title, Door: slices.Index(login.Protocols(), j.Protocol),
		Level: j.Level, Refs: j.Refs}
}
