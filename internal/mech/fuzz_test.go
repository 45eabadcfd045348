package mech

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// FuzzServers says three messages to the server half of each mechanism. None
// may fall over, none may take as its own failure what the client got wrong,
// and nobody gets in who knows nothing.
func FuzzServers(f *testing.F) {
	for i := range All() {
		f.Add(uint8(i), []byte(nil), []byte("n,,n=alice,r=abcdefghijklmnop"), []byte("c=biws,r=x,p=AAAA"))
		f.Add(uint8(i), []byte("alice"), []byte("alice 0123456789abcdef0123456789abcdef"), []byte{1})
	}
	world := newKerberosWorld(f)
	_, ticket, err := GSSAPI.Client(world.client(f, "alice", login.Flawless)).Start()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(slices.Index(Names(), login.GSSAPI)), ticket, []byte{}, []byte{1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, which uint8, first, second, third []byte) {
		m := All()[int(which)%len(All())]
		config := testConfig("alice", "a password that is not to be guessed")
		config.Kerberos = world.realm.Service(time.Now)
		config.Now = func() time.Time { return time.Unix(1_800_000_000, 0) }
		half := m.Server(config)
		for _, message := range [][]byte{first, second, third} {
			_, done, err := half.Next(message)
			switch {
			case err == nil && done && m.Name != login.ANONYMOUS:
				t.Fatalf("%s: let in after %q", m.Name, message)
			case err != nil && !errors.Is(err, ErrCredentials) && !errors.Is(err, ErrMalformed):
				t.Fatalf("%s: %v is no answer of a server half", m.Name, err)
			}
			if done || err != nil {
				break
			}
		}
	})
}
