package mech

import (
	"crypto/hmac"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/xdg-go/scram"
)

// Hash is the one that SCRAM is built on. The zero value is none.
type Hash string

const (
	SHA1   Hash = "SHA-1"   // RFC 5802
	SHA256 Hash = "SHA-256" // RFC 7677
)

// DefaultRounds is how often a password is hashed before it is stored: the
// least that a server should ask for (RFC 5802 5.1, RFC 7677 3).
const DefaultRounds = 4096

// function is the hash as the library takes it.
func (h Hash) function() (scram.HashGeneratorFcn, error) {
	switch h {
	case SHA1:
		return scram.SHA1, nil
	case SHA256:
		return scram.SHA256, nil
	default:
		return nil, fmt.Errorf("SCRAM with the hash %q", string(h))
	}
}

// StoredKeys is what a server keeps in place of a password (RFC 5802 3). The
// zero value verifies nothing.
type StoredKeys struct {
	Salt                 []byte
	Rounds               int
	StoredKey, ServerKey []byte
}

// NewStoredKeys derives the keys of a password, prepared with SASLprep
// (RFC 5802 3, RFC 4013). An empty one has none.
func NewStoredKeys(hash Hash, password string, salt []byte, rounds int) (StoredKeys, error) {
	if password == "" || len(salt) == 0 || rounds < 1 {
		return StoredKeys{}, errors.New("stored keys need a password, a salt and at least one round")
	}
	client, err := saltedPasswords.client(hash, "", password, "", DefaultRounds)
	if err != nil {
		return StoredKeys{}, err
	}
	return client.keys(salt, rounds)
}

// Check reports whether a password is the one that the keys were derived from.
func (k StoredKeys) Check(hash Hash, password string) bool {
	derived, err := NewStoredKeys(hash, password, k.Salt, k.Rounds)
	return err == nil && hmac.Equal(derived.StoredKey, k.StoredKey)
}

// proven reports whether a client proved with proof, in the exchange that
// authMessage sums up, that it knows the password (RFC 5802 3).
func (k StoredKeys) proven(hash Hash, authMessage string, proof []byte) bool {
	function, err := hash.function()
	if err != nil {
		return false
	}
	signature := hmac.New(function, k.StoredKey)
	signature.Write([]byte(authMessage))
	clientKey := signature.Sum(nil)
	if len(proof) != len(clientKey) {
		return false
	}
	subtle.XORBytes(clientKey, clientKey, proof)
	storedKey := function()
	storedKey.Write(clientKey)
	return hmac.Equal(storedKey.Sum(nil), k.StoredKey)
}
