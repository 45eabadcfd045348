package kerberos

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// serviceNames are the first component of a service's principal (RFC 4954 4,
// RFC 5034 4).
var serviceNames = map[login.Protocol]string{login.SMTP: "smtp", login.POP3: "pop"}

// serviceKey is one key of one service.
type serviceKey struct {
	realm     string
	principal []string // service and host
	version   uint32
	key       types.EncryptionKey
}

// readKeytab takes the keys of mail services out of a file as MIT's kadmin
// writes it. What the library says of a bad file may quote it, and so a key.
func readKeytab(file []byte) ([]serviceKey, error) {
	var table keytab.Keytab
	if err := table.Unmarshal(file); err != nil {
		return nil, errors.New("kerberos: this is no keytab")
	}
	var keys []serviceKey
	mail := slices.Collect(maps.Values(serviceNames))
	for _, e := range table.Entries {
		if usable(e.Key) && len(e.Principal.Components) == 2 && slices.Contains(mail, e.Principal.Components[0]) {
			keys = append(keys, serviceKey{e.Principal.Realm, e.Principal.Components, e.KVNO, e.Key})
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("kerberos: the keytab has no AES key of smtp/HOST or pop/HOST")
	}
	// A ticket without a version is tried with the newest key.
	slices.SortStableFunc(keys, func(a, b serviceKey) int { return cmp.Compare(b.version, a.version) })
	return keys, nil
}

// keyFor finds the key that a ticket for the protocol's service was made with.
// A ticket may leave the key's version out (RFC 4120 5.2.9).
func keyFor(keys []serviceKey, p login.Protocol, t messages.Ticket) (types.EncryptionKey, error) {
	ours := false
	for _, k := range keys {
		if k.principal[0] != serviceNames[p] || k.realm != t.Realm || !slices.Equal(k.principal, t.SName.NameString) {
			continue
		}
		ours = true
		if k.key.KeyType == t.EncPart.EType && (t.EncPart.KVNO == 0 || int64(k.version) == int64(t.EncPart.KVNO)) {
			return k.key, nil
		}
	}
	if !ours {
		return types.EncryptionKey{}, fmt.Errorf("%w: ticket: for another service, %.80q", ErrRefused, t.SName.PrincipalNameString()+"@"+t.Realm)
	}
	return types.EncryptionKey{}, fmt.Errorf("%w: ticket: this service has no key of version %d and type %d",
		ErrRefused, t.EncPart.KVNO, t.EncPart.EType)
}
