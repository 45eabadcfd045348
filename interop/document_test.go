package interop

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

var update = flag.Bool("update", false, "write docs/interop.md")

// peers are the programs with a table of what they share with the server.
var peers = []peer{curl, gsasl, mpop, msmtp, swaks}

// TestInteropDocument: docs/interop.md is made from the tables of the peers. It
// needs none of them.
func TestInteropDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- Made by `go test ./interop -run TestInteropDocument -update`. -->\n\n# Who logs in with whom\n\n" +
		"Programs that nobody here wrote, in the versions of Debian 12, against the reference server; and our client against Dovecot.\n" +
		"Each login is tried under allow, deny and secure, with what is right and with what is wrong; the server's own record is the\n" +
		"judge, and Dovecot's answer where the server is not ours. Tickets are issued by MIT's KDC. The gate runs all of it.\n\n" +
		"| mechanism | logs in to our server | our client logs in to |\n|---|---|---|\n")
	for _, m := range mech.Names() {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m, orNobody(toUs(m)), orNobody(toDovecot(m)))
	}
	b.WriteString("\n## What each lacks\n\n| program | lacks | because |\n|---|---|---|\n")
	for _, p := range peers {
		for _, m := range mech.All() {
			if !p.speaksOf(m) {
				t.Errorf("%s neither has %s nor lacks it", p.program, m.Name)
			}
		}
		for _, l := range p.lacks {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", p.program, l.what, l.why)
		}
	}
	for _, l := range dovecotLacks {
		fmt.Fprintf(&b, "| Dovecot | %s | %s |\n", l.what, l.why)
	}
	name := filepath.Join("..", "docs", "interop.md")
	if *update {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is stale: go test ./interop -run TestInteropDocument -update", name)
	}
}

// speaksOf reports whether the table of the peer says something of a mechanism
// that exists in a protocol of its.
func (p peer) speaksOf(m mech.Impl) bool {
	shares := slices.ContainsFunc(m.Protocols, func(protocol login.Protocol) bool { return len(p.has[protocol].mechanisms) > 0 })
	return !shares || by(p.has, m.Name) != "" || m.Name == login.GSSAPI && slices.ContainsFunc(toUs(m.Name), func(s string) bool {
		return strings.HasPrefix(s, p.program)
	}) || slices.ContainsFunc(p.lacks, func(l lack) bool {
		return slices.Contains(strings.Split(l.what, ", "), string(m.Name))
	})
}

// toUs names the programs, and by which protocol and transport.
func toUs(m login.Mechanism) (all []string) {
	for _, p := range peers {
		if how := by(p.has, m); how != "" {
			all = append(all, p.program+" ("+how+")")
		}
	}
	if m == login.GSSAPI {
		for _, p := range gssapiPeers {
			all = append(all, fmt.Sprintf("%s (%s clear)", p.program, p.protocol))
		}
	}
	return all
}

func toDovecot(m login.Mechanism) []string {
	how := by(dovecotHas, m)
	if m == login.GSSAPI {
		how = "pop3 clear"
	}
	if how == "" {
		return nil
	}
	return []string{"Dovecot 2.3 (" + how + ")"}
}

// by says in which protocols, and on which transports of theirs.
func by(has map[login.Protocol]ways, m login.Mechanism) string {
	var all []string
	for _, protocol := range login.Protocols() {
		if w := has[protocol]; slices.Contains(w.mechanisms, m) {
			all = append(all, string(protocol)+" "+transportWords(w.on(m)))
		}
	}
	return strings.Join(all, "; ")
}

func transportWords(all []login.Transport) string {
	var words []string
	for _, t := range all {
		words = append(words, map[login.Transport]string{login.Plain: "clear", login.StartTLS: "upgraded", login.TLS: "TLS"}[t])
	}
	return strings.Join(words, ", ")
}

func orNobody(all []string) string {
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, ", ")
}
