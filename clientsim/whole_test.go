package clientsim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Whole sessions, from the greeting to the leave that the client takes.
func TestWhole(t *testing.T) {
	t.Parallel()
	const hello = "C EHLO workstation1"
	for _, tt := range []struct {
		name      string
		profile   string
		transport login.Transport
		available bool
		script    []string
		outcome   login.Outcome
		why       string
	}{
		{"withheld", "go-mail", login.Plain, false,
			[]string{"S 220 mail", hello, "S 250-mail", "S 250 AUTH LOGIN PLAIN", "C QUIT", "S 221 bye"},
			login.NotOffered, "PLAIN is there, and not for a connection in clear"},
		{"nothing in common", "go-mail", login.Plain, false,
			[]string{"S 220 mail", hello, "S 250-mail", "S 250 AUTH LOGIN"},
			login.NotOffered, "it goes without a word"},
		{"after the message", "go-mail+CRAM-MD5", login.Plain, false,
			[]string{"S 220 mail", hello, "S 250-mail", "S 250-8BITMIME", "S 250 AUTH CRAM-MD5",
				"C AUTH CRAM-MD5", "S 334 <challenge>", "C <proof>", "S 235 ok", "C NOOP", "S 250 ok",
				"C MAIL FROM:<sender@example.test> BODY=8BITMIME", "S 250 ok", "C RCPT TO:<bob@example.test>", "S 250 ok",
				"C DATA", "S 354 go on", "C Subject: lab", "C", "C hello", "C .", "S 250 taken",
				"C NOOP", "S 250 ok", "C RSET", "S 250 ok", "C QUIT", "S 221 bye"},
			login.LoggedIn, "it asks whether the server is there, before and after"},
		{"required and blind", "phpmailer", login.StartTLS, false,
			[]string{"S 220 mail", hello, "S 250 mail", "C STARTTLS", "S 502 no", "C QUIT", "S 221 bye"},
			login.NoTLS, "it does not look"},
		{"blind, if available", "phpmailer", login.StartTLS, true,
			[]string{"S 220 mail", hello, "S 250 mail", "C QUIT", "S 221 bye"},
			login.NotOffered, "who takes it if it is there has to look"},
		{"before any hello", "gsasl+LOGIN", login.StartTLS, false,
			[]string{"S 220 mail", "C STARTTLS", "S 503 hello first"},
			login.NoTLS, "STARTTLS is the first thing it says"},
		{"if available, after a hello", "gsasl+LOGIN", login.StartTLS, true,
			[]string{"S 220 mail", "C EHLO [127.0.0.1]", "S 250 mail"},
			login.NotOffered, "there it looks first"},
		{"hello after the login", "mailutils+cram-md5", login.Plain, false,
			[]string{"S 220 mail", hello, "S 250-mail", "S 250 AUTH CRAM-MD5",
				"C AUTH CRAM-MD5", "S 334 <challenge>", "C <proof>", "S 235 ok", hello, "S 250 mail",
				"C MAIL FROM:<sender@example.test>", "S 550 no", "C RSET", "S 250 ok", "C QUIT", "S 221 bye"},
			login.LoggedIn, "and RSET after a refused sender"},
		{"no login, no second hello", "mailutils", login.Plain, false,
			[]string{"S 220 mail", hello, "S 250 mail",
				"C MAIL FROM:<sender@example.test>", "S 530 no", "C RSET", "S 250 ok", "C QUIT", "S 221 bye"},
			login.NotOffered, "nothing was accepted"},
		{"nothing to hand in", "gsasl+CRAM-MD5", login.Plain, false,
			[]string{"S 220 mail", "C EHLO [127.0.0.1]", "S 250-mail", "S 250 AUTH CRAM-MD5",
				"C AUTH CRAM-MD5", "S 334 <challenge>", "C <proof>", "S 235 ok", "C QUIT", "S 221 bye"},
			login.LoggedIn, "its transaction is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, tt.script, login.CRAMMD5, plainLeaf)
			c := configFor(t, conversation{profile: tt.profile, protocol: login.SMTP, transport: tt.transport, mechanism: login.Auto}, s)
			c.Whole, c.IfAvailable = true, tt.available
			saysAll(t, s, c, tt.script, tt.outcome, tt.why)
		})
	}
}

// saysAll has the client log in, and demands that it says what the script has
// it say, and that this comes to the outcome.
func saysAll(t *testing.T, s *scripted, c clientsim.Config, script []string, outcome login.Outcome, why string) {
	t.Helper()
	got := clientsim.Login(t.Context(), c)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if said, want := verbs(got.Transcript), verbs(script); !slices.Equal(said, want) {
		t.Errorf("%s: said %q, want %q", why, said, want)
	}
	if o := got.Observation; o.Outcome != outcome {
		t.Errorf("%s: %s (%s), want %s", why, o.Outcome, o.Detail, outcome)
	}
}

// verbs are the client's lines outside of the message's text.
func verbs(transcript []string) []string {
	var said []string
	text := false
	for _, line := range transcript {
		switch {
		case strings.HasPrefix(line, "S"):
			text = strings.HasPrefix(line, "S 354")
		case !text:
			said = append(said, line)
		}
	}
	return said
}

// What a port of its own refuses, STARTTLS may take.
func TestUnchecked(t *testing.T) {
	t.Parallel()
	shown := certs.Leaf{Names: []string{login.DefaultIdentity}, SelfSigned: true}
	for _, tt := range []struct {
		transport login.Transport
		script    []string
		want      login.Outcome
	}{
		{login.StartTLS, []string{"S 220 mail", "C ehlo", "S 250-mail", "S 250 STARTTLS", "C starttls", "S 220 go on",
			"C+ ehlo", "S+ 250-mail", "S+ 250 AUTH PLAIN", "C+ AUTH PLAIN", "S+ 235 ok", "C+ quit", "S+ 221 bye"}, login.LoggedIn},
		{login.TLS, []string{"S+ 220 mail"}, login.CertRejected},
	} {
		s := newScripted(t, tt.script, login.PLAIN, shown)
		got := clientsim.Login(t.Context(), configFor(t, conversation{profile: "emailjs", protocol: login.SMTP, transport: tt.transport, mechanism: login.Auto}, s))
		if o := got.Observation; o.Outcome != tt.want {
			t.Errorf("%s: %s (%s), want %s", tt.transport, o.Outcome, o.Detail, tt.want)
		}
		_ = s.Close() // a refused handshake is an error there
	}
}

// What a fetch comes to where the client has no choice, no ticket, no more to
// say, or no idea of the password.
func TestWholePOP3(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, profile string
		mechanism     login.Mechanism // the server's
		script        []string
		outcome       login.Outcome
		why           string
	}{
		{"no choice", "thunderbird+none", login.UserPass,
			[]string{"S +OK POP3", "C CAPA", "S +OK", "S USER", "S .", "C QUIT", "S +OK bye"},
			login.NotOffered, "it does not look at the mailbox of nobody"},
		{"means first", "thunderbird+GSSAPI", login.GSSAPI,
			[]string{"S +OK POP3", "C CAPA", "S +OK", "S SASL GSSAPI", "S .", "C QUIT", "S +OK bye"},
			login.NotOffered, "it has no ticket, and knows it before it asks"},
		{"speaks once", "jakarta-mail+XOAUTH2", login.XOAUTH2,
			[]string{"S +OK POP3", "C CAPA", "S +OK", "S SASL XOAUTH2", "S .", "C AUTH XOAUTH2 <secret>", "S + <challenge>",
				"C STAT", "S -ERR no", "C QUIT", "S +OK bye"},
			login.Refused, "the error is taken for a success"},
		{"wrong proof", "thunderbird+NTLM", login.NTLM,
			[]string{"S +OK POP3", "C CAPA", "S +OK", "S SASL NTLM", "S .", "C AUTH NTLM", "S +", "C <proof>", "S + <challenge>",
				"C <proof>", "S -ERR no"},
			login.RefusedCredentials, "and nothing is said of it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScripted(t, tt.script, tt.mechanism, plainLeaf)
			c := configFor(t, conversation{profile: tt.profile, protocol: login.POP3, transport: login.Plain, mechanism: login.Auto}, s)
			c.Whole, c.Secrets.Issued.Token = true, "canary-token-5"
			saysAll(t, s, c, tt.script, tt.outcome, tt.why)
		})
	}
}
