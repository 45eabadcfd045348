package apply

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Config is what a target is made of. Command, Doors and Dial must be set.
type Config struct {
	// Name is what reports call it.
	Name string
	// Command is a line for sh that puts a policy into force. In it PolicyFile
	// stands for the file with the policy, AccountsFile for one with the accounts
	// that there are to be.
	Command string
	// Doors are those that must greet before an experiment begins.
	Doors []Door
	// Dial opens a connection; what the server does not have is a
	// *[login.CannotError].
	Dial func(context.Context, login.Protocol, login.Transport) (net.Conn, error)
	// Stand is what is known of it; no Account where the command makes them.
	Stand harness.Stand
	// Issued is what Account holds beside its password.
	Issued login.Issued
	// Deadline is how long the command may take, and Wait how long the doors may
	// take to greet afterwards; 0 is 30 seconds for each. Limit is how long an
	// answer may take; 0 is 10 seconds.
	Deadline, Wait, Limit time.Duration
}

// Door is one that is waited for.
type Door struct {
	Protocol  login.Protocol
	Transport login.Transport
	// Address is what a message calls it.
	Address string
}

// What the command may say in place of the names of files.
const (
	PolicyFile   = "{policy.yaml}"
	AccountsFile = "{accounts.json}"
)

// Target is a server that is reconfigured by a command. It is in one state at a
// time: a door must be closed before the next is opened. It may be used by
// several goroutines.
type Target struct {
	Config
	// Authority is what its clients trust; nil is the machine's store.
	Authority *x509.CertPool

	turn chan struct{} // holds one token while a door is open
	// current is the state that it is in, "" where that is not known.
	current string
	// tried is what became of each state so far.
	tried map[string]error
	// able are the mechanisms that it can be told to allow; nil before that was
	// found out.
	able []login.Mechanism
}

// New makes a target. It does nothing yet.
func New(c Config) *Target {
	const usual = 30 * time.Second
	for _, limit := range []*time.Duration{&c.Deadline, &c.Wait} {
		if *limit == 0 {
			*limit = usual
		}
	}
	if c.Limit == 0 {
		c.Limit = 10 * time.Second
	}
	return &Target{Config: c, turn: make(chan struct{}, 1), tried: map[string]error{}}
}

// Name is what reports call it.
func (t *Target) Name() string { return t.Config.Name }

// Lives is what is known of it.
func (t *Target) Lives() harness.Stand { return t.Stand }

// Issue hands out what the account holds. Forged is a token that nobody has
// given out; nothing else here can be made with a flaw.
func (t *Target) Issue(account string, flaw login.Flaw) (login.Issued, error) {
	switch {
	case account != t.Stand.Account.Name || account == "":
		return login.Issued{}, nil
	case flaw == login.Flawless:
		return t.Issued, nil
	case flaw == login.Forged && t.Issued.Token != "":
		return login.Issued{Token: forgedToken}, nil
	default:
		return login.Issued{}, nil
	}
}

// forgedToken looks like one (RFC 6750 2.1) and is nobody's.
const forgedToken = "mailmatrix.forged.token.of.nobody"

// Under has the command put the policy into force, unless it is, and waits for
// the doors. It waits for the door before to be closed.
func (t *Target) Under(ctx context.Context, setup login.Setup) (wire.Door, error) {
	if err := t.cannot(setup); err != nil {
		return nil, err
	}
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	if err := t.into(ctx, setup.Policy, setup.Accounts); err != nil {
		t.end()
		return nil, err
	}
	return &door{Target: t, end: sync.OnceFunc(t.end)}, nil
}

// begin takes the server, for one at a time. Who does not give it back in time
// has lost it by an accident of ours.
func (t *Target) begin(ctx context.Context) error {
	const forgotten = 10 * time.Minute // longer than any experiment takes
	ctx, cancel := context.WithTimeoutCause(ctx, forgotten, errors.New("the experiment before has not closed its door"))
	defer cancel()
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *Target) end() { <-t.turn }

// into brings the server into the state. A policy that the command could not
// put into force once is not asked for again.
func (t *Target) into(ctx context.Context, policy login.Policy, accounts []login.Account) error {
	r := request{policy: harness.WritePolicy(policy)}
	if t.makesAccounts() {
		r.accounts = accountsText(accounts)
	}
	if r.state() == t.current {
		return nil
	}
	if err := t.tried[string(r.policy)]; err != nil {
		return err
	}
	t.current = ""
	err := t.run(ctx, r)
	if err == nil {
		err = t.greets(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err() // interrupted: it says nothing of the command
	}
	t.tried[string(r.policy)] = err
	if err == nil {
		t.current = r.state()
	}
	return err
}

// Mechanisms are those that the command can allow, found by asking it for each
// alone, once; and PLAIN and USER/PASS together, which are one thing to many
// servers.
func (t *Target) Mechanisms(ctx context.Context) ([]login.Mechanism, error) {
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	defer t.end()
	if t.able != nil {
		return t.able, nil
	}
	able := map[login.Mechanism]bool{}
	groups := [][]login.Mechanism{{login.PLAIN, login.UserPass}}
	for _, m := range harness.Mechanisms() {
		groups = append(groups, []login.Mechanism{m})
	}
	for _, group := range groups {
		can, err := t.expresses(ctx, login.Every(group, login.Allow))
		if err != nil {
			return nil, err
		}
		for _, m := range group {
			able[m] = able[m] || can
		}
	}
	t.able = slices.DeleteFunc(harness.Mechanisms(), func(m login.Mechanism) bool { return !able[m] })
	return t.able, nil
}

// expresses reports whether the command has words for the policy.
func (t *Target) expresses(ctx context.Context, policy login.Policy) (bool, error) {
	err, known := t.tried[string(harness.WritePolicy(policy))]
	if !known {
		err = t.into(ctx, policy, nil)
	}
	var cannot *login.CannotError
	if errors.As(err, &cannot) {
		return false, nil
	}
	return err == nil, err
}

// cannot says what of a setup this target cannot be put into. It is taken for
// one that withholds nothing, as the reference server of flavour modern with
// database full; and for one that demands a login or not, as it is configured.
func (t *Target) cannot(s login.Setup) error {
	var what string
	switch {
	case s.Flavour != "" && s.Flavour != login.Remote && s.Flavour != login.Modern:
		what = fmt.Sprintf("be of flavour %s", s.Flavour)
	case s.Database != "" && s.Database != harness.UnknownDatabase && s.Database != login.Full:
		what = fmt.Sprintf("look accounts up in database %s", s.Database)
	case s.Identity != "":
		what = "call itself by another name"
	case len(s.LocalDomains) > 0:
		what = "deliver to other domains"
	case s.Certificate.Kind != login.CertValid:
		what = fmt.Sprintf("show a certificate that is %s", s.Certificate.Kind)
	case len(s.Trust.Interfaces)+len(s.Trust.Assumptions) > 0:
		what = "trust somebody who has not logged in"
	case s.Posture != (login.Posture{}):
		what = "misbehave on purpose"
	case !t.makesAccounts() && slices.ContainsFunc(s.Accounts, t.strange):
		what = "be given accounts: put " + AccountsFile + " into --apply to make them"
	default:
		return nil
	}
	return &login.CannotError{What: what}
}

// strange reports an account that the server does not have.
func (t *Target) strange(a login.Account) bool {
	return a != t.Stand.Account && a != t.Stand.Other
}

// door is a way in.
type door struct {
	*Target
	end func()

	mu   sync.Mutex
	open []*lettingGo
}

func (d *door) Authority() *x509.CertPool { return d.Target.Authority }
func (d *door) Record() []login.Record    { return nil }

func (d *door) Dial(ctx context.Context, p login.Protocol, tr login.Transport) (net.Conn, error) {
	c, err := d.Target.Dial(ctx, p, tr)
	if err != nil {
		return nil, err
	}
	going := &lettingGo{Conn: c, gone: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = append(d.open, going)
	return going, nil
}

// Close waits until the server has hung up on every connection, so that the
// next experiment finds no mailbox locked, and lets that one begin.
func (d *door) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.open {
		_ = c.Close()
		<-c.gone
	}
	d.open = nil
	d.end()
	return nil
}
