package clientsim_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestLateCertificate: a certificate is refused on a connection that stands.
// What is still said there is the client's own.
func TestLateCertificate(t *testing.T) {
	t.Parallel()
	start := []string{"S 220 ready", "C EHLO vm", "S 250-mail.example.test", "S 250 STARTTLS", "C STARTTLS", "S 220 go ahead"}
	tests := []struct {
		name, profile string
		inside        []string
	}{
		{"it takes leave", "esmtp", []string{"C+ QUIT", "S+ 221 bye"}},
		{"it says hello before it looks", "emacs-smtpmail", []string{"C+ EHLO vm", "S+ 250 mail.example.test"}},
		{"it just goes", "msmtp", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := conversation{profile: tt.profile, protocol: login.SMTP, transport: login.StartTLS, mechanism: login.Auto,
				script: slices.Concat(start, tt.inside)}
			if tt.inside == nil {
				c.script = append(c.script, "S+ 250 nobody hears this")
			}
			s := newScripted(t, c.script, c.mechanism, certs.Leaf{Names: []string{"elsewhere.example.test"}, Key: certs.RSA})
			config := configFor(t, c, s)
			config.Machine, config.Whole = "vm", true
			got := clientsim.Login(t.Context(), config)
			if got.Observation.Outcome != login.CertRejected {
				t.Errorf("outcome %s (%s)", got.Observation.Outcome, got.Observation.Detail)
			}
			var inside []string
			for _, line := range got.Transcript {
				if strings.HasPrefix(line, "C+") || strings.HasPrefix(line, "S+") {
					inside = append(inside, line)
				}
			}
			if !slices.Equal(inside, tt.inside) {
				t.Errorf("inside TLS %q, want %q", inside, tt.inside)
			}
		})
	}
}
