package kerberos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Initiator is the client's side. It always asks the service to prove itself.
type Initiator struct {
	session       types.EncryptionKey // the ticket's
	authenticator types.Authenticator
	token         []byte
}

// Initiate makes a client's first token from a ticket (RFC 4120 3.2.2). The
// subkey and the first sequence number are taken from random.
func Initiate(t login.Ticket, now time.Time, random io.Reader) (*Initiator, error) {
	ticket, session, err := open(t)
	if err != nil {
		return nil, err
	}
	i := &Initiator{session: session}
	if i.authenticator, err = authenticate(t, now, random); err != nil {
		return nil, err
	}
	part, err := i.authenticator.Marshal()
	if err != nil {
		return nil, err
	}
	request := messages.APReq{PVNO: iana.PVNO, MsgType: msgtype.KRB_AP_REQ, APOptions: types.NewKrbFlags(), Ticket: ticket}
	types.SetFlag(&request.APOptions, flags.APOptionMutualRequired)
	if request.EncryptedAuthenticator, err = encrypt(part, session, keyusage.AP_REQ_AUTHENTICATOR); err != nil {
		return nil, err
	}
	message, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	i.token, err = frame(idRequest, message)
	return i, err
}

// authenticate says who asks, and when (RFC 4120 5.5.1).
func authenticate(t login.Ticket, now time.Time, random io.Reader) (types.Authenticator, error) {
	subkey := make([]byte, len(t.Key))
	if _, err := io.ReadFull(random, subkey); err != nil {
		return types.Authenticator{}, err
	}
	first, err := firstSequence(random)
	if err != nil {
		return types.Authenticator{}, err
	}
	now = now.UTC()
	return types.Authenticator{
		AVNO: iana.PVNO, CRealm: t.Realm, CName: principal(t.Client),
		Cksum: contextChecksum(flagMutual | flagIntegrity),
		CTime: now.Truncate(time.Second), Cusec: now.Nanosecond() / 1000,
		SubKey:    types.EncryptionKey{KeyType: t.KeyType, KeyValue: subkey},
		SeqNumber: first,
	}, nil
}

// Token is what the client sends.
func (i *Initiator) Token() []byte { return i.token }

// Finish reads the service's reply. Only who could open the ticket can have
// written the client's time back (RFC 4120 3.2.5).
func (i *Initiator) Finish(token []byte) (*Context, error) {
	message, err := unframe(idReply, token)
	if err != nil {
		return nil, err
	}
	var reply messages.APRep
	var part messages.EncAPRepPart
	if err := reply.Unmarshal(message); err != nil || reply.PVNO != iana.PVNO {
		return nil, fmt.Errorf("%w: no AP-REP", ErrMalformed)
	}
	if der, err := marshalReply(reply.EncPart); err != nil || !bytes.Equal(der, message) {
		return nil, fmt.Errorf("%w: an AP-REP, but not in DER", ErrMalformed)
	}
	plain, ok := decrypt(reply.EncPart, i.session, keyusage.AP_REP_ENCPART)
	switch {
	case !ok:
		return nil, errors.New("kerberos: the service does not know the ticket's key")
	case part.Unmarshal(plain) != nil:
		return nil, fmt.Errorf("%w: no AP-REP", ErrMalformed)
	case !part.CTime.Equal(i.authenticator.CTime) || part.Cusec != i.authenticator.Cusec:
		return nil, errors.New("kerberos: the service answers another client's message")
	}
	c := &Context{key: i.authenticator.SubKey,
		send: sequence(i.authenticator.SeqNumber), receive: sequence(part.SequenceNumber)}
	if part.Subkey.KeyType != 0 || len(part.Subkey.KeyValue) > 0 { // RFC 4121 2: the acceptor's comes first
		c.key, c.subkey = part.Subkey, true
	}
	if !usable(c.key) {
		return nil, fmt.Errorf("kerberos: the service's subkey is of type %d", c.key.KeyType)
	}
	return c, nil
}
