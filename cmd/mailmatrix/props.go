package main

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/server"
)

// props are what serve makes for the occasion: an account, and certificates
// unless the user has some; on disk, in a folder that only the user can read,
// is what clients need of them.
type props struct {
	folder       string
	ca           string // file with what clients have to trust
	account      login.Account
	certificates []tls.Certificate
}

// newProps makes them for a server of that setup.
func newProps(config serveConfig, setup login.Setup) (*props, error) {
	folder, err := os.MkdirTemp("", "mailmatrix-") // 0700
	if err != nil {
		return nil, err
	}
	p := &props{folder: folder}
	if err := p.fill(config, setup); err != nil {
		return nil, errors.Join(err, p.remove())
	}
	return p, nil
}

func (p *props) fill(config serveConfig, setup login.Setup) error {
	identity := setup.Identity
	p.account = login.Account{Name: "alice", Password: strings.ToLower(rand.Text())}
	netrc := fmt.Sprintf("machine %s login %s password %s\n", identity, p.account.Name, p.account.Password)
	for name, text := range map[string]string{"password": p.account.Password + "\n", "netrc": netrc} {
		if err := p.write(name, []byte(text)); err != nil {
			return err
		}
	}
	if config.Certificate != "" || config.Key != "" {
		p.ca = config.Certificate
		return p.load(config.Certificate, config.Key)
	}
	p.ca = p.path("ca.pem")
	return p.issue(leafOf(setup.Certificate.Kind, identity))
}

// load takes the user's certificate.
func (p *props) load(certificate, key string) error {
	if certificate == "" || key == "" {
		return errors.New("a certificate needs its key: give both --certificate FILE and --key FILE")
	}
	certPEM, err := os.ReadFile(certificate) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	keyPEM, err := os.ReadFile(key) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	loaded, err := certs.Load(certPEM, keyPEM, time.Now())
	if err != nil {
		return fmt.Errorf("%s, %s: %w", certificate, key, err)
	}
	p.certificates = []tls.Certificate{loaded}
	return nil
}

// issue makes an authority and what it signs: one leaf for today's clients,
// one for those that know RSA only. No key of either reaches the disk.
func (p *props) issue(leaf certs.Leaf) error {
	authority, err := certs.NewAuthority("mailmatrix serve", time.Now())
	if err != nil {
		return err
	}
	for _, kind := range []certs.KeyKind{certs.ECDSA, certs.RSA} {
		leaf.Key = kind
		pair, err := authority.Issue(leaf)
		if err != nil {
			return err
		}
		certificate, err := pair.TLS()
		if err != nil {
			return err
		}
		p.certificates = append(p.certificates, certificate)
	}
	return p.write("ca.pem", authority.PEM())
}

// hand puts into the folder what the server gives out in place of a password.
func (p *props) hand(s *server.Server) error {
	issued, err := s.Issue(p.account.Name, login.Flawless)
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"token": []byte(issued.Token + "\n"), "client.pem": issued.Certificate, "client.key": issued.Key} {
		if err := p.write(name, data); err != nil {
			return err
		}
	}
	return nil
}

func (p *props) path(name string) string { return filepath.Join(p.folder, name) }

func (p *props) write(name string, data []byte) error {
	return os.WriteFile(p.path(name), data, privateFile)
}

func (p *props) remove() error { return os.RemoveAll(p.folder) }
