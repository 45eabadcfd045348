package interop

import (
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestPeersVerify: a peer that is told to trust somebody else sends nothing.
// So the logins inside TLS are logins to a server that was recognised.
func TestPeersVerify(t *testing.T) {
	stranger, err := certs.NewAuthority("another authority", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []peer{curl, swaks, msmtp, mpop} {
		for protocol, ways := range p.has {
			for _, transport := range ways.transports {
				if !transport.Encrypted() {
					continue
				}
				a := attempt{login.Modern, protocol, transport, login.PLAIN, login.Secure, login.WithAccount}
				t.Run(p.program+"/"+a.String(), func(t *testing.T) {
					program := need(t, p.program, p.debian)
					t.Parallel()
					r := start(t, a.setup())
					r.ca = write(t, t.TempDir(), "ca.pem", string(stranger.PEM()))
					got := p.login(t, program, a, r)
					if got.status == 0 || r.accepted.Load() == 0 || len(r.Record()) > 0 {
						t.Errorf("want a refused certificate, got %+v and %v", r.Record(), got)
					}
				})
			}
		}
	}
}
