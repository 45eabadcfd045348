package wire

import "testing"

// What is hidden is hidden whole, and what the reply means stays.
func TestVeil(t *testing.T) {
	s := NewSearcher(Forms("k7Q")...)
	for _, row := range []struct{ name, line, want string }{
		{"nothing", "535 no", "535 no"},
		{"the secret", "535 k7Q?", "535 <a secret, echoed>"},
		{"the first of several lines", "250-k7q", "250-<a secret, echoed>"},
		{"base64, too short to be decoded", "-ERR azdR", "-ERR <a secret, echoed>"},
		{"hex, too short to be decoded", "+OK 6b3751", "+OK <a secret, echoed>"},
		{"no code", "k7Q 535", "<a secret, echoed>"},
	} {
		if got := s.Veil(row.line); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if got := s.VeilAll([]string{"S+ " + row.line})[0]; got != "S+ "+row.want {
			t.Errorf("%s, in a transcript: %q", row.name, got)
		}
	}
	if len(Forms("")) != 0 {
		t.Error("nothing is found everywhere")
	}
}
