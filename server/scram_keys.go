package server

import (
	"crypto/rand"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// keyOf names the keys of an account: they are made of its own password, or of
// its override password.
type keyOf struct {
	hash     mech.Hash
	account  string
	override bool
}

// makeKeys makes what SCRAM checks, where it can be asked for: at the start, so
// that no login takes the time, which would tell who has an account. Who has a
// password that SASLprep forbids gets none: nobody can prove it.
func (s *Server) makeKeys() {
	s.keys = map[keyOf]mech.StoredKeys{}
	if !s.needsKeys() {
		return
	}
	for _, account := range s.setup.Accounts {
		for _, hash := range []mech.Hash{mech.SHA1, mech.SHA256} {
			for override, password := range map[bool]string{false: account.Password, true: account.Override} {
				if keys, err := mech.NewStoredKeys(hash, password, s.salt(hash, account.Name), s.rounds()); err == nil && password != "" {
					s.keys[keyOf{hash, account.Name, override}] = keys
				}
			}
		}
	}
}

func (s *Server) needsKeys() bool {
	if s.setup.Database == login.SCRAMKeys {
		return true
	}
	for _, p := range login.Protocols() {
		for _, m := range mechanisms {
			if isSCRAM(m.Name) && s.setup.Policy.For(p, m.Name) != login.Deny {
				return true
			}
		}
	}
	return false
}

// salt is the same for all names of an account, whenever it is asked for, and
// for a name that nobody has as well: whoever asks learns nothing (rule 3).
func (s *Server) salt(hash mech.Hash, name string) []byte {
	return s.issuer.salt(hash, s.accounts.canonical(name))
}

// keysFor finds SCRAM's keys; of an unknown name they verify nothing.
func (a *attempt) keysFor(name string, hash mech.Hash) (mech.StoredKeys, bool) {
	s := a.session.server
	if account, known := a.find(name); known {
		override := s.checksOverride(a.session.protocol, a.mechanism, account.Override != "")
		if keys, ok := s.keys[keyOf{hash, account.Name, override}]; ok {
			return keys, true
		}
	} else if s.bug(SaltOfNobody) {
		name += rand.Text()
	}
	return s.issuer.noKeys(hash, s.accounts.canonical(name), s.rounds()), false
}

// rounds is SCRAM's iteration count (RFC 7677 3: at least 4,096).
func (s *Server) rounds() int {
	if s.bug(FewRounds) {
		return mech.DefaultRounds / 4
	}
	return mech.DefaultRounds
}

// isSCRAM: the four forms.
func isSCRAM(m login.Mechanism) bool { return strings.HasPrefix(string(m), "SCRAM-") }
