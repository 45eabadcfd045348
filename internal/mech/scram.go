package mech

import (
	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// SCRAM proves the password by keys that are derived from it and a salt, and
// has the server prove that it has them (RFC 5802). In the -PLUS forms the
// proof holds on one TLS connection only.
var (
	SCRAMSHA1       = scramVariant{name: login.SCRAMSHA1, hash: SHA1}.register("RFC 5802")
	SCRAMSHA1PLUS   = scramVariant{name: login.SCRAMSHA1PLUS, hash: SHA1, plus: true}.register("RFC 5802", "RFC 5929", "RFC 9266")
	SCRAMSHA256     = scramVariant{name: login.SCRAMSHA256, hash: SHA256}.register("RFC 5802", "RFC 7677")
	SCRAMSHA256PLUS = scramVariant{name: login.SCRAMSHA256PLUS, hash: SHA256, plus: true}.register("RFC 5802", "RFC 7677", "RFC 5929", "RFC 9266")
)

// scramVariant is what the four differ in.
type scramVariant struct {
	name login.Mechanism
	hash Hash
	plus bool // bound to the TLS connection
}

func (v scramVariant) register(refs ...string) Impl {
	return register(Impl{
		Traits: login.Traits{Name: v.name, Class: login.ShowsVerifier, ClientFirst: true, NeedsTLS: v.plus, Protocols: both, Refs: refs, Compared: v.compared()},
		Client: func(c ClientConfig) sasl.Client {
			return &scramClient{scramVariant: v, config: c, unable: errNotStarted}
		},
		Server: func(c ServerConfig) Server { return newScramServer(v, c) },
		Cracks: v.cracks,
	})
}

func (v scramVariant) compared() login.Comparison {
	c := login.Comparison{
		Status:    "Proposed Standard",
		Cracking:  "4,096 HMAC-" + string(v.hash) + " or more",
		Malicious: relayable,
		Stolen:    "must crack the keys first, or hear one login; can pose as the server",
		Mutual:    "by a signature that takes the stored keys",
	}
	if v.plus {
		c.Malicious = "a proof to crack" + "; it cannot be relayed"
		c.Binding = "tls-exporter with TLS 1.3, tls-unique before, or tls-server-end-point"
	}
	return c
}

// cracks tests a guess as a server would: all that goes into the proof beside
// the password was on the wire.
func (v scramVariant) cracks(said, challenges [][]byte, message []byte, secret string) bool {
	final, err := parseScramFinal(string(message))
	if err != nil {
		return false
	}
	for _, s := range said {
		first, err := parseScramFirst(string(s))
		if err != nil {
			continue
		}
		for _, c := range challenges {
			challenge, err := parseScramChallenge(string(c))
			if err != nil {
				continue
			}
			keys, err := NewStoredKeys(v.hash, secret, challenge.salt, challenge.rounds)
			authMessage := first.bare + "," + string(c) + "," + final.withoutProof // RFC 5802 3
			if err == nil && keys.proven(v.hash, authMessage, final.proof) {
				return true
			}
		}
	}
	return false
}
