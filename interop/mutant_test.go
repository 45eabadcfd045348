package interop

import (
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

// TestPeersNoticeMutants: the judgement can fail. Each server breaks one rule,
// and one login of a peer must show it.
func TestPeersNoticeMutants(t *testing.T) {
	tests := []struct {
		bug     server.Bug
		peer    peer
		attempt attempt
	}{
		{server.DenyIgnored, curl, attempt{login.Modern, login.SMTP, login.TLS, login.PLAIN, login.Deny, login.WithAccount}},
		{server.DenyHidesOnly, mpop, attempt{login.Modern, login.POP3, login.Plain, login.UserPass, login.Deny, login.WithAccount}},
		{server.SecureIgnoredOnPlain, msmtp, attempt{login.Modern, login.SMTP, login.Plain, login.CRAMMD5, login.Secure, login.WithAccount}},
		{server.SecureRefusedOnTLS, swaks, attempt{login.Modern, login.SMTP, login.StartTLS, login.LOGIN, login.Secure, login.WithAccount}},
		{server.PermittedNotOffered, gsasl, attempt{login.Modern, login.SMTP, login.Plain, login.PLAIN, login.Allow, login.WithAccount}},
		{server.ListKeptAfterTLS, curl, attempt{login.Modern, login.POP3, login.StartTLS, login.PLAIN, login.Secure, login.WithAccount}},
		{server.PermittedNotOffered, mpop, attempt{login.Modern, login.POP3, login.TLS, login.APOP, login.Allow, login.WithAccount}},
		{server.WrongAccepted, curl, attempt{login.Modern, login.POP3, login.Plain, login.LOGIN, login.Allow, login.WithWrong}},
		{server.NTLMv1InModern, mpop, attempt{login.Modern, login.POP3, login.Plain, login.NTLM, login.Allow, login.WithAccount}},
		{server.NoTLS, msmtp, attempt{login.Modern, login.SMTP, login.StartTLS, login.PLAIN, login.Allow, login.WithAccount}},
	}
	for _, test := range tests {
		t.Run(string(test.bug), func(t *testing.T) {
			program := need(t, test.peer.program, test.peer.debian)
			t.Parallel()
			r := start(t, test.attempt.setup(), server.WithBug(test.bug))
			got := test.peer.login(t, program, test.attempt, r)
			if wrong := test.peer.judge(t, test.attempt, r, got); len(wrong) == 0 {
				t.Errorf("%s %s did not notice: %v", test.peer.program, test.attempt, got)
			}
		})
	}
}
