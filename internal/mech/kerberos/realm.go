package kerberos

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Realm mints tickets for the mail services of one host. It knows their keys,
// which is all that a KDC's word is good for.
type Realm struct {
	name, host string
	minting    *keytab.Keytab
	accepting  []serviceKey // the same
}

// lifetime is how long a ticket is good for, as a KDC would have it.
const lifetime = 10 * time.Hour

// NewRealm makes new keys for smtp/HOST and pop/HOST.
func NewRealm(name, host string) (*Realm, error) {
	r := &Realm{name: name, host: host}
	var err error
	if r.minting, err = newKeys(name, host); err != nil {
		return nil, err
	}
	file, err := r.minting.Marshal()
	if err != nil {
		return nil, err
	}
	r.accepting, err = readKeytab(file)
	return r, err
}

// newKeys makes keys of passwords that nobody knows: the library has no
// shorter way.
func newKeys(realm, host string) (*keytab.Keytab, error) {
	keys := keytab.New()
	for _, service := range serviceNames {
		err := keys.AddEntry(service+"/"+host, realm, rand.Text(), time.Unix(0, 0), 1, etypeID.AES256_CTS_HMAC_SHA1_96)
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// Service makes one that accepts what the realm mints, and has seen nothing
// yet.
func (r *Realm) Service(now func() time.Time) *Service {
	return &Service{keys: r.accepting, now: now}
}

// elsewhere is the service that a ticket is for which is not for this one.
var elsewhere = map[login.Protocol]login.Protocol{login.SMTP: login.POP3, login.POP3: login.SMTP}

// Mint makes a ticket with which the client can log in to the protocol's
// service, or cannot, because of the flaw. The client is a principal without
// its realm, such as "alice".
func (r *Realm) Mint(client string, p login.Protocol, now time.Time, flaw login.Flaw) (login.Ticket, error) {
	start, keys := now, r.minting
	switch flaw {
	case login.Flawless:
	case login.Expired:
		start = now.Add(-2 * lifetime)
	case login.Elsewhere:
		p = elsewhere[p]
	case login.Forged:
		var err error
		if keys, err = newKeys(r.name, r.host); err != nil {
			return login.Ticket{}, err
		}
	default:
		return login.Ticket{}, fmt.Errorf("kerberos: no ticket is %s", flaw)
	}
	start = start.UTC().Truncate(time.Second)
	service := types.NewPrincipalName(nametype.KRB_NT_SRV_HST, serviceNames[p]+"/"+r.host)
	ticket, session, err := messages.NewTicket(principal(client), r.name, service, r.name,
		types.NewKrbFlags(), keys, etypeID.AES256_CTS_HMAC_SHA1_96, 1, start, start, start.Add(lifetime), time.Time{})
	if err != nil {
		return login.Ticket{}, err
	}
	return FromKDC(client, ticket, session)
}
