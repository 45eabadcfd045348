package script

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// ArrivedOnlyAsTaken looks into the account's mailbox over POP3 and fails where more
// messages have the mark than the server took: the answers of 2yz in the list of
// that name. It deletes them. A mailbox that cannot be read tells nothing, nor
// does one in which a message is still to arrive.
func ArrivedOnlyAsTaken(mark Part, taken string) Step { return arrivedAsTaken{mark, taken} }

type arrivedAsTaken struct {
	mark  Part
	taken string
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
	found, err := p.deleteMarked(t, mark)
	if err != nil {
		return nil
	}
	taken := 0
	for _, line := range p.lists[a.taken] {
		if strings.HasPrefix(line, "2") {
			taken++
		}
	}
	if found > taken {
		return p.find(login.Ruling{Verdict: login.Fail, WronglyAccepted: true,
			Reason: fmt.Sprintf("%d messages have arrived, and the server said of %d that it took them", found, taken)})
	}
	return p.find(login.Ruling{Verdict: login.Pass})
}

// deleteMarked counts the newest messages that have the mark, and deletes them.
func (p *Play) deleteMarked(t *scenarios.Talk, mark string) (found int, err error) {
	count, err := p.count(t)
	if err != nil {
		return 0, err
	}
	for n := count; n > max(0, count-mostLooked); n-- {
		got, err := t.Say(fmt.Sprintf("RETR %d", n))
		if err != nil || !got.Positive {
			return found, err
		}
		lines, err := t.ReadDotted()
		if err != nil {
			return found, err
		}
		if slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, mark) }) {
			found++
			if _, err := t.Say(fmt.Sprintf("DELE %d", n)); err != nil {
				return found, err
			}
		}
	}
	return found, nil
}

func (arrivedAsTaken) bill(b *Bill) {
	b.Connections++
	b.Passwords++
}
