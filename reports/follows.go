package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// follows are sentences that the cells support, each only where they do.
func (b *book) follows() []string {
	var all []string
	for _, sentences := range [][]string{
		b.lockedOut(), b.shownByAllow(), b.onlyModern(), b.windowsUserFirst(), b.shownToRefuser(), b.sourcesDiffer(),
	} {
		all = append(all, sentences...)
	}
	return all
}

// lockedOut: who has no way in once every setting is secure. Only a run that
// left nothing out can say so.
func (b *book) lockedOut() []string {
	if b.narrowed() || !b.report.Complete {
		return nil
	}
	var all []string
	for _, p := range login.Protocols() {
		var lost, want995 []string
		for _, client := range b.subjects() {
			if !b.getsIn(client, p, login.Allow) || b.getsIn(client, p, login.Secure) {
				continue
			}
			lost = append(lost, client)
			if b.lacks(client, p, "", login.StartTLS) && b.closed(login.Classic, client, p) {
				want995 = append(want995, client)
			}
		}
		if len(lost) == 0 {
			continue
		}
		sentence := "secure everywhere locks " + shortList(lost) + " out of " + protocolName(p)
		if len(want995) == len(lost) {
			sentence += fmt.Sprintf(": they want %s, closed here.%s", implicitPort[p], b.opened(lost, p))
		}
		all = append(all, sentence)
	}
	return all
}

// getsIn: whether some mechanism lets the client of the classic flavour in.
func (b *book) getsIn(client string, p login.Protocol, s login.Setting) bool {
	return b.any(func(c *login.CellResult) bool {
		return c.Flavour == login.Classic && c.Protocol == p && c.Setting == s && c.Outcome == login.LoggedIn &&
			plain(c) && c.ClientName() == client
	})
}

// closed: whether the flavour has no TLS port that the client can use.
func (b *book) closed(f login.Flavour, client string, p login.Protocol) bool {
	return b.any(func(c *login.CellResult) bool {
		return c.Flavour == f && c.Protocol == p && c.Transport == login.TLS && c.Outcome == login.NoTLS &&
			c.ClientName() == client
	})
}

var implicitPort = map[login.Protocol]string{login.SMTP: "465", login.POP3: "995"}

// opened says whom of those that are locked out the modern flavour lets in,
// and who has no TLS that it speaks.
func (b *book) opened(lost []string, p login.Protocol) string {
	var in, out []string
	change := "" // that of the first who gets in stands for all
	for _, client := range lost {
		if becomes := b.becomes(client, p); becomes != "" {
			in = append(in, client)
			change = cmp.Or(change, becomes)
		} else if b.closed(login.Modern, client, p) {
			out = append(out, client)
		}
	}
	if len(in) == 0 {
		return ""
	}
	sentence := fmt.Sprintf(" flavour modern opens it to %s: %s.", shortList(in), change)
	if len(out) > 0 {
		sentence += " " + shortList(out) + verb(out, " stays out: it has", " stay out: they have") + " no TLS that modern speaks."
	}
	return sentence
}

// becomes is the first entry of the client that the modern flavour turns from
// closed into a login.
func (b *book) becomes(client string, p login.Protocol) string {
	for _, m := range matrixColumns[p] {
		classic := b.entry(login.Classic, p, m, login.Secure, client)
		modern := b.entry(login.Modern, p, m, login.Secure, client)
		if classic[2] == codeClosed && modern[2] == codeOK {
			return fmt.Sprintf("%s becomes %s (%s)", classic, modern, m)
		}
	}
	return ""
}

// shownByAllow: what every login without encryption shows, by mechanism.
func (b *book) shownByAllow() []string {
	shown := map[login.ExposureClass][]string{}
	for _, m := range b.shownMechanisms() {
		logins, of := 0, map[login.ExposureClass]int{}
		for i := range b.report.Cells {
			c := &b.report.Cells[i]
			if c.Mechanism == m && c.Setting == login.Allow && c.Transport == login.Plain &&
				c.Outcome == login.LoggedIn && c.Basis != login.Predicted {
				logins++
				of[c.Exposure]++
			}
		}
		for class, n := range of {
			if n == logins {
				shown[class] = append(shown[class], string(m))
			}
		}
	}
	var parts []string
	for _, say := range []struct {
		class      login.ExposureClass
		what, mark string
	}{
		{login.ShowsPassword, "the password", " (pw)"},
		{login.ShowsToken, "the token", ""},
		{login.ShowsVerifier, "a crackable hash", " (hs)"},
	} {
		if names := shown[say.class]; len(names) > 0 {
			parts = append(parts, say.what+" of every "+list(names)+" login"+say.mark)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	if len(b.others()) > 0 { // the matrix shows the rest
		parts = parts[:1]
	}
	return []string{"allow on plain shows " + strings.Join(parts, ", ") + "."}
}

// shownMechanisms are the document's where its clients were run, and all that
// were run where not.
func (b *book) shownMechanisms() []login.Mechanism {
	ran, document := b.mechanisms(), documentMechanisms()
	if len(b.others()) == 0 || len(b.others()) == len(b.clients()) {
		return ran
	}
	return slices.DeleteFunc(ran, func(m login.Mechanism) bool { return !slices.Contains(document, m) })
}

// onlyModern: what the document's server has not, and ours has in its other
// flavour.
func (b *book) onlyModern() []string {
	var all []string
	for _, m := range documentMechanisms() {
		in := map[login.Flavour]login.Database{}
		for _, f := range login.Flavours() {
			for _, p := range login.Protocols() {
				if d, ok := b.homes[home{f, p, m}]; ok {
					in[f] = d
				}
			}
		}
		if in[login.Classic] != "" || in[login.Modern] == "" || b.narrowed() {
			continue
		}
		names := b.clientsWith(func(c *login.CellResult) bool {
			return c.Mechanism == m && c.Outcome == login.LoggedIn && plain(c)
		})
		if len(names) > 0 {
			all = append(all, fmt.Sprintf("%s needs flavour %s and database %s: there %s %s in with it.", mechanismName(m), login.Modern,
				in[login.Modern], shortList(names), verb(names, "logs", "log")))
		}
	}
	return all
}

// documentMechanisms are the columns of the document's matrix.
func documentMechanisms() []login.Mechanism {
	var all []login.Mechanism
	for _, p := range login.Protocols() {
		for _, m := range matrixColumns[p] {
			if !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	return all
}

// mechanisms are those of the report, the automatic choice not counted.
func (b *book) mechanisms() []login.Mechanism {
	seen := map[login.Mechanism]bool{login.Auto: true}
	var all []login.Mechanism
	for i := range b.report.Cells {
		if m := b.report.Cells[i].Mechanism; !seen[m] {
			seen[m] = true
			all = append(all, m)
		}
	}
	slices.Sort(all)
	return all
}

// windowsUserFirst: who presents the logged-on Windows user, is refused, and
// only then presents the account. It can be read on a clear link only.
func (b *book) windowsUserFirst() []string {
	names := b.clientsWith(func(c *login.CellResult) bool {
		return c.Outcome == login.LoggedIn && exposes(c, func(e login.Exposure) bool {
			return e.Secret == login.SecretWindowsUser && e.When == login.BeforeRefusal
		})
	})
	if len(names) == 0 {
		return nil
	}
	return []string{shortList(names) + verb(names, " tries", " try") + " NTLM with the Windows user first: refused."}
}

// shownToRefuser: who shows the password even where the server refuses the
// mechanism, before or after it has said so. A client that looks first needs a
// server that offers what it refuses: that is a scenario, not a cell.
func (b *book) shownToRefuser() []string {
	shown := map[string]bool{}
	for _, s := range b.report.Scenarios {
		if strings.HasPrefix(s.ID, "scenario/posture/offered-refused/") && s.Exposure == login.ShowsPassword {
			shown[s.Profile] = true
		}
	}
	names := b.clientsWith(func(c *login.CellResult) bool {
		refused := c.Outcome == login.RefusedPolicy || c.Outcome == login.RefusedUnavailable
		return shown[c.ClientName()] || refused && c.Exposure == login.ShowsPassword ||
			exposes(c, func(e login.Exposure) bool {
				return e.Class == login.ShowsPassword && e.When == login.AfterRefusal
			})
	})
	if len(names) == 0 {
		return nil
	}
	return []string{shortList(names) + verb(names, " shows", " show") +
		" the password even to a server that refuses the mechanism."}
}

func (b *book) clientsWith(match func(*login.CellResult) bool) []string {
	found := map[string]bool{}
	for i := range b.report.Cells {
		if c := &b.report.Cells[i]; c.Basis != login.Predicted && match(c) {
			found[c.ClientName()] = true
		}
	}
	return slices.DeleteFunc(b.subjects(), func(name string) bool { return !found[name] })
}

func exposes(c *login.CellResult, match func(login.Exposure) bool) bool {
	return slices.ContainsFunc(c.Exposures, match)
}

func verb(subjects []string, one, many string) string {
	if len(subjects) == 1 {
		return one
	}
	return many
}

// releases are the clients of the document beside what sources say of a
// certain release of them.
var releases = []struct{ document, source string }{
	{"outlook-express", "outlook-express-6"},
	{"eudora", "eudora-7-win"},
}

// sourcesDiffer: where a release is known to be other than the document says.
func (b *book) sourcesDiffer() []string {
	var all []string
	for _, r := range releases {
		var has []string
		for _, p := range login.Protocols() {
			for _, m := range b.mechanisms() {
				what := protocolName(p) + " " + string(m)
				switch {
				case b.has(r.source, p, m) && b.lacks(r.document, p, m, ""):
					has = append(has, what)
				case b.has(r.document, p, m) && b.lacks(r.source, p, m, ""):
					has = append(has, "no "+what)
				}
			}
		}
		if len(has) > 0 {
			all = append(all, r.source+" has "+list(has))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return []string{"sources say: " + strings.Join(all, ", ") + "."}
}

func protocolName(p login.Protocol) string {
	switch p {
	case login.SMTP:
		return "SMTP"
	case login.POP3:
		return "POP3"
	default:
		return string(p)
	}
}
