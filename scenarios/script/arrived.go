package script

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// ArrivedAsTaken looks into the account's mailbox over POP3 for the messages that
// have the mark, and deletes them. It fails where more are there than the server
// took, by the answers in the list of that name, and where one is there without
// the text that stands at its end. A mailbox that cannot be read tells nothing,
// nor does one in which a message is still to arrive.
func ArrivedAsTaken(mark Part, taken, end string) Step { return arrivedAsTaken{mark, taken, end} }

type arrivedAsTaken struct {
	mark       Part
	taken, end string
}

func (a arrivedAsTaken) run(ctx context.Context, p *Play) error {
	t, err := p.mailbox(ctx)
	var end *stop
	if asStop(err, &end) {
		return nil
	}
	if err != nil {
		return err
	}
	defer t.Quit()
	mark, _ := a.mark.render(p)
	found, err := p.takeOut(t, mark)
	if err != nil {
		return nil
	}
	taken := 0
	for _, line := range p.lists[a.taken] {
		if line == "" || strings.HasPrefix(line, "2") { // a connection that broke off took it, for all we know
			taken++
		}
	}
	if len(found) > taken {
		return p.find(login.Ruling{Verdict: login.Fail, WronglyAccepted: true,
			Reason: fmt.Sprintf("messages that have arrived: %d; that the server said that it took: %d", len(found), taken)})
	}
	for _, message := range found {
		if !contains(message, a.end) {
			return p.find(login.Ruling{Verdict: login.Fail, WronglyAccepted: true, Reason: "a message has arrived that ends before its end"})
		}
	}
	return p.find(login.Ruling{Verdict: login.Pass})
}

func (arrivedAsTaken) bill(b *Bill) {
	b.Connections++
	b.Passwords++
}
