package kerberos

import (
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// skew is how far two clocks may differ (RFC 4120 8.2).
const skew = 5 * time.Minute

// Service accepts tickets with the keys of mail services. The zero value has
// none and accepts nothing. It may be used by many at once.
type Service struct {
	keys []serviceKey
	now  func() time.Time
	seen replays
}

// NewService takes the keys from the octets of a keytab file. The clock says
// which tickets are good.
func NewService(keytab []byte, now func() time.Time) (*Service, error) {
	keys, err := readKeytab(keytab)
	if err != nil {
		return nil, err
	}
	return &Service{keys: keys, now: now}, nil
}

// Accepted is what the service knows of a client that proved itself.
type Accepted struct {
	// Client is the principal, by its components; it is of the service's own
	// realm. There is at least one.
	Client []string
	// Reply is the token that proves the service to the client; nil where the
	// client did not ask for it.
	Reply   []byte
	Context *Context
}

// errNoKey is no refusal: nobody should have asked.
var errNoKey = errors.New("kerberos: there is no service key")

// Accept judges a client's first token (RFC 4120 3.2.3) that came over p.
func (s *Service) Accept(token []byte, p login.Protocol) (*Accepted, error) {
	if s == nil {
		return nil, errNoKey
	}
	sealed, err := parseRequest(token)
	if err != nil {
		return nil, err
	}
	key, err := keyFor(s.keys, p, sealed.Ticket)
	if err != nil {
		return nil, err
	}
	r, err := openRequest(sealed, key)
	if err != nil {
		return nil, err
	}
	now := s.now()
	if err := r.check(sealed.Ticket.Realm, now); err != nil {
		return nil, err
	}
	// Last, for what is refused anyhow needs no place in the memory.
	switch again, err := s.seen.again(sealed.EncryptedAuthenticator.Cipher, now); {
	case err != nil:
		return nil, err
	case again:
		return nil, fmt.Errorf("%w: authenticator: a replay", ErrRefused)
	}
	return r.accept()
}

// accept makes this side's context, and the reply where one is wanted.
func (r request) accept() (*Accepted, error) {
	a := r.authenticator
	c := &Context{key: r.ticket.Key, acceptor: true}
	if a.SubKey.KeyType != 0 || len(a.SubKey.KeyValue) > 0 { // RFC 4121 2: it comes before the session key
		c.key = a.SubKey
	}
	if !usable(c.key) {
		return nil, fmt.Errorf("%w: authenticator: its subkey is of type %d", ErrRefused, c.key.KeyType)
	}
	c.receive = sequence(a.SeqNumber)
	c.send = c.receive // without a reply, both sides count from the same number
	accepted := &Accepted{Client: r.ticket.CName.NameString, Context: c}
	if !r.mutual {
		return accepted, nil
	}
	first, err := firstSequence(rand.Reader)
	if err != nil {
		return nil, err
	}
	c.send = sequence(first)
	accepted.Reply, err = r.reply(first)
	return accepted, err
}

// reply is the AP-REP: the client's own time, in the key that only the
// service could take from the ticket (RFC 4120 3.2.4). It asserts no subkey:
// to send the client's back, as some do, Windows does not bear.
func (r request) reply(sequence int64) ([]byte, error) {
	part, err := asn1.Marshal(messages.EncAPRepPart{
		CTime: r.authenticator.CTime, Cusec: r.authenticator.Cusec, SequenceNumber: sequence})
	if err != nil {
		return nil, err
	}
	sealed, err := encrypt(asn1tools.AddASNAppTag(part, asnAppTag.EncAPRepPart), r.ticket.Key, keyusage.AP_REP_ENCPART)
	if err != nil {
		return nil, err
	}
	message, err := marshalReply(sealed)
	if err != nil {
		return nil, err
	}
	return frame(idReply, message)
}

// marshalReply encodes an AP-REP (RFC 4120 5.5.2), which the library only
// reads.
func marshalReply(sealed types.EncryptedData) ([]byte, error) {
	message, err := asn1.Marshal(messages.APRep{PVNO: iana.PVNO, MsgType: msgtype.KRB_AP_REP, EncPart: sealed})
	return asn1tools.AddASNAppTag(message, asnAppTag.APREP), err
}
