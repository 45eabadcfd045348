package interop

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestMailByCurl: what curl hands in over TLS comes out over TLS as it was,
// dots, blank lines and all.
func TestMailByCurl(t *testing.T) {
	program := need(t, "curl", "curl")
	t.Parallel()
	home := t.TempDir()
	contents := strings.Join([]string{
		"From: alice@example.test", "To: alice@example.test", "Subject: dots", "",
		".", "..", ".hidden", "", "a line of " + strings.Repeat("many ", 150) + "words", "Gr\u00fc\u00dfe", "", "",
	}, "\r\n")

	a := attempt{login.Modern, login.SMTP, login.StartTLS, login.PLAIN, login.Secure, login.WithAccount}
	r := start(t, a.setup())
	sent := curlCommand(t, program, a, r, "/", "--mail-from", sender, "--mail-rcpt", sender,
		"--upload-file", write(t, home, "message", contents)).run(t)
	if sent.status != 0 {
		t.Fatalf("curl could not send: %v", sent)
	}

	for _, transport := range []login.Transport{login.StartTLS, login.TLS} {
		t.Run(string(transport), func(t *testing.T) {
			a.protocol, a.transport = login.POP3, transport
			got := curlCommand(t, program, a, r, "/1").run(t)
			// The server puts its trace lines on top (RFC 5321 4.4).
			if got.status != 0 || !strings.HasSuffix(got.output, contents) {
				t.Errorf("sent %q\ngot %v", contents, got)
			}
		})
	}
	for _, record := range r.Record() {
		if !record.Encrypted || record.Refusal != login.NotRefused {
			t.Errorf("a login that was not one inside TLS: %+v", record)
		}
	}
}
