package mech

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var update = flag.Bool("update", false, "write docs/mechanisms.md")

// TestMechanismsDocument: docs/mechanisms.md is made from the registry.
func TestMechanismsDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("<!-- Made by `go test ./internal/mech -run TestMechanismsDocument -update`. -->\n\n# The mechanisms, compared\n\n" +
		"What a login gives away, and to whom. The first table is about somebody who listens; the harness measures it in every cell.\n" +
		"The cost is that of one guess at the password, for who has heard one login.\n" +
		"What each database can check is printed by `mailmatrix list databases`.\n\n" +
		"| mechanism | in clear, a listener learns | cost of a guess | inside STARTTLS or STLS | inside TLS on 465 or 995 |\n|---|---|---|---|---|\n")
	for _, m := range All() {
		clear, cost, inside := listeners[m.Class], cmp.Or(m.Compared.Cracking, "-"), "nothing"
		if m.NeedsTLS {
			clear, cost = "(does not exist there)", "-"
		}
		if m.Presents == login.PresentsCertificate {
			inside = "nothing; with TLS 1.2 the certificate, and so the name"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", m.Name, clear, cost, inside, inside)
	}
	b.WriteString("\nThe second is about the two ends: a server to which a client was lured, a thief of the database, and what either side can be sure of.\n\n" +
		"| mechanism | a malicious server learns | who stole the database | the server proves itself | channel binding | defined in | status |\n|---|---|---|---|---|---|---|\n")
	for _, m := range All() {
		c := m.Compared
		if c.Status == "" || c.Malicious == "" || c.Stolen == "" || m.Class == login.ShowsVerifier && c.Cracking == "" {
			t.Errorf("%s has an incomplete comparison: %+v", m.Name, c)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", m.Name, c.Malicious, c.Stolen,
			cmp.Or(c.Mutual, "no"), cmp.Or(c.Binding, "no"), strings.Join(m.Refs, ", "), c.Status)
	}
	name := filepath.Join("..", "..", "docs", "mechanisms.md")
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
		t.Errorf("%s is stale: go test ./internal/mech -run TestMechanismsDocument -update", name)
	}
}

var listeners = map[login.ExposureClass]string{
	login.ShowsNothing:  "nothing",
	login.ShowsIdentity: "the name",
	login.ShowsVerifier: "the name, and a verifier to crack",
	login.ShowsToken:    "the name, and **the token**: it is good until it expires",
	login.ShowsPassword: "the name, and **the password**",
}
