package interop

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/policy/render"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// A reason why a server cannot express a cell is true if the setting that seems
// to express it does not.

// seeming is such a setting, and what comes of it.
type seeming struct {
	name   string
	stand  func(*testing.T) *standing
	result []came
}

// came is whether a login comes about.
type came struct {
	why       string
	protocol  login.Protocol
	transport login.Transport
	mechanism login.Mechanism
	accepted  bool
}

func seemingDovecot(config string) func(*testing.T) *standing {
	return func(t *testing.T) *standing {
		return standDovecotAs(t, "seeming", servesAs{config: dovecotCertificates + config})
	}
}

func seemingPostfix(mechanisms, config string) func(*testing.T) *standing {
	return func(t *testing.T) *standing {
		return standPostfixAs(t, "seeming", postfixAs{mechanisms: mechanisms, servesAs: servesAs{config: config}})
	}
}

func seemingExim(authenticators string) func(*testing.T) *standing {
	return func(t *testing.T) *standing {
		return standEximAs(t, "seeming", eximAs{mail: "accept", authenticators: authenticators})
	}
}

var seemings = []seeming{
	{"Dovecot: a list for one protocol", seemingDovecot(`
auth_mechanisms = plain cram-md5
disable_plaintext_auth = yes
protocol pop3 {
  auth_mechanisms = plain
}
`), []came{
		{"auth_mechanisms is one list for all protocols, wherever it stands", login.POP3, login.StartTLS, login.CRAMMD5, true},
		{"USER and PASS are its PLAIN", login.POP3, login.StartTLS, login.UserPass, true},
		{"disable_plaintext_auth is about cleartext mechanisms alone", login.POP3, login.Plain, login.CRAMMD5, true},
		{"it is about these", login.POP3, login.Plain, login.UserPass, false},
		{"and in submission too", login.SMTP, login.Plain, login.PLAIN, false},
	}},
	{"Dovecot: PLAIN denied", seemingDovecot("auth_mechanisms = login cram-md5\ndisable_plaintext_auth = no\n"), []came{
		{"USER and PASS are PLAIN", login.POP3, login.TLS, login.UserPass, false},
		{"in clear too", login.POP3, login.Plain, login.UserPass, false},
		{"LOGIN is another", login.POP3, login.Plain, login.LOGIN, true},
	}},
	{"Dovecot: TLS for challenges", seemingDovecot(`
auth_mechanisms = plain cram-md5 anonymous
disable_plaintext_auth = no
protocol submission {
  ssl = required
}
`), []came{
		{"ssl = required binds challenges", login.SMTP, login.Plain, login.CRAMMD5, false},
		{"and cleartext mechanisms with them", login.SMTP, login.Plain, login.PLAIN, false},
		{"of one protocol", login.POP3, login.Plain, login.PLAIN, true},
		{"submission lets nobody in by ANONYMOUS", login.SMTP, login.TLS, login.ANONYMOUS, false},
		{"POP3 does", login.POP3, login.TLS, login.ANONYMOUS, true},
	}},
	{"Postfix: a filter", seemingPostfix("plain login cram-md5 external", `
smtpd_sasl_mechanism_filter = plain, login, external
smtpd_sasl_security_options = noanonymous, noplaintext
`), []came{
		{"what the filter leaves out is hidden, and accepted", login.SMTP, login.StartTLS, login.CRAMMD5, true},
		{"noplaintext is about PLAIN", login.SMTP, login.Plain, login.PLAIN, false},
		{"and about LOGIN", login.SMTP, login.Plain, login.LOGIN, false},
		{"and not about challenges", login.SMTP, login.Plain, login.CRAMMD5, true},
		{"EXTERNAL is not supported, listed or not", login.SMTP, login.TLS, login.EXTERNAL, false},
	}},
	{"Exim: NTLM", seemingExim(eximOthers), []came{
		{"spa knows the older responses", login.SMTP, login.StartTLS, login.NTLM, true},
	}},
}

func TestCannotIsTrue(t *testing.T) {
	t.Parallel()
	for _, s := range seemings {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			up := s.stand(t)
			issued, err := up.clientPair(t)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range s.result {
				got, err := up.try(t, render.Cell{Protocol: want.protocol, Mechanism: want.mechanism}, want.transport, issued)
				if err != nil || got.accepted != want.accepted {
					t.Errorf("%s: %s %s on %s: want a login: %t, got %+v, %v", want.why, want.protocol, want.mechanism, want.transport,
						want.accepted, got, err)
				}
			}
		})
	}
}

// clientPair is what the account holds besides its password, from the site's own
// authority.
func (s *standing) clientPair(t *testing.T) (login.Issued, error) {
	t.Helper()
	pair, err := s.site.clientCertificate(login.Flawless)
	return login.Issued{Certificate: pair.CertPEM, Key: pair.KeyPEM}, err
}

// TestLacks: what a server is said not to have, it refuses to be configured for.
func TestLacks(t *testing.T) {
	t.Parallel()
	t.Run("exim", func(t *testing.T) {
		program := need(t, filepath.Join(eximFolder(), "usr/sbin/exim4"), "exim4-daemon-heavy exim4-base, unpacked by .ci/run")
		config := newSite(t, "lacks").write(t, "exim.conf", "begin authenticators\nscram:\n  driver = gsasl\n  public_name = SCRAM-SHA-256\n")
		out, err := exec.Command(program, "-C", config, "-bV").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "gsasl") {
			t.Errorf("it has gsasl: %v\n%s", err, out)
		}
	})
	for _, m := range []login.Mechanism{login.NTLM, login.SCRAMSHA1PLUS, login.SCRAMSHA256PLUS} {
		t.Run("dovecot/"+string(m), func(t *testing.T) {
			t.Parallel()
			program := need(t, "dovecot", "dovecot-pop3d")
			s := newSite(t, "lacks")
			s.writeDovecotUsers(t)
			auth := freeAddress(t, loopback)
			launch(t, program, "-F", "-c", s.write(t, "dovecot.conf", fmt.Sprintf(standingMailbox, s.folder, "plain "+string(m), "nobody",
				portOf(freeAddress(t, apart)), portOf(freeAddress(t, apart)), portOf(auth))))
			want := fmt.Sprintf("Unknown authentication mechanism '%s'", m)
			look := time.NewTicker(20 * time.Millisecond)
			defer look.Stop()
			for late := time.After(patience); ; {
				select {
				case <-look.C:
					// Whoever asks for it makes Dovecot start what reads the list.
					if c, err := net.Dial("tcp", auth); err == nil {
						_ = c.Close()
					}
					if text, err := os.ReadFile(s.path("dovecot.log")); err == nil && strings.Contains(string(text), want) {
						return
					}
				case <-late:
					t.Fatalf("the log does not say: %s", want)
				}
			}
		})
	}
}
