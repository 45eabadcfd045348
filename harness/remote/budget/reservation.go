package budget

import (
	"slices"
	"sync"
	"time"
)

// Reservation is an expense that may come. One of its methods must be called;
// whatever comes after the first call does nothing.
type Reservation struct {
	budget  *Budget
	kind    Kind
	account string
	once    sync.Once
}

// Reserve sets one expense aside before anything is sent. The error is an
// *[ExhaustedError] where there is none left, or a *[StoppedError]. Only a
// Password is counted by account.
func (b *Budget) Reserve(k Kind, account string) (*Reservation, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.effort.Stopped != "" {
		return nil, &StoppedError{b.effort.Stopped}
	}
	if !b.limits.None {
		if k == Password && b.passwords[account] >= b.limits.Passwords {
			return nil, &ExhaustedError{Password}
		}
		if b.underway+b.remembered() >= b.limits.Auths {
			if k == Recipient {
				return nil, &ExhaustedError{Recipient}
			}
			return nil, &ExhaustedError{Auth}
		}
	}
	b.underway++
	if k == Password {
		b.passwords[account]++
	}
	return &Reservation{budget: b, kind: k, account: account}, nil
}

// remembered is how many refusals the server still holds against us.
func (b *Budget) remembered() int {
	now := b.now()
	b.refused = slices.DeleteFunc(b.refused, func(t time.Time) bool { return now.Sub(t) >= b.limits.Window })
	return len(b.refused)
}

// Commit: the server has refused it, or seen it cancelled.
func (r *Reservation) Commit() {
	r.settle(func(b *Budget) {
		b.refused = append(b.refused, b.now())
		if r.kind == Recipient {
			b.effort.Recipients++
			return
		}
		b.effort.Auths++
		if r.kind == Password {
			b.effort.Passwords++
		}
	})
}

// CommitAuth: the exchange was refused or cancelled before the password was
// said, so that only an exchange is counted.
func (r *Reservation) CommitAuth() {
	r.settle(func(b *Budget) {
		b.giveBack(r)
		b.refused = append(b.refused, b.now())
		b.effort.Auths++
	})
}

// Accepted: the server has judged the password and let it in. It is part of
// the effort, and given back.
func (r *Reservation) Accepted() {
	r.settle(func(b *Budget) {
		b.giveBack(r)
		if r.kind == Password {
			b.effort.Passwords++
		}
	})
}

// Release gives back what was not sent, or not judged.
func (r *Reservation) Release() { r.settle(func(b *Budget) { b.giveBack(r) }) }

func (b *Budget) giveBack(r *Reservation) {
	if r.kind == Password {
		b.passwords[r.account]--
	}
}

func (r *Reservation) settle(how func(*Budget)) {
	r.once.Do(func() {
		r.budget.mu.Lock()
		defer r.budget.mu.Unlock()
		r.budget.underway--
		how(r.budget)
	})
}
