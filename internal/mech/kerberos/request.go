package kerberos

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/adtype"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// request is an AP-REQ, opened (RFC 4120 5.5.1).
type request struct {
	ticket        messages.EncTicketPart
	authenticator types.Authenticator
	mutual        bool // the client wants an AP-REP
}

// parseRequest reads an AP-REQ as far as it can be read without a key.
func parseRequest(token []byte) (messages.APReq, error) {
	var r messages.APReq
	message, err := unframe(idRequest, token)
	if err != nil {
		return r, err
	}
	if err := r.Unmarshal(message); err != nil || r.PVNO != iana.PVNO || r.Ticket.TktVNO != iana.PVNO {
		return r, fmt.Errorf("%w: no AP-REQ", ErrMalformed)
	}
	// The library forgives much that is not DER (RFC 4120 5.1).
	if der, err := r.Marshal(); err != nil || !bytes.Equal(der, message) {
		return r, fmt.Errorf("%w: an AP-REQ, but not in DER", ErrMalformed)
	}
	if r.APOptions.At(flags.APOptionUseSessionKey) == 1 {
		return r, fmt.Errorf("%w: ticket: in the key of a session that this service does not have", ErrRefused)
	}
	return r, nil
}

// openRequest decrypts the ticket with the service's key, and the authenticator
// with the key that the ticket holds.
func openRequest(r messages.APReq, service types.EncryptionKey) (request, error) {
	var opened request
	plain, ok := decrypt(r.Ticket.EncPart, service, keyusage.KDC_REP_TICKET)
	if !ok || opened.ticket.Unmarshal(plain) != nil {
		return request{}, fmt.Errorf("%w: ticket: not made with this service's key", ErrRefused)
	}
	if !usable(opened.ticket.Key) {
		return request{}, fmt.Errorf("%w: ticket: its session key is of type %d", ErrRefused, opened.ticket.Key.KeyType)
	}
	plain, ok = decrypt(r.EncryptedAuthenticator, opened.ticket.Key, keyusage.AP_REQ_AUTHENTICATOR)
	if !ok {
		return request{}, fmt.Errorf("%w: authenticator: not made with the ticket's key", ErrRefused)
	}
	a := &opened.authenticator
	if err := a.Unmarshal(plain); err != nil || a.AVNO != iana.PVNO || a.Cusec < 0 || a.Cusec > 999999 {
		return request{}, fmt.Errorf("%w: no authenticator", ErrMalformed)
	}
	var err error
	opened.mutual, err = contextFlags(a.Cksum)
	return opened, err
}

// flagMutual and flagIntegrity are wishes of the client (RFC 4121 4.1.1.1).
const (
	flagMutual    = 0x02
	flagIntegrity = 0x20
)

// contextChecksum is what the GSS-API puts in the place of the authenticator's
// checksum: the size of the channel bindings, the bindings, of which RFC 4752
// 3.1 wants none, and the flags (RFC 4121 4.1.1).
func contextChecksum(flags uint32) types.Checksum {
	sum := make([]byte, 24)
	binary.LittleEndian.PutUint32(sum, 16)
	binary.LittleEndian.PutUint32(sum[20:], flags)
	return types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: sum}
}

// contextFlags reads it. What may follow is about delegation. Nobody gave
// this side a channel to bind to, so bindings are not compared.
func contextFlags(c types.Checksum) (mutual bool, err error) {
	if c.CksumType != chksumtype.GSSAPI || len(c.Checksum) < 24 || binary.LittleEndian.Uint32(c.Checksum) != 16 {
		return false, fmt.Errorf("%w: an authenticator, but not the GSS-API's", ErrMalformed)
	}
	return binary.LittleEndian.Uint32(c.Checksum[20:])&flagMutual != 0, nil
}

// check judges what the two encrypted parts say (RFC 4120 3.2.3).
func (r request) check(realm string, now time.Time) error {
	t, a := r.ticket, r.authenticator
	start := t.StartTime
	if start.IsZero() { // RFC 4120 5.3: then the time of authentication is meant
		start = t.AuthTime
	}
	at := a.CTime.Add(time.Duration(a.Cusec) * time.Microsecond)
	switch {
	case t.CRealm != realm:
		return fmt.Errorf("%w: ticket: for a client of another realm, %.80q", ErrRefused, t.CRealm)
	case len(t.CName.NameString) == 0:
		return fmt.Errorf("%w: ticket: for nobody", ErrRefused)
	case a.CRealm != t.CRealm || !a.CName.Equal(t.CName):
		return fmt.Errorf("%w: authenticator: of another client than the ticket's", ErrRefused)
	case len(t.CAddr) > 0:
		return fmt.Errorf("%w: ticket: for certain addresses only, which are not checked here", ErrRefused)
	case at.Sub(now).Abs() > skew:
		return fmt.Errorf("%w: authenticator: the clocks differ by %s", ErrRefused, at.Sub(now).Abs().Round(time.Second))
	case start.Sub(now) > skew || t.Flags.At(flags.Invalid) == 1:
		return fmt.Errorf("%w: ticket: not yet valid", ErrRefused)
	case now.Sub(t.EndTime) > skew:
		return fmt.Errorf("%w: ticket: expired", ErrRefused)
	case demands(t.AuthorizationData) || demands(a.AuthorizationData):
		return fmt.Errorf("%w: ticket: with a restriction that is unknown here", ErrRefused)
	}
	return nil
}

// demands reports whether there is something that must be understood: all that
// is not marked as of interest to whoever knows it (RFC 4120 5.2.6).
func demands(data types.AuthorizationData) bool {
	for _, entry := range data {
		if entry.ADType != adtype.ADIfRelevant {
			return true
		}
	}
	return false
}
