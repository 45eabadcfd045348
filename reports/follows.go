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
		b.lockedOut(), b.shownByAllow(), b.windowsUserFirst(), b.shownToRefuser(), b.sourcesDiffer(),
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
		for _, client := range b.clients() {
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

// shownByAllow: what every login without encryption shows.
func (b *book) shownByAllow() []string {
	var passwords, hashes []string
	for _, m := range b.mechanisms() {
		logins, password, hash := 0, 0, 0
		for i := range b.report.Cells {
			c := &b.report.Cells[i]
			if c.Mechanism != m || c.Setting != login.Allow || c.Transport != login.Plain ||
				c.Outcome != login.LoggedIn || c.Basis == predicted {
				continue
			}
			logins++
			switch c.Exposure {
			case login.ShowsPassword:
				password++
			case login.ShowsVerifier:
				hash++
			}
		}
		switch {
		case logins == 0:
		case password == logins:
			passwords = append(passwords, string(m))
		case hash == logins:
			hashes = append(hashes, string(m))
		}
	}
	var all []string
	if len(passwords) > 0 {
		all = append(all, fmt.Sprintf("allow on plain shows the password of every %s login (pw).", list(passwords)))
	}
	if len(hashes) > 0 {
		all = append(all, fmt.Sprintf("allow on plain shows a crackable hash of every %s login (hs).", list(hashes)))
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
	return []string{shortList(names) + verb(names, " spends", " spend") +
		" one refused login before each NTLM login (the Windows user is tried first)."}
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
		if c := &b.report.Cells[i]; c.Basis != predicted && match(c) {
			found[c.ClientName()] = true
		}
	}
	return slices.DeleteFunc(b.clients(), func(name string) bool { return !found[name] })
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
	return []string{"sources against the document: " + strings.Join(all, ", ") + "."}
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
