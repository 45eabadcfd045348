package clientsim

import "testing"

// What each rule makes of a challenge that should be a message-id.
func TestStampRules(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		challenge string
		takes     string // the rules that take it, of any, ascii, with-at and msg-id
		why       string
	}{
		{"<1896.697170952@mail.example.test>", "any ascii with-at msg-id", "RFC 1939 7's own"},
		{"<1896.697170952>", "any ascii", "no @"},
		{"<a@b@c>", "any ascii with-at", "two of them"},
		{"<@mail.example.test>", "any ascii with-at", "nothing before it"},
		{"<1896@>", "any ascii with-at", "nothing behind it"},
		{"<1896 697@mail.example.test>", "any ascii with-at", "a blank"},
		{"<1896\x01@mail.example.test>", "any ascii with-at", "a control character"},
		{"<1896\x7f@mail.example.test>", "any ascii with-at", "another"},
		{"<1896\xe9@mail.example.test>", "any with-at", "no ASCII, and no UTF-8 either"},
		{"<é@mail.example.test>", "any with-at", "UTF-8"},
		{"1896@mail.example.test", "any ascii with-at", "no brackets"},
		{"<a@b", "any ascii with-at", "one bracket"},
		{"", "any ascii", "nothing at all"},
	} {
		var taken string
		for _, rule := range stampRules {
			if rule.takes(tt.challenge) {
				taken += " " + string(rule)
			}
		}
		if got := taken[min(1, len(taken)):]; got != tt.takes {
			t.Errorf("%q: %s take it, want %s: %s", tt.challenge, got, tt.takes, tt.why)
		}
	}
}
