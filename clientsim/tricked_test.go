package clientsim_test

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What clients do where a server, or somebody in its place, plays tricks: as
// their files say, and where they say nothing as is right.
func TestTricked(t *testing.T) {
	t.Parallel()
	const hello, injected = "C EHLO workstation1", "S 220 go on\r\n250-evil\r\n250 AUTH PLAIN LOGIN"
	for _, tt := range []struct {
		name      string
		profile   string
		transport login.Transport
		script    []string
		outcome   login.Outcome
		why       string
	}{
		{"another success than 220", "go-mail", login.StartTLS,
			[]string{"S 220 mail", hello, "S 250-mail", "S 250 STARTTLS", "C STARTTLS", "S 250 fine"},
			login.NoTLS, "RFC 3207 4: 220 alone lets TLS begin"},
		{"injected, and given up", "go-mail", login.StartTLS,
			[]string{"S 220 mail", hello, "S 250-mail", "S 250 STARTTLS", "C STARTTLS", injected},
			login.NoTLS, "nothing is known of it: it does right"},
		{"injected, and thrown away", "py-smtplib", login.StartTLS,
			[]string{"S 220 mail", "C ehlo [127.0.0.1]", "S 250-mail", "S 250 STARTTLS", "C STARTTLS", injected,
				"C+ ehlo [127.0.0.1]", "S+ 250-mail", "S+ 250 SIZE"},
			login.NotOffered, "what the server says inside counts"},
		{"injected, and believed", "swaks", login.StartTLS,
			[]string{"S 220 mail", "C EHLO workstation1.office.example", "S 250-mail", "S 250 STARTTLS", "C STARTTLS", injected,
				"C+ EHLO workstation1.office.example", "C+ AUTH LOGIN", "S+ 250-mail", "S+ 250 SIZE"},
			login.Dropped, "it goes on to what was injected, without waiting for the server"},
		{"a challenge that is no message-id", "eudora", login.Plain,
			[]string{"S 220 mail", "C EHLO workstation1.office.example", "S 250-mail", "S 250 AUTH CRAM-MD5", "C AUTH CRAM-MD5", "S 334 bm8=", "C *", "S 501 cancelled"},
			login.Refused, "nothing is known of it: it does right"},
		{"and one that minds nothing", "curl+CRAM-MD5", login.Plain,
			[]string{"S 220 mail", hello, "S 250-mail", "S 250 AUTH CRAM-MD5", "C AUTH CRAM-MD5", "S 334 bm8=", "C <proof>", "S 535 no"},
			login.RefusedCredentials, "it answers whatever it is asked"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, tt.script, login.CRAMMD5, plainLeaf)
			c := configFor(t, conversation{profile: tt.profile, protocol: login.SMTP, transport: tt.transport, mechanism: login.Auto}, s)
			c.Whole = true
			got := clientsim.Login(t.Context(), c)
			_ = s.Close() // it may wait for what does not come
			said := verbs(got.Transcript)
			var want []string
			for _, line := range tt.script {
				if strings.HasPrefix(line, "C") {
					want = append(want, line)
				}
			}
			if len(said) < len(want) || strings.Join(said[:len(want)], "\n") != strings.Join(want, "\n") {
				t.Errorf("%s: said %q, want %q", tt.why, said, want)
			}
			if o := got.Observation.Outcome; o != tt.outcome {
				t.Errorf("%s: %s (%s), want %s", tt.why, o, got.Observation.Detail, tt.outcome)
			}
		})
	}
}
