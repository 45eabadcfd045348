package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// leftover is a question that was not asked, or whose answer decides nothing.
type leftover struct {
	question
	why login.Why
	// flag would decide it; "" where none does.
	flag string
	// reason is why in words.
	reason string
}

// noTime keeps a question for which there was no time.
func (f *filler) noTime(q question) {
	f.keep(leftover{question: q, why: login.WhyBudget, flag: "--deadline", reason: "the time was over"})
}

// skip keeps a question for which nothing is left, or that could not be asked.
func (f *filler) skip(q question, err error) {
	var exhausted *budget.ExhaustedError
	var stopped *budget.StoppedError
	left := leftover{question: q, why: login.WhyInconclusive, reason: err.Error()}
	switch {
	case errors.As(err, &exhausted):
		left.why, left.flag = login.WhyBudget, "--max-failures"
	case errors.As(err, &stopped):
		left.why = login.WhyBudget
	}
	f.keep(left)
}

// undecided keeps a question whose answer decides nothing.
func (f *filler) undecided(q question, got answer, err error) {
	switch {
	case err != nil:
		f.skip(q, err)
	case got.kind == lost:
		f.keep(leftover{question: q, why: login.WhyInconclusive, reason: "there was no answer"})
	default:
		f.keep(leftover{question: q, why: login.WhyInconclusive, reason: fmt.Sprintf("%q decides nothing", got.reply)})
	}
}

func (f *filler) keep(l leftover) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = append(f.left, l)
}

// enoughFor is the number of refusals that all questions and the logins need.
func (f *filler) enoughFor() int {
	need := f.Budget.Effort().Auths + f.Budget.Effort().Recipients
	asked := map[place]bool{}
	for _, l := range f.left {
		if l.why != login.WhyBudget {
			continue
		}
		need++
		if l.mechanism != login.UserPass && !asked[l.place] {
			asked[l.place] = true
			need++
		}
	}
	if f.Login {
		need++
	}
	return need
}

// leaveAll says what is left, and forgets it: in one line for all that the
// budget did not pay for or the account has not, in one for each door otherwise.
// verb is what the mechanisms may do.
func (f *filler) leaveAll(verb string, enough func() int) {
	type group struct {
		why  login.Why
		flag string
		door int // -1 is all
	}
	groups := map[group][]leftover{}
	for _, l := range f.left {
		g := group{l.why, l.flag, l.door}
		if l.why != login.WhyInconclusive {
			g.door = -1
		}
		groups[g] = append(groups[g], l)
	}
	order := make([]group, 0, len(groups))
	for g := range groups {
		order = append(order, g)
	}
	slices.SortFunc(order, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.door, b.door), cmp.Compare(a.why, b.why), cmp.Compare(a.flag, b.flag))
	})
	for _, g := range order {
		flag := g.flag
		if flag == "--max-failures" {
			flag = fmt.Sprintf("--max-failures %d", enough())
		}
		f.leave(login.NotTested{What: f.words(groups[g], verb), Why: g.why, Flag: flag})
	}
	f.left = nil
}

// words ask in a sentence what is left open.
func (f *filler) words(left []leftover, verb string) string {
	var doors []int
	var names []string
	for _, l := range left {
		doors = appendOnce(doors, l.door)
		names = appendOnce(names, string(l.mechanism))
	}
	do := "do"
	if len(names) == 1 {
		do = "does"
	}
	return fmt.Sprintf("%s %s %s at %s? %s", do, few(names), verb, f.at(doors), left[0].reason)
}

// at names doors: each host once, with its ports.
func (f *filler) at(doors []int) string {
	var hosts []string
	ports := map[string][]string{}
	for _, i := range doors {
		d := f.Looks[i].Door
		hosts = appendOnce(hosts, d.Host)
		ports[d.Host] = appendOnce(ports[d.Host], strconv.Itoa(int(d.Port)))
	}
	for i, h := range hosts {
		hosts[i] = h + " (" + strings.Join(ports[h], ", ") + ")"
	}
	return strings.Join(hosts, ", ")
}

func appendOnce[T comparable](all []T, v T) []T {
	if slices.Contains(all, v) {
		return all
	}
	return append(all, v)
}

// few names at most three.
func few(names []string) string {
	if len(names) > 4 {
		return fmt.Sprintf("%s and %d others", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}
