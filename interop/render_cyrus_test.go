package interop

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness/policy/render"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// byStart are the mechanisms whose logins nobody can complete here, because the
// accounts of Cyrus SASL's own database are made by a program of a package that
// nothing else needs. They are tried as far as they go.
var byStart = map[string][]login.Mechanism{
	"postfix+cyrus": {login.CRAMMD5, login.DIGESTMD5, login.SCRAMSHA1, login.SCRAMSHA256, login.NTLM},
}

// renderedCyrus is Postfix with Cyrus SASL, whose passwords a stand-in for its
// saslauthd knows. Where the files are is all that is changed of the pieces.
func renderedCyrus(t *testing.T, r render.Rendered, _ *realmOfTickets) *standing {
	t.Helper()
	master := need(t, "/usr/lib/postfix/sbin/master", "postfix")
	needFile(t, "/usr/lib/x86_64-linux-gnu/sasl2/libscram.so", "libsasl2-modules")
	s := newPostfixSite(t)
	s.answersSASL(t)
	s.makeFolder(t, "sasl", "postfix")
	main := r.Pieces[0].Text + fmt.Sprintf("cyrus_sasl_config_path = %s\n", s.path("sasl"))
	smtpd := fmt.Sprintf("pwcheck_method: saslauthd\nsaslauthd_path: %s\n", s.path("mux"))
	if len(r.Pieces) > 1 {
		smtpd += r.Pieces[1].Text
	}
	s.write(t, filepath.Join("sasl", "smtpd.conf"), smtpd)
	s.give(t, filepath.Join("sasl", "smtpd.conf"), "postfix")
	p := &standing{name: "postfix+cyrus", about: []login.Protocol{login.SMTP}, site: s, policy: r.Effective, issues: s.issuesCertificates}
	p.startPostfix(t, master, main)
	p.awaits(t, s.path("log"))
	return p
}

// issuesCertificates gives out nothing else.
func (s *site) issuesCertificates(flaw login.Flaw) (login.Issued, error) {
	pair, err := s.clientCertificate(flaw)
	return login.Issued{Certificate: pair.CertPEM, Key: pair.KeyPEM}, err
}

// newPostfixSite has the folders that Postfix wants to be there.
func newPostfixSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, "rendered")
	s.write(t, "boxes", "")
	s.give(t, "boxes", "postfix")
	s.makeFolder(t, "data", "postfix")
	s.makeFolder(t, "queue", "root")
	for _, name := range postfixQueues {
		s.makeFolder(t, filepath.Join("queue", name), "postfix")
	}
	if err := os.Chmod(s.path("queue"), 0o755); err != nil { //nolint:gosec // Postfix's own user looks into it
		t.Fatal(err)
	}
	return s
}

// startPostfix adds the piece to main.cf, and the doors to the server's.
func (s *standing) startPostfix(t *testing.T, master, piece string) {
	t.Helper()
	clear, implicit := freeAddress(t, loopback), freeAddress(t, loopback)
	s.doors = map[login.Protocol]map[login.Transport]string{login.SMTP: twoDoors(clear, implicit)}
	s.site.write(t, "main.cf", fmt.Sprintf(standingPostfixMain, s.site.folder, identity, login.DefaultDomain, "")+piece)
	s.site.write(t, "master.cf", fmt.Sprintf(standingPostfixMaster, clear, implicit))
	launch(t, master, "-c", s.site.folder, "-s")
}

// answersSASL stands in for saslauthd: name, password, service and realm come,
// each behind its length in two octets, and OK or NO goes.
func (s *site) answersSASL(t *testing.T) {
	t.Helper()
	l, err := net.Listen("unix", s.path("mux"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.path("mux"), 0o777); err != nil { //nolint:gosec // Postfix's own user asks
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.answerSASL(c)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
}

func (s *site) answerSASL(c net.Conn) {
	defer func() { _ = c.Close() }()
	var said [4]string
	for i := range said {
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		text := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, text); err != nil {
			return
		}
		said[i] = string(text)
	}
	answer := "NO"
	if name, _, _ := strings.Cut(said[0], "@"); name == s.account.Name && said[1] == s.account.Password {
		answer = "OK"
	}
	_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)) //nolint:gosec // two octets
}
