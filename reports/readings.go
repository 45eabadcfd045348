package reports

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// reading is where we went beyond the letter of the document. It is said
// wherever a report holds something that rests on it.
type reading struct {
	text string
	in   func(*book) bool
}

var allReadings = []reading{
	{"LOGIN, TLS 1.0 and NTLMv1 are our additions: the document does not name them", cells(func(c *login.CellResult) bool {
		return c.Mechanism == login.LOGIN || c.Flavour == login.Classic
	})},
	{"port 465 is closed in flavour classic: the document says so of 995 only", cells(func(c *login.CellResult) bool {
		return c.Flavour == login.Classic && c.Protocol == login.SMTP && c.Transport == login.TLS
	})},
	{"Kerberos is not available over SMTP either: the document says so of POP3 only", cells(func(c *login.CellResult) bool {
		return c.Flavour == login.Classic && c.Protocol == login.SMTP && c.Mechanism == login.GSSAPI
	})},
	{"PLAIN and LOGIN over POP3 check the account's own password even where an override password is set: " +
		"the document is silent", cells(func(c *login.CellResult) bool {
		return c.Protocol == login.POP3 && c.Override == login.OverrideSet &&
			(c.Mechanism == login.PLAIN || c.Mechanism == login.LOGIN)
	})},
	{`notexample.test does not match *.example.test: our reading of "ends in"`, scenarios("scenario/certificate/wildcard/")},
}

// cells: the report holds such a cell.
func cells(such func(*login.CellResult) bool) func(*book) bool {
	return func(b *book) bool { return b.any(such) }
}

// scenarios: the report holds a scenario whose ID begins so.
func scenarios(prefix string) func(*book) bool {
	return func(b *book) bool {
		return slices.ContainsFunc(b.report.Scenarios, func(s login.ScenarioResult) bool {
			return strings.HasPrefix(s.ID, prefix)
		})
	}
}

// readings are those on which the report rests.
func (b *book) readings() []string {
	var all []string
	for _, r := range allReadings {
		if r.in(b) {
			all = append(all, r.text)
		}
	}
	return all
}
