package mech

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/xdg-go/scram"
)

// saltedPasswords spares the process from hashing the same password again and
// again: 4,096 rounds cost more than a TLS handshake, and a run makes
// thousands of logins.
var saltedPasswords = scramMemo{clients: map[[sha256.Size]byte]*scramCredentials{}}

// memoUses bounds the memo. Every use can add one salt to what a client of the
// library remembers, and nobody can ask it how many they are; so uses are
// counted, and after so many everything is forgotten.
const memoUses = 1 << 14

// scramMemo keeps the library's clients, which remember the keys that they
// derived, by a digest of whose they are: no password is a key of it.
type scramMemo struct {
	mu      sync.Mutex
	uses    int
	clients map[[sha256.Size]byte]*scramCredentials
}

// client finds or makes the one for these credentials, which wants so many
// rounds at least. The error is SASLprep's, which rejects some texts (RFC 4013 2.3 to 2.5).
func (m *scramMemo) client(hash Hash, username, password, authzid string, rounds int) (*scramCredentials, error) {
	function, err := hash.function()
	if err != nil {
		return nil, err
	}
	whose := sha256.Sum256(fmt.Appendf(nil, "%q %d", []string{string(hash), username, password, authzid}, rounds))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.uses++; m.uses > memoUses {
		m.uses = 1
		clear(m.clients)
	}
	if known, ok := m.clients[whose]; ok {
		return known, nil
	}
	client, err := function.NewClient(username, password, authzid)
	if err != nil {
		return nil, err
	}
	m.clients[whose] = &scramCredentials{client: client.WithMinIterations(rounds)}
	return m.clients[whose], nil
}

// scramCredentials is a client of the library in the hands of many. The lock
// is held while it works: a conversation takes its nonce from the client, which
// has one source at a time, and two that need the same keys shall not both
// derive them.
type scramCredentials struct {
	mu     sync.Mutex
	client *scram.Client
}

// begin opens a conversation with this nonce, and returns its first message.
func (c *scramCredentials) begin(nonce string, open func(*scram.Client) *scram.ClientConversation) (*scram.ClientConversation, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conversation := open(c.client.WithNonceGenerator(func() string { return nonce }))
	first, err := conversation.Step("")
	return conversation, first, err
}

// prove answers the server's first message.
func (c *scramCredentials) prove(conversation *scram.ClientConversation, serverFirst string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return conversation.Step(serverFirst)
}

func (c *scramCredentials) keys(salt []byte, rounds int) (StoredKeys, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys, err := c.client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: rounds})
	if err != nil {
		return StoredKeys{}, err
	}
	// Copies: what the library remembers is nobody's to change.
	return StoredKeys{Salt: bytes.Clone(salt), Rounds: rounds,
		StoredKey: bytes.Clone(keys.StoredKey), ServerKey: bytes.Clone(keys.ServerKey)}, nil
}
