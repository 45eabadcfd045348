package recording

import (
	"fmt"
	"strings"
	"testing"
)

// TestCompare: each field that is compared, and what is not.
func TestCompare(t *testing.T) {
	base := func() Record {
		return Record{
			Commands: []string{"c1 clear EHLO vm", "c1 clear AUTH PLAIN <b64>", "c1 clear mail FROM:<a@b.test> size=23", "c1 clear APOP a <md5>"},
			Attempts: []Attempt{{Mech: "PLAIN", IR: true, Ch: "clear", Conn: 1, Res: "ok"}},
			Conns:    1, OK: true, ClearPassword: []string{"PLAIN"}, ClearHash: []string{}, UnauthCommands: []string{},
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*Record)
		want   string // "" is no difference
	}{
		{"nothing", func(*Record) {}, ""},
		{"who it was", func(r *Record) { r.Client, r.Variant, r.Version, r.RC, r.TimedOut = "x", "y", "z", 1, true }, ""},
		{"steps and what the server knows", func(r *Record) { r.Attempts[0].Steps, r.Attempts[0].NTLM = 3, "NTLMv2" }, ""},
		{"the size of the message", func(r *Record) { r.Commands[2] = "c1 clear mail FROM:<a@b.test> size=<n>" }, ""},
		{"the letters of it", func(r *Record) { r.Commands[2] = "c1 clear mail FROM:<a@b.test> SIZE=23" }, "commands commands[2]"},
		{"a note on a payload", func(r *Record) { r.Commands[1] = "c1 clear AUTH PLAIN <b64 name>" }, ""},
		{"the two names of a digest", func(r *Record) { r.Commands[3] = "c1 clear APOP a <b64>" }, ""},
		{"the order of a set", func(r *Record) { r.ClearPassword = []string{"PLAIN", "PLAIN"} }, ""},
		{"an absent list is an empty one", func(r *Record) { r.ClearHash, r.UnauthCommands = nil, nil }, ""},
		{"a mechanism", func(r *Record) { r.Attempts[0].Mech = "LOGIN" }, "attempts attempts[0]"},
		{"an initial response", func(r *Record) { r.Attempts[0].IR = false }, "attempts attempts[0]"},
		{"a channel", func(r *Record) { r.Attempts[0].Ch = "tls" }, "attempts attempts[0]"},
		{"a connection", func(r *Record) { r.Attempts[0].Conn = 2 }, "attempts attempts[0]"},
		{"a result", func(r *Record) { r.Attempts[0].Res = "535" }, "attempts attempts[0]"},
		{"one attempt more", func(r *Record) { r.Attempts = append(r.Attempts, Attempt{}) }, "attempts attempts[1]"},
		{"no attempt", func(r *Record) { r.Attempts = nil }, "attempts attempts[0]"},
		{"a command", func(r *Record) { r.Commands[0] = "c1 clear EHLO x" }, "commands commands[0]"},
		{"one command less", func(r *Record) { r.Commands = r.Commands[:3] }, "commands commands[3]"},
		{"the password", func(r *Record) { r.ClearPassword = nil }, "exposure clear_password"},
		{"a hash", func(r *Record) { r.ClearHash = []string{"NTLM"} }, "exposure clear_hash"},
		{"ok", func(r *Record) { r.OK = false }, "outcome ok"},
		{"TLS", func(r *Record) { r.TLSUp = true }, "outcome tls_up"},
		{"connections", func(r *Record) { r.Conns = 2 }, "outcome conns"},
		{"without a login", func(r *Record) { r.UnauthCommands = []string{"MAIL"} }, "outcome unauth_commands[0]"},
	} {
		simulated := base()
		tt.change(&simulated)
		var got []string
		for _, d := range Compare(base(), simulated) {
			got = append(got, fmt.Sprint(d.Field, " ", d.At))
			if d.Recorded == d.Simulated || d.Recorded == "" || d.Simulated == "" {
				t.Errorf("%s: %s says nothing", tt.name, d)
			}
		}
		if strings.Join(got, "; ") != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
