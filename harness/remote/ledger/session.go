package ledger

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// perConnection is how many refusals one connection gets: mox slows down from
// the third on, chasquid closes then.
const perConnection = 2

// lane is who asks one question after another, on at most one connection at a
// time.
type lane struct {
	*filler
	questions []question
	at        place
	talk      *reach.Talk // nil is none
	opening   []string    // what was said before the first question
	served    int
	baselines map[place]answer
	// silent are the links that could not be opened again, and why.
	silent map[place]error
}

// lanes divide the questions. Only where nothing is ever too much may doors be
// asked at the same time: otherwise the order of worth would be lost. The doors
// of POP3 share a lane, because they share the mailbox.
func (f *filler) lanes(all []question) []*lane {
	byLane := map[int]*lane{}
	var lanes []*lane
	for _, q := range all {
		key := 0
		if f.Everything && f.Budget.Limits().None && f.ledger.Doors[q.door].Protocol != login.POP3 {
			key = 1 + q.door
		}
		if byLane[key] == nil {
			byLane[key] = &lane{filler: f, baselines: map[place]answer{}, silent: map[place]error{}}
			lanes = append(lanes, byLane[key])
		}
		byLane[key].questions = append(byLane[key].questions, q)
	}
	return lanes
}

// connect makes sure that there is a connection to the place on which another
// question may be asked.
func (l *lane) connect(ctx context.Context, at place) error {
	if l.talk != nil && (l.at != at || l.served >= perConnection) {
		l.hangUp()
	}
	if l.talk != nil {
		return nil
	}
	if err := l.silent[at]; err != nil {
		return err
	}
	talk, err := l.Caller.Open(ctx, l.Looks[at.door], at.link)
	if err != nil {
		l.silent[at] = err
		return err
	}
	if talk.Encrypted() != at.link.Encrypted() {
		_ = talk.Close()
		return errors.New("the connection is not the one that was asked for")
	}
	l.talk, l.at, l.served = talk, at, 0
	l.opening = append([]string(nil), talk.Transcript()...)
	return nil
}

// hangUp takes leave and waits for the answer.
func (l *lane) hangUp() {
	if l.talk != nil {
		l.talk.Quit()
		l.talk = nil
	}
}

// drop is for a connection that is no good any more.
func (l *lane) drop() {
	if l.talk != nil {
		_ = l.talk.Close()
		l.talk = nil
	}
}

// enough notices what a server does that has had enough: a 421, a connection
// that it closes, an answer that does not come. That stops everything, save
// where nothing is too much (see [budget.Limits]).
func (f *filler) enough(ctx context.Context, p login.Protocol, reply string, err error) {
	var timeout net.Error
	switch {
	case ctx.Err() != nil:
	case p == login.SMTP && strings.HasPrefix(reply, "421"):
		f.Budget.Stop("the server said " + reply)
	case err == nil:
	case errors.As(err, &timeout) && timeout.Timeout():
		f.Budget.Stop("the server did not answer in time")
	default:
		f.Budget.Stop("the server closed the connection, or said what is no answer")
	}
}

// since is what was said on the lane's connection from then on, after how it
// was opened.
func (l *lane) since(from int) []string {
	said := l.talk.Transcript()[from:]
	return append(append([]string(nil), l.opening...), said...)
}

// reserve sets all of it aside, or nothing.
func (f *filler) reserve(n int, k budget.Kind, account string) ([]*budget.Reservation, error) {
	var all []*budget.Reservation
	for range n {
		r, err := f.Budget.Reserve(k, account)
		if err != nil {
			for _, r := range all {
				r.Release()
			}
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}
