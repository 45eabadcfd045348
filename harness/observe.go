package harness

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// Stage is where clients are observed that are not ours: it has a server for
// each posture, on a port that they can be told.
type Stage interface {
	// Open puts a server into the state of setup and tells w of everything.
	// Implicit is TLS from the first octet.
	Open(setup login.Setup, w login.Witness, p login.Protocol, implicit bool) (StageDoor, error)
}

// StageDoor is the port of one posture.
type StageDoor interface {
	Port() int
	// Close waits until what the client has left to be read is read.
	Close() error
}

// Observer offers postures to a client that is not ours and makes the records
// of what it does, in the form of the recordings. It may be used by several at
// once.
type Observer struct {
	Stage Stage
	// Client, Variant and Version are whom the records are of.
	Client, Variant, Version string
	// Password is that of every account of the run. One of 11 octets makes
	// lines of the recordings' length.
	Password string
	// Machine is where the client runs.
	Machine Machine

	mu       sync.Mutex
	accounts []string
}

// Sitting is one posture while it is offered.
type Sitting struct {
	Case recording.Case
	// Account is the one account that can log in. No other sitting has it, so
	// that a client that comes late is recognised.
	Account string
	Port    int

	observer *Observer
	recorder *recording.Recorder
	door     StageDoor
}

// Ran is how a client's run ended.
type Ran struct {
	Status   int  // exit status
	TimedOut bool // it had to be ended
}

// Offer opens the door for one login.
func (o *Observer) Offer(c recording.Case) (*Sitting, error) { return o.offer(c, c.Setup) }

// offer puts a server into the state that setup makes of the sitting's secrets.
func (o *Observer) offer(c recording.Case, setup func(login.Secrets) login.Setup) (*Sitting, error) {
	s := &Sitting{Case: c, Account: o.newAccount(), observer: o, recorder: recording.NewRecorder(c)}
	var err error
	if s.door, err = o.Stage.Open(setup(s.secrets()), s.recorder, c.Protocol, c.Mode == recording.Implicit); err != nil {
		return nil, err
	}
	s.Port = s.door.Port()
	return s, nil
}

// secrets are those of the one account. By its first part alone a server finds
// it with the domain and without: GNU SASL's NTLM takes the name apart.
func (s *Sitting) secrets() login.Secrets {
	name, _, _ := strings.Cut(s.Account, "@")
	return login.Secrets{Name: name, Password: s.observer.Password}
}

// newAccount is NAME-xxxx@example.test.
func (o *Observer) newAccount() string {
	account := strings.ToLower(o.Client+"-"+rand.Text()[:6]) + "@" + login.DefaultDomain
	o.mu.Lock()
	defer o.mu.Unlock()
	o.accounts = append(o.accounts, account)
	return account
}

// Finish closes the door and makes the record.
func (s *Sitting) Finish(ran Ran) (recording.Record, error) {
	if err := s.door.Close(); err != nil {
		return recording.Record{}, err
	}
	record := s.soFar()
	record.Client, record.Variant, record.Version = s.observer.Client, s.observer.Variant, s.observer.Version
	record.RC, record.TimedOut = ran.Status, ran.TimedOut
	return record, nil
}

// soFar is the record of what has happened until now, with the recordings'
// account, password and machine in the place of ours.
func (s *Sitting) soFar() recording.Record {
	t := s.translation()
	return recording.Transcribe(t.events(s.recorder.Events(), s.observer.known()), s.Case, "")
}

func (s *Sitting) translation() translation {
	return newTranslation(s.Account, s.observer.Password, s.observer.Machine)
}

// known are the accounts of all sittings so far.
func (o *Observer) known() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.accounts
}

// Transcript is what the client has said so far, without its password.
func (s *Sitting) Transcript() []string {
	var shown []string
	for _, command := range s.soFar().Commands {
		shown = append(shown, hidePassword.Replace(command))
	}
	return shown
}

// Connections are how many the client has made, and how many it still has.
func (s *Sitting) Connections() (made, open int) {
	for _, e := range s.recorder.Events() {
		switch e.Kind {
		case login.EventOpened:
			made, open = made+1, open+1
		case login.EventClosed:
			open--
		}
	}
	return made, open
}

// Series has a client log in once under each case, several at a time. Drive
// runs it; applies is false where the client has no such setting, and then
// there is no record. Each is told in the order of the cases. After ctx has
// ended, what is finished is told all the same.
func (o *Observer) Series(ctx context.Context, cases []recording.Case, parallel int,
	drive func(context.Context, *Sitting) (ran Ran, applies bool, err error), each func(recording.Case, *recording.Record)) error {
	return inOrder(ctx, len(cases), parallel, func(i int) (*recording.Record, error) {
		s, err := o.Offer(cases[i])
		if err != nil {
			return nil, err
		}
		record, _, err := s.sit(ctx, drive)
		return record, err
	}, func(i int, record *recording.Record) { each(cases[i], record) })
}

// inOrder does n things, so many at a time, and tells each in order. After ctx
// has ended, what is finished is told all the same.
func inOrder[T any](ctx context.Context, n, parallel int, do func(i int) (T, error), each func(i int, did T)) error {
	type outcome struct {
		did  T
		done bool
		err  error
	}
	outcomes := make([]outcome, n)
	var mu sync.Mutex
	told := 0
	tell := func() { // those whose turn it is
		for ; told < n && outcomes[told].done; told++ {
			each(told, outcomes[told].did)
		}
	}
	inParallel(ctx, n, parallel, func(i int) {
		did, err := do(i)
		mu.Lock()
		defer mu.Unlock()
		outcomes[i] = outcome{did, err == nil && ctx.Err() == nil, err}
		tell()
	})
	for i := told; i < n; i++ { // behind one that was interrupted
		if outcomes[i].done {
			each(i, outcomes[i].did)
		}
	}
	for _, out := range outcomes {
		if out.err != nil && ctx.Err() == nil {
			return out.err
		}
	}
	return nil
}

// sit is one login; no record where the case does not apply.
func (s *Sitting) sit(ctx context.Context, drive func(context.Context, *Sitting) (Ran, bool, error)) (*recording.Record, Ran, error) {
	ran, applies, err := drive(ctx, s)
	record, finishing := s.Finish(ran)
	switch {
	case err != nil:
		return nil, ran, err
	case finishing != nil:
		return nil, ran, finishing
	case !applies:
		return nil, ran, nil
	}
	return &record, ran, nil
}
