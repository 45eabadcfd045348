package kerberos

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

const host = "mail.example.test"

var noon = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

// world is a realm and a service of it at noon.
type world struct {
	realm   *Realm
	service *Service
	now     time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	realm, err := NewRealm("EXAMPLE.TEST", host)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{realm: realm, now: noon}
	w.service = realm.Service(func() time.Time { return w.now })
	return w
}

// mint makes a ticket at noon.
func (w *world) mint(t testing.TB, client string, p login.Protocol, flaw login.Flaw) login.Ticket {
	t.Helper()
	ticket, err := w.realm.Mint(client, p, noon, flaw)
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}

// initiate makes a client's first token at noon.
func initiate(t testing.TB, ticket login.Ticket) *Initiator {
	t.Helper()
	i, err := Initiate(ticket, noon, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// agree is a context that both sides have.
func (w *world) agree(t testing.TB) (client, server *Context) {
	t.Helper()
	i := initiate(t, w.mint(t, "alice", login.SMTP, login.Flawless))
	accepted, err := w.service.Accept(i.Token(), login.SMTP)
	if err != nil {
		t.Fatal(err)
	}
	if client, err = i.Finish(accepted.Reply); err != nil {
		t.Fatal(err)
	}
	return client, accepted.Context
}

// forgery is an AP-REQ in parts that a test can change before they are put
// together; unchanged it is a good one.
type forgery struct {
	request       messages.APReq
	service       types.EncryptionKey // the ticket's
	ticket        messages.EncTicketPart
	authenticator types.Authenticator
	id            tokenID
}

func (w *world) forgery(t testing.TB) *forgery {
	t.Helper()
	ticket := w.mint(t, "alice", login.SMTP, login.Flawless)
	f := &forgery{request: initiate(t, ticket).request(t), id: idRequest}
	var err error
	if f.service, err = keyFor(w.realm.accepting, login.SMTP, f.request.Ticket); err != nil {
		t.Fatal(err)
	}
	opened, err := openRequest(f.request, f.service)
	if err != nil {
		t.Fatal(err)
	}
	f.ticket, f.authenticator = opened.ticket, opened.authenticator
	return f
}

// request takes the initiator's token apart.
func (i *Initiator) request(t testing.TB) messages.APReq {
	t.Helper()
	r, err := parseRequest(i.token)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// token encrypts the parts and puts them together.
func (f *forgery) token(t testing.TB) []byte {
	t.Helper()
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
		return b
	}
	part := asn1tools.AddASNAppTag(must(asn1.Marshal(f.ticket)), asnAppTag.EncTicketPart)
	version := f.request.Ticket.EncPart.KVNO
	var err error
	if f.request.Ticket.EncPart, err = crypto.GetEncryptedData(part, f.service, keyusage.KDC_REP_TICKET, version); err != nil {
		t.Fatal(err)
	}
	f.request.EncryptedAuthenticator, err = crypto.GetEncryptedData(must(f.authenticator.Marshal()), f.ticket.Key, keyusage.AP_REQ_AUTHENTICATOR, 0)
	if err != nil {
		t.Fatal(err)
	}
	return must(frame(f.id, must(f.request.Marshal())))
}
