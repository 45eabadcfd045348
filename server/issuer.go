package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/mech/kerberos"
)

// Realm is the Kerberos realm of the reference server. RFC 2606 keeps the
// name free.
const Realm = "EXAMPLE.TEST"

// issuer is everything that a server checks besides passwords, and what makes
// it: tokens, client certificates, Kerberos tickets; and the secret behind the
// salts of SCRAM. Servers share one.
type issuer struct {
	tokens  *tokenIssuer
	clients *clientAuthority
	realm   *kerberos.Realm
	service *kerberos.Service
	now     func() time.Time
	secret  [sha256.Size]byte
}

func newIssuer(identity string, now func() time.Time) (*issuer, error) {
	i := &issuer{now: now}
	if _, err := io.ReadFull(rand.Reader, i.secret[:]); err != nil {
		return nil, err
	}
	var err error
	if i.tokens, err = newTokenIssuer(identity, now); err != nil {
		return nil, fmt.Errorf("token issuer: %w", err)
	}
	if i.clients, err = newClientAuthority(now); err != nil {
		return nil, fmt.Errorf("authority of client certificates: %w", err)
	}
	if i.realm, err = kerberos.NewRealm(Realm, identity); err != nil {
		return nil, fmt.Errorf("realm: %w", err)
	}
	i.service = i.realm.Service(now)
	return i, nil
}

// issue makes what account can log in with in place of a password. What cannot
// have the flaw is left out.
func (i *issuer) issue(account string, flaw login.Flaw) (login.Issued, error) {
	var issued login.Issued
	var err error
	if issued.Token, err = i.tokens.issue(account, flaw); err != nil || flaw == login.Narrow {
		return issued, err
	}
	if issued.Certificate, issued.Key, err = i.clients.issue(account, flaw); err != nil {
		return issued, err
	}
	issued.Tickets = map[login.Protocol]login.Ticket{}
	for _, p := range login.Protocols() {
		if issued.Tickets[p], err = i.realm.Mint(account, p, i.now(), flaw); err != nil {
			return issued, err
		}
	}
	return issued, nil
}

// salt is the same for a name whenever it is asked for, so that a name which
// nobody has cannot be told from one that somebody has.
func (i *issuer) salt(hash mech.Hash, name string) []byte {
	return i.derive("salt", string(hash), name)[:16]
}

// noKeys verify nothing, and look like any others.
func (i *issuer) noKeys(hash mech.Hash, name string, rounds int) mech.StoredKeys {
	return mech.StoredKeys{Salt: i.salt(hash, name), Rounds: rounds,
		StoredKey: i.derive("stored", string(hash), name), ServerKey: i.derive("server", string(hash), name)}
}

func (i *issuer) derive(parts ...string) []byte {
	mac := hmac.New(sha256.New, i.secret[:])
	for _, part := range parts {
		_, _ = fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return mac.Sum(nil)
}
