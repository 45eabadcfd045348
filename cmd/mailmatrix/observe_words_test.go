package main

import (
	"crypto/x509"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// poolOf is the authority in a file.
func poolOf(name string) (*x509.CertPool, error) {
	data, err := os.ReadFile(name)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(data)
	return pool, err
}

func TestSplitWords(t *testing.T) {
	for _, row := range []struct {
		text string
		want []string
		bad  string
	}{
		{text: "", want: nil},
		{text: "  curl\t-sS \n {url} ", want: []string{"curl", "-sS", "{url}"}},
		{text: `sh -c 'a "b" \c'`, want: []string{"sh", "-c", `a "b" \c`}},
		{text: `a "b 'c' \" d" e\ f`, want: []string{"a", `b 'c' " d`, "e f"}},
		{text: `--x='a b'"c"`, want: []string{"--x=a bc"}},
		{text: `'' ""`, want: []string{"", ""}},
		{text: `a $HOME | b > c *`, want: []string{"a", "$HOME", "|", "b", ">", "c", "*"}},
		{text: `a 'b`, bad: "a quote ' is not closed"},
		{text: `a "b`, bad: `a quote " is not closed`},
		{text: `a \`, bad: "a backslash stands at the end"},
	} {
		got, err := splitWords(row.text)
		if row.bad != "" && (err == nil || err.Error() != row.bad) || row.bad == "" && (err != nil || !slices.Equal(got, row.want)) {
			t.Errorf("%q: %q, %v", row.text, got, err)
		}
	}
}

// TestCommandLine: what --when says is added where the case asks for it, and
// what it does not name does not apply.
func TestCommandLine(t *testing.T) {
	whole := []string{"smtp=-T -", "req=--tls", "ca=--ca {ca}"}
	for _, row := range []struct {
		name, command string
		when          []string
		of            recording.Case
		want          string // "" does not apply
	}{
		{"plain", "c {options} {url}", whole, recording.Case{Protocol: login.SMTP, Mode: "off", Trust: "default"}, "c -T - U"},
		{"mode and trust", "c {options} {url}", whole, recording.Case{Protocol: login.SMTP, Mode: "req", Trust: "ca"}, "c -T - --tls --ca /ca U"},
		{"at the end", "c {url}", whole, recording.Case{Protocol: login.POP3, Mode: "req", Trust: "default"}, "c U --tls"},
		{"a mode that it has not", "c", whole, recording.Case{Protocol: login.SMTP, Mode: "opp", Trust: "default"}, ""},
		{"a trust that it has not", "c", whole, recording.Case{Protocol: login.SMTP, Mode: "req", Trust: "no"}, ""},
		{"nothing to add", "c", []string{"imp="}, recording.Case{Protocol: login.SMTP, Mode: "imp", Trust: "default"}, "c"},
		{"a script", "c {mode} {trust} x{protocol}", nil, recording.Case{Protocol: login.SMTP, Mode: "opp", Trust: "no"}, "c opp no xsmtp"},
	} {
		line, err := parseCommandLine(row.command, row.when)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		got := ""
		if line.applies(row.of) {
			got = strings.Join(line.fill(row.of, map[string]string{"url": "U", "ca": "/ca", "mode": string(row.of.Mode),
				"trust": string(row.of.Trust), "protocol": string(row.of.Protocol)}), " ")
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
