package reports

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// testClaims are a policy and a file of expectations.
func testClaims() []Claim {
	about := func(part string) func(string) bool { return func(id string) bool { return strings.Contains(id, part) } }
	return []Claim{
		{File: "conf/policy.yaml", Mechanisms: map[login.Protocol]map[login.Mechanism]int{
			"":         {login.PLAIN: 3, login.LOGIN: 4, login.NTLM: 5, login.APOP: 6},
			login.POP3: {login.APOP: 9},
		}},
		{File: "known findings.yaml", Entries: []ClaimEntry{
			{Pattern: "smtp/auth/0*@smtp", Reason: "the shop's old server, replaced in May", Line: 2, Matches: about("nothing")},
			{Pattern: "**", Reason: "the shop's old server, replaced in May", Line: 7, Matches: about("/")},
			{Pattern: "classic/**", Reason: "503 since 1999: no client minds \x1b", Line: 10, Matches: about("classic/")},
			{Pattern: "smtp/**", Reason: "older than RFC 4954", Line: 12, Matches: about("smtp/auth")},
		}},
	}
}

func TestSpots(t *testing.T) {
	for _, c := range []struct {
		name string
		item item
		want spot
	}{
		{"the protocol's own line wins", item{protocol: login.POP3, mechanism: login.APOP}, spot{"conf/policy.yaml", 9}},
		{"the common line serves both", item{protocol: login.POP3, mechanism: login.PLAIN}, spot{"conf/policy.yaml", 3}},
		{"what the policy does not name", item{protocol: login.SMTP, mechanism: login.GSSAPI}, spot{"conf/policy.yaml", 1}},
		{"what is about no mechanism", item{id: "scenario/startup/x"}, spot{"conf/policy.yaml", 1}},
		{
			"the first that a door's reason names",
			item{kind: login.KindDoor, protocol: login.SMTP, reason: "SMTP 587 (plain) offers LOGIN and PLAIN, which the policy denies"},
			spot{"conf/policy.yaml", 4},
		},
		{
			"a part of a longer name is none", item{kind: login.KindDoor, reason: "offers PLAIN-CLIENTTOKEN, NTLM."},
			spot{"conf/policy.yaml", 5},
		},
		{
			"the entry that excuses, not another with its reason",
			item{id: "a/b", excused: "the shop's old server, replaced in May", mechanism: login.PLAIN}, spot{"known findings.yaml", 7},
		},
		{
			"an excuse from elsewhere, as from a baseline", item{id: "a/b", excused: "it was so before", mechanism: login.PLAIN},
			spot{"conf/policy.yaml", 3},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (Options{Claims: testClaims()}).spotOf(c.item); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
	if got := (Options{}).spotOf(item{mechanism: login.PLAIN}); got != (spot{}) {
		t.Errorf("without a file it is at %v", got)
	}
	if got := (Options{Claims: testClaims()[1:]}).spotOf(item{}); got != (spot{"known findings.yaml", 1}) {
		t.Errorf("where no entry is about it, it is at %v", got)
	}
}

func TestReady(t *testing.T) {
	for _, f := range All() {
		err := f.Ready(Options{})
		if (err != nil) != (f.Name == "sarif") {
			t.Errorf("%s without files: %v", f.Name, err)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line: %v", f.Name, err)
		}
		if err := f.Ready(Options{Claims: testClaims()}); err != nil {
			t.Errorf("%s with files: %v", f.Name, err)
		}
	}
}
