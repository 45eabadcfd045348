package script

import (
	"context"
	"fmt"
	"regexp"
	"slices"

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
