package clientsim_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Each row breaks the file of Eudora 7.1 in one place.
func TestLint(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, old, with, want, why string }{
		{"unknown field", "family: eudora", "famliy: eudora", `unknown field "famliy"`, "a misspelt fact must not be a missing one"},
		{"unknown field deep down", "  hello:\n    name:\n      value: full-name", "  hello:\n    name:\n      valeu: full-name", `unknown field "valeu"`, "strict all the way"},
		{"key twice", "family: eudora", "family: eudora\nfamily: outlook", "already defined", "which of them is meant?"},
		{"no YAML", "name: eudora-7-win", "name: [eudora", "must be specified", "a syntax error has a line too"},
		{"improper name", "name: eudora-7-win", "name: Eudora+7", `name "Eudora+7"`, "the plus sign divides off a variant"},
		{"no title", "title: Eudora 7.1 for Windows", "title: ''", "title is missing", "people must be able to read it"},
		{"no family", "family: eudora", "family: ''", "family is missing", "variants are counted by it"},
		{"no source", `source: "SSLSettings.h: Never"`, `source: ""`, "plain: a fact without a source", "the law of the house"},
		{"unknown confidence", "    confidence: source\n    source: \"SmtpAuth.cpp: AUTH", "    confidence: certain\n    source: \"SmtpAuth.cpp: AUTH", `confidence "certain"`, "there are five words"},
		{"fact left out", "  initial:\n    value: []\n    confidence: source\n    source: \"POPSession.cpp: AUTH and the name, nothing more\"\n", "", "initial: a fact without a source", "silence is no fact"},
		{"unknown mechanism", "    CRAM-MD5: *smtp-mechanism", "    CRAM-MD4: *smtp-mechanism", `unknown mechanism "CRAM-MD4", did you mean "CRAM-MD5"?`, "a typing error"},
		{"mechanism in the wrong protocol", "    LOGIN: *smtp-mechanism", "    LOGIN: *smtp-mechanism\n    APOP: *smtp-mechanism", "APOP does not exist in smtp", "POP3 only"},
		{"mechanism in other letters", "    LOGIN: *smtp-mechanism", "    Login: *smtp-mechanism", `spelled "LOGIN"`, "files can be searched"},
		{"choice of a stranger", "value: [CRAM-MD5, LOGIN, PLAIN]", "value: [CRAM-MD5, NTLM]", `names "NTLM", which is not among`, "it cannot choose what it lacks"},
		{"choice named twice", "value: [CRAM-MD5, LOGIN, PLAIN]", "value: [PLAIN, PLAIN]", "names PLAIN twice", "an order has no repeats"},
		{"no choice", "value: [CRAM-MD5, LOGIN, PLAIN]", "value: []", "no choice: name what the client takes", "an automatic cell would fall over it"},
		{"leak of a stranger", "value: [LOGIN, PLAIN]", "value: [NTLM]", `names "NTLM", which is not among`, "it cannot leak what it lacks"},
		{"leak without end", "value: [LOGIN, PLAIN]", "value: [CRAM-MD5]", "a challenge that does not come", "there is nothing to prove"},
		{"passed over for a stranger", "  hello:\n    name:\n      value: full-name", "  passes-over: {value: {LOGIN: [NTLM]}, confidence: source, source: x}\n  hello:\n    name:\n      value: full-name", `names "NTLM", which is not among`, "it does not see what it lacks"},
		{"retries of a stranger", "  hello:\n    name:\n      value: full-name", "  refused-retries: {value: {NTLM: 1}, confidence: source, source: x}\n  hello:\n    name:\n      value: full-name", `names "NTLM", which is not among`, "it cannot try again what it lacks"},
		{"looks in the wrong place", "      looks: ehlo", "      looks: capa", `unknown place to look "capa"`, "SMTP has no CAPA"},
		{"APOP by CAPA", "      looks: timestamp", "      looks: capa", "the timestamp is for APOP", "CAPA has no word for it"},
		{"unknown transport", "    starttls:\n", "    startls:\n", `unknown transport "startls", did you mean "starttls"?`, "a typing error"},
		{"NTLM without its section", "    LOGIN: *smtp-mechanism", "    LOGIN: *smtp-mechanism\n    NTLM: *smtp-mechanism", "ntlm and the mechanism NTLM go together", "which kind of response?"},
		{"unknown form of hello", "value: full-name", "value: fullname", `unknown form of hello "fullname"`, "there are four"},
		{"unknown rule for names", "names:\n    value: none", "names:\n    value: any", `unknown rule for names "any"`, "there are four"},
		{"versions with a gap", `value: ["1.0"]`, `value: ["1.0", "1.2"]`, "versions must be a run", "crypto/tls has a lowest and a highest"},
		{"unknown suite", "TLS_RSA_WITH_RC4_128_SHA]", "TLS_RSA_WITH_RC4_128_MD5]", "unknown cipher suite", "crypto/tls does not have it"},
		{"second document", "name: eudora-7-win", "name: a\n---\nname: eudora-7-win", "more than one document", "the rest would not be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := read(t, "profiles/eudora-7-win.yaml")
			if !strings.Contains(data, tt.old) {
				t.Fatalf("the file has no %q", tt.old)
			}
			_, err := clientsim.Load("mine.yaml", []byte(strings.Replace(data, tt.old, tt.with, 1)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q: %s", err, tt.want, tt.why)
			}
			var located *clientsim.FileError
			if !errors.As(err, &located) || located.File != "mine.yaml" {
				t.Errorf("no place in %#v", err)
			}
		})
	}
}

// The message names file and line, and shows the line.
func TestFileError(t *testing.T) {
	t.Parallel()
	data := read(t, "profiles/eudora.yaml")
	_, err := clientsim.Load("mine.yaml", []byte(strings.Replace(data, "    PLAIN: *smtp-mechanism", "    PLAIM: *smtp-mechanism", 1)))
	want := "mine.yaml:30: unknown mechanism \"PLAIM\", did you mean \"PLAIN\"? " +
		"(known: USER/PASS, APOP, LOGIN, PLAIN, OAUTHBEARER, XOAUTH2, CRAM-MD5, DIGEST-MD5, NTLM, SCRAM-SHA-1, " +
		"SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-256-PLUS, EXTERNAL, GSSAPI, ANONYMOUS)\n   30 |     PLAIM: *smtp-mechanism"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, data, want, why string }{
		{"nothing", "", "empty", "an empty file is no client"},
		{"a comment", "# nothing\n", "empty", "nor is a comment"},
		{"a list", "- a\n- b\n", "mapping", "a profile has sections"},
		{"no protocol", "name: a\ntitle: A\nfamily: a\n", "neither smtp nor pop3", "a client speaks one of them"},
		{"too long", strings.Repeat("#", 300_000), "longer than", "a file of that size is something else"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := clientsim.Load("mine.yaml", []byte(tt.data))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q: %s", err, tt.want, tt.why)
			}
		})
	}
}

// FuzzProfile: whatever the file holds, Load answers, and what it accepts can
// be used.
func FuzzProfile(f *testing.F) {
	for _, p := range clientsim.All() {
		f.Add([]byte(read(f, "profiles/"+p.Name+".yaml")))
	}
	f.Add([]byte("name: a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := clientsim.Load("fuzz.yaml", data)
		if err != nil {
			return
		}
		facts := p.Facts()
		for _, protocol := range login.Protocols() {
			for _, m := range append(p.Mechanisms(protocol), login.Auto) {
				for _, transport := range p.Transports(protocol) {
					p.Confidence(protocol, m, transport)
				}
			}
			for _, m := range facts.Protocols[protocol].Chooses {
				if !slices.Contains(p.Mechanisms(protocol), m) {
					t.Errorf("chooses %s and has it not", m)
				}
			}
		}
		if len(p.Lacks()) > 100 {
			t.Error("lacks more than there is")
		}
	})
}

func read(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
