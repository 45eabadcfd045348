package reports

import "github.com/mailmatrix/mailmatrix/internal/login"

// reading is where we went beyond the letter of the document. It is said
// wherever a report holds something that rests on it.
type reading struct {
	text string
	in   func(*login.CellResult) bool
}

var allReadings = []reading{
	{"LOGIN, TLS 1.0 and NTLMv1 are our additions: the document does not name them", func(c *login.CellResult) bool {
		return c.Mechanism == login.LOGIN || c.Flavour == login.Classic
	}},
	{"port 465 is closed in flavour classic: the document says so of 995 only", func(c *login.CellResult) bool {
		return c.Flavour == login.Classic && c.Protocol == login.SMTP && c.Transport == login.TLS
	}},
	{"Kerberos is not available over SMTP either: the document says so of POP3 only", func(c *login.CellResult) bool {
		return c.Flavour == login.Classic && c.Protocol == login.SMTP && c.Mechanism == login.GSSAPI
	}},
	{"PLAIN and LOGIN over POP3 check the account's own password even where an override password is set: " +
		"the document is silent", func(c *login.CellResult) bool {
		return c.Protocol == login.POP3 && c.Override == login.OverrideSet &&
			(c.Mechanism == login.PLAIN || c.Mechanism == login.LOGIN)
	}},
}

// readings are those on which the report rests.
func (b *book) readings() []string {
	var all []string
	for _, r := range allReadings {
		if b.any(r.in) {
			all = append(all, r.text)
		}
	}
	return all
}
