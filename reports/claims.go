package reports

import (
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Claim is a file in which the user says how the server is to behave: a policy,
// or what is expected to fail. It knows the lines, so that a result can be shown
// beside the words that it contradicts.
type Claim struct {
	// File is its name as it is to be shown, with "/" between folders.
	File string
	// Mechanisms are the lines of a policy that set a mechanism: for all
	// protocols under "", else under the protocol, which wins.
	Mechanisms map[login.Protocol]map[login.Mechanism]int
	// Entries are those of a file of expectations.
	Entries []ClaimEntry
}

// ClaimEntry is an entry of a file of expectations.
type ClaimEntry struct {
	Pattern, Reason string
	Line            int
	// Matches says whether it is about the result of that ID; of a case, the ID
	// has "@" and the protocol or client behind it.
	Matches func(id string) bool
}

// Ready says why the format cannot be written with these options, if so. A
// caller asks before the work begins.
func (f Format) Ready(o Options) error {
	if f.Points && len(o.Claims) == 0 {
		return errNoClaim(f.Name)
	}
	return nil
}

func errNoClaim(format string) error {
	return fmt.Errorf("%s points at lines of the file that makes a claim: give --policy FILE or --expect FILE (a built-in policy is no file)", format)
}

// spot is a line of a file; the zero value is nowhere.
type spot struct {
	file string
	line int
}

// spotOf is where the files say what the result should have been: the entry
// that excuses it, or the line of the policy about its mechanism. If none does,
// it is the beginning of the file.
func (o Options) spotOf(it item) spot {
	for _, c := range o.Claims {
		for _, e := range c.Entries {
			if it.excused != "" && ascii(e.Reason) == ascii(it.excused) && e.Matches(it.id) {
				return spot{c.File, e.Line}
			}
		}
	}
	for _, c := range o.Claims {
		for _, m := range mechanismsOf(it) {
			for _, p := range []login.Protocol{it.protocol, ""} {
				if line := c.Mechanisms[p][m]; line > 0 {
					return spot{c.File, line}
				}
			}
		}
	}
	if len(o.Claims) == 0 {
		return spot{}
	}
	return spot{o.Claims[0].File, 1}
}

// spotOfEntry is where the entry that does not hold stands.
func (o Options) spotOfEntry(p login.ExcuseProblem) spot {
	for _, c := range o.Claims {
		for _, e := range c.Entries {
			if e.Pattern == p.Pattern {
				return spot{c.File, e.Line}
			}
		}
	}
	return o.spotOf(item{})
}

// mechanismsOf are those that the result may be about. A finding at a door names
// its own in the reason, in the order in which they matter, among other words.
func mechanismsOf(it item) []login.Mechanism {
	if it.kind != login.KindDoor {
		return []login.Mechanism{it.mechanism}
	}
	var all []login.Mechanism
	for _, word := range strings.FieldsFunc(it.reason, func(c rune) bool { return strings.ContainsRune(" ,;:().", c) }) {
		all = append(all, login.Mechanism(word))
	}
	return all
}

// How SARIF and CI servers call what is wrong.
const (
	levelError   = "error"
	levelWarning = "warning"
)

// levelOf is what a result that did not pass is called. What is broken is an
// error, as nobody knows what it hides.
func levelOf(it item) string {
	if it.verdict == login.Warn {
		return levelWarning
	}
	return levelError
}

// levelOfEntry is what an entry that does not hold is called: one that was put to
// no test leaves the question open.
func levelOfEntry(p login.ExcuseProblem) string {
	if p.NotKept() {
		return levelError
	}
	return levelWarning
}
