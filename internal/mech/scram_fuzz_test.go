package mech

import (
	"errors"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func FuzzScramFirst(f *testing.F) {
	for _, seed := range []string{"n,,n=user,r=abc", "y,a=us=2Cer,n=us=3Der,r=abc,x=1", "p=tls-exporter,,n=u,r=a", "n,,m=1,n=u,r=a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		m, err := parseScramFirst(message)
		if err != nil {
			return
		}
		quote := strings.NewReplacer("=", "=3D", ",", "=2C").Replace
		flag, authzid := m.flag, ""
		if m.binding != "" {
			flag += "=" + string(m.binding)
		}
		if m.authzid != "" {
			authzid = "a=" + quote(m.authzid)
		}
		if want := flag + "," + authzid + ",n=" + quote(m.username) + ",r="; !strings.HasPrefix(message, want) {
			t.Errorf("%q is read as %q", message, want)
		}
	})
}

func FuzzScramChallenge(f *testing.F) {
	for _, seed := range []string{"r=abcdef,s=c2FsdA==,i=4096", "r=abcdef,s=c2FsdA==,i=4096,x=1", "m=1,r=a,s=AA==,i=1", "e=other-error"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		m, err := parseScramChallenge(message)
		if err == nil && (m.nonce == "" || len(m.salt) == 0 || m.rounds < 1 || m.rounds > mostRounds) {
			t.Errorf("%q is read as %+v", message, m)
		}
	})
}

func FuzzScramFinal(f *testing.F) {
	for _, seed := range []string{"c=biws,r=abcdef,p=AAAA", "c=biws,r=abcdef,x=1,p=AAAA", "c=biws,r=abcdef,m=1,p=AAAA", "c=,r=,p="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		m, err := parseScramFinal(message)
		if err == nil && (len(m.proof) == 0 || !strings.HasPrefix(message, m.withoutProof+",p=")) {
			t.Errorf("%q is read as %+v", message, m)
		}
	})
}

// Whatever a client says, a server whose keys it does not have refuses it,
// with an error of a server half; and a listener's guess does not fall over.
func FuzzScramServer(f *testing.F) {
	nonce := "3rfcNHYJY1ZVvWVs7j"
	f.Add(uint8(0), []byte("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"), []byte("c=biws,r=fyko+d2lbbFgONRv9qkxdawL"+nonce+",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="))
	f.Add(uint8(1), []byte("p=tls-exporter,,n=user,r=abc"), []byte("c=cD10bHMtZXhwb3J0ZXIsLA==,r=abc"+nonce+",p=AAAA"))
	f.Add(uint8(2), []byte("y,a=user,n=user,r=abc,x=1"), []byte("c=eSxhPXVzZXIs,r=abc"+nonce+",x=1,p=AAAA"))
	f.Add(uint8(3), []byte("p=tls-unique,,n=us=2Cer,r=abc"), []byte(""))
	config := testConfig("user", "another password")
	config.TLS, config.PlusListed = tls13().server, false
	f.Fuzz(func(t *testing.T, which uint8, first, final []byte) {
		impl := scrams[int(which)%len(scrams)]
		server := impl.Server(config)
		server.(*scramServer).nonce = nonce
		challenge, done, err := server.Next(first)
		if err == nil {
			if done {
				t.Fatalf("accepted after %q", first)
			}
			impl.Cracks([][]byte{first}, [][]byte{challenge}, final, "guess")
			if _, done, err = server.Next(final); err == nil || !done {
				t.Fatalf("accepted: %q, %q", first, final)
			}
		}
		if !errors.Is(err, ErrCredentials) && !errors.Is(err, ErrMalformed) {
			t.Errorf("%q, %q: %v is no answer of a server half", first, final, err)
		}
		if _, done, err := server.Next([]byte{}); !done || !errors.Is(err, ErrMalformed) {
			t.Errorf("after the end: done %v, %v", done, err)
		}
	})
}

// Whatever a server says, a client believes none that has not the keys.
func FuzzScramClient(f *testing.F) {
	f.Add([]byte("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"), []byte("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="))
	f.Add([]byte("r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4096,x=1"), []byte("e=invalid-proof"))
	f.Fuzz(func(t *testing.T, challenge, last []byte) {
		if m, err := parseScramChallenge(string(challenge)); err == nil && m.rounds > 2*DefaultRounds {
			t.Skip("a great number of rounds only takes time")
		}
		c := &scramClient{scramVariant: scramVariant{name: login.SCRAMSHA1, hash: SHA1}, nonce: "fyko+d2lbbFgONRv9qkxdawL",
			config: testClient("user", "another password")}
		if _, _, err := c.Start(); err != nil {
			t.Fatal(err)
		}
		answer, err := c.Next(challenge)
		if err != nil {
			return
		}
		if _, err := parseScramFinal(string(answer)); err != nil {
			t.Errorf("%q makes it say %q", challenge, answer)
		}
		if _, err := c.Next(last); err == nil {
			t.Errorf("believed: %q, %q", challenge, last)
		}
	})
}
