package script

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// StablyAlike is [Alike] for servers whose answers vary by chance. What differs
// is looked at again, each half coming first by turns: codes and the number of
// answers must differ each time, and words must be the same ones each time in
// either half. Halves that are alike are run once.
func StablyAlike(what string, a, b []Step) Step { return stablyAlike{alike{what, a, b}} }

type stablyAlike struct{ alike }

// timesAgain is how often halves that differ are run.
const timesAgain = 3

func (x stablyAlike) run(ctx context.Context, p *Play) error {
	var first, second [][]string
	for n := range timesAgain {
		a, b, err := x.both(ctx, p, n%2 == 1)
		if err != nil {
			return err
		}
		if slices.Equal(a, b) {
			return p.find(login.Ruling{Verdict: login.Pass})
		}
		first, second = append(first, a), append(second, b)
	}
	if !stablyDiffer(first, second) {
		return p.find(login.Ruling{Verdict: login.Pass})
	}
	return p.find(login.Ruling{Verdict: login.Fail,
		Reason: fmt.Sprintf("%s: the answers differ each time: %q and %q", x.what, first[0], second[0])})
}

// both runs the halves, the second one first where they are turned round.
func (x stablyAlike) both(ctx context.Context, p *Play, turned bool) (a, b []string, err error) {
	if turned {
		b, a, err = stablyAlike{alike{x.what, x.b, x.a}}.both(ctx, p, false)
		return a, b, err
	}
	if a, err = p.listen(ctx, "alike a", x.a); err != nil {
		return nil, nil, err
	}
	b, err = p.listen(ctx, "alike b", x.b)
	return a, b, err
}

// stablyDiffer compares what two halves heard each time.
func stablyDiffer(first, second [][]string) bool {
	always, words := true, true
	for n := range first {
		always = always && !slices.Equal(codes(first[n]), codes(second[n]))
		words = words && slices.Equal(first[n], first[0]) && slices.Equal(second[n], second[0])
	}
	return always || words
}

// answerCode is what an answer says to a program: RFC 5321 4.2 and RFC 2034 4,
// or RFC 2449 8.
var answerCode = regexp.MustCompile(`^(\d{3}[ -]?(\d\.\d{1,3}\.\d{1,3})?|(\+ok|-err)( \[[^\]]*\])?)`)

func codes(heard []string) []string {
	all := make([]string, len(heard))
	for i, line := range heard {
		if all[i] = line; answerCode.MatchString(line) {
			all[i] = answerCode.FindString(line)
		}
	}
	return all
}

// Hidden is [Made] for what says who the account's owner is, or proves it.
func Hidden(name string, of func(*Play) string) Part { return field{name, of, true, true} }

// ghost is a name that nobody has, in the domain of the account's name if that
// has one.
func (p *Play) ghost() string {
	name := p.word("ghost")
	if _, domain, ok := strings.Cut(p.Secrets.Name, "@"); ok {
		name += "@" + domain
	}
	return name
}
