package kerberos

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/adtype"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// A client with a ticket and a service with its key come to know each other.
func TestAccept(t *testing.T) {
	w := newWorld(t)
	for _, p := range login.Protocols() {
		i := initiate(t, w.mint(t, "alice", p, login.Flawless))
		accepted, err := w.service.Accept(i.Token(), p)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		if got := strings.Join(accepted.Client, "/"); got != "alice" {
			t.Errorf("%s: the client is %q", p, got)
		}
		if _, err := i.Finish(accepted.Reply); err != nil {
			t.Errorf("%s: the client does not believe the service: %v", p, err)
		}
		// RFC 4120 3.2.2: who wants a reply says so in clear, too.
		if i.request(t).APOptions.At(flags.APOptionMutualRequired) != 1 {
			t.Errorf("%s: the option for a reply is not set", p)
		}
	}
}

// A ticket with a flaw is refused for it.
func TestFlaws(t *testing.T) {
	w := newWorld(t)
	for flaw, want := range map[login.Flaw]string{
		login.Forged:    "kerberos: refused: ticket: not made with this service's key",
		login.Expired:   "kerberos: refused: ticket: expired",
		login.Elsewhere: `kerberos: refused: ticket: for another service, "pop/mail.example.test@EXAMPLE.TEST"`,
	} {
		i := initiate(t, w.mint(t, "alice", login.SMTP, flaw))
		if _, err := w.service.Accept(i.Token(), login.SMTP); !errors.Is(err, ErrRefused) || err.Error() != want {
			t.Errorf("%s: %v, want %s", flaw, err, want)
		}
	}
	if _, err := w.realm.Mint("alice", login.SMTP, noon, login.Narrow); err == nil {
		t.Error("a ticket has no scope that could be narrow")
	}
}

// Every field that the service must look at is looked at, and refused for the
// reason that it gives.
func TestRefused(t *testing.T) {
	for _, row := range []struct {
		name  string
		alter func(f *forgery)
		want  error
		says  string
	}{
		{"unchanged", func(*forgery) {}, nil, ""},
		{"another version of the protocol", func(f *forgery) { f.request.PVNO = 4 }, ErrMalformed, "AP-REQ"},
		{"another kind of message", func(f *forgery) { f.request.MsgType = 15 }, ErrMalformed, "AP-REQ"},
		{"another kind of token", func(f *forgery) { f.id = idReply }, ErrMalformed, "another token"},
		{"another version of tickets", func(f *forgery) { f.request.Ticket.TktVNO = 4 }, ErrMalformed, "AP-REQ"},
		{"user to user", func(f *forgery) { types.SetFlag(&f.request.APOptions, flags.APOptionUseSessionKey) }, ErrRefused, "session"},

		{"another realm's service", func(f *forgery) { f.request.Ticket.Realm = "OTHER.TEST" }, ErrRefused, "another service"},
		{"another host", func(f *forgery) { f.request.Ticket.SName.NameString[1] = "other.example.test" }, ErrRefused, "another service"},
		{"a service without a host", func(f *forgery) { f.request.Ticket.SName.NameString = []string{"smtp"} }, ErrRefused, "another service"},
		{"no service", func(f *forgery) { f.request.Ticket.SName.NameString = nil }, ErrRefused, "another service"},
		{"a key of another version", func(f *forgery) { f.request.Ticket.EncPart.KVNO = 2 }, ErrRefused, "no key of version 2 and type 18"},
		{"a key of no version", func(f *forgery) { f.request.Ticket.EncPart.KVNO = 0 }, nil, ""},
		{"a key of another type", func(f *forgery) { f.service = anyKey(etypeID.AES128_CTS_HMAC_SHA1_96, 16) }, ErrRefused, "no key of version 1 and type 17"},
		{"another key", func(f *forgery) { f.service = anyKey(etypeID.AES256_CTS_HMAC_SHA1_96, 32) }, ErrRefused, "ticket: not made with"},
		{"another's name for the same key", func(f *forgery) { f.request.Ticket.SName.NameType = 1 }, nil, ""},

		{"a session in RC4", func(f *forgery) { f.ticket.Key = anyKey(etypeID.RC4_HMAC, 16) }, ErrRefused, "session key is of type 23"},
		{"a client of another realm", func(f *forgery) { f.ticket.CRealm, f.authenticator.CRealm = "OTHER.TEST", "OTHER.TEST" }, ErrRefused, "another realm"},
		{"nobody", func(f *forgery) { f.ticket.CName.NameString, f.authenticator.CName.NameString = nil, nil }, ErrRefused, "nobody"},
		{"not valid yet", func(f *forgery) { f.ticket.StartTime = noon.Add(skew + time.Second) }, ErrRefused, "not yet valid"},
		{"almost valid", func(f *forgery) { f.ticket.StartTime = noon.Add(skew) }, nil, ""},
		{"no start", func(f *forgery) { f.ticket.StartTime = time.Time{} }, nil, ""},
		{"no start, and authenticated in the future", func(f *forgery) {
			f.ticket.StartTime, f.ticket.AuthTime = time.Time{}, noon.Add(skew+time.Second)
		}, ErrRefused, "not yet valid"},
		{"marked invalid", func(f *forgery) { types.SetFlag(&f.ticket.Flags, flags.Invalid) }, ErrRefused, "not yet valid"},
		{"no flags at all", func(f *forgery) { f.ticket.Flags.Bytes, f.ticket.Flags.BitLength = nil, 0 }, nil, ""},
		{"expired", func(f *forgery) { f.ticket.EndTime = noon.Add(-skew - time.Second) }, ErrRefused, "expired"},
		{"expiring", func(f *forgery) { f.ticket.EndTime = noon.Add(-skew + time.Second) }, nil, ""},
		{"for some addresses", func(f *forgery) { f.ticket.CAddr = types.HostAddresses{{AddrType: 2, Address: []byte{127, 0, 0, 1}}} }, ErrRefused, "addresses"},
		{"with a restriction", func(f *forgery) { f.ticket.AuthorizationData = data(adtype.ADMandatoryForKDC) }, ErrRefused, "restriction"},
		{"with something of interest", func(f *forgery) { f.ticket.AuthorizationData = data(adtype.ADIfRelevant) }, nil, ""},

		{"another version of authenticators", func(f *forgery) { f.authenticator.AVNO = 4 }, ErrMalformed, "authenticator"},
		{"another client", func(f *forgery) { f.authenticator.CName.NameString[0] = "bob" }, ErrRefused, "another client"},
		{"the client's instance", func(f *forgery) { f.authenticator.CName.NameString = []string{"alice", "admin"} }, ErrRefused, "another client"},
		{"the client's realm", func(f *forgery) { f.authenticator.CRealm = "OTHER.TEST" }, ErrRefused, "another client"},
		{"a clock that is slow", func(f *forgery) { f.authenticator.CTime = noon.Add(-skew - time.Second) }, ErrRefused, "clocks differ by 5m1s"},
		{"a clock that is fast", func(f *forgery) { f.authenticator.CTime = noon.Add(skew + time.Second) }, ErrRefused, "clocks differ by 5m1s"},
		{"a clock that is slow enough", func(f *forgery) { f.authenticator.CTime = noon.Add(-skew + time.Second) }, nil, ""},
		{"microseconds of a second", func(f *forgery) { f.authenticator.Cusec = 1000000 }, ErrMalformed, "authenticator"},
		{"negative microseconds", func(f *forgery) { f.authenticator.Cusec = -1 }, ErrMalformed, "authenticator"},
		{"an authenticator with a demand", func(f *forgery) { f.authenticator.AuthorizationData = data(adtype.ADKDCIssued) }, ErrRefused, "restriction"},
		{"an authenticator with a remark", func(f *forgery) { f.authenticator.AuthorizationData = data(adtype.ADIfRelevant) }, nil, ""},
		{"another checksum", func(f *forgery) { f.authenticator.Cksum.CksumType = 16 }, ErrMalformed, "not the GSS-API's"},
		{"no checksum", func(f *forgery) { f.authenticator.Cksum = types.Checksum{} }, ErrMalformed, "not the GSS-API's"},
		{"a short checksum", func(f *forgery) { f.authenticator.Cksum.Checksum = f.authenticator.Cksum.Checksum[:23] }, ErrMalformed, "not the GSS-API's"},
		{"bindings of another size", func(f *forgery) { f.authenticator.Cksum.Checksum[0] = 20 }, ErrMalformed, "not the GSS-API's"},
		{"bindings to a channel", func(f *forgery) { f.authenticator.Cksum.Checksum[4] = 1 }, nil, ""},
		{"delegation", func(f *forgery) {
			f.authenticator.Cksum.Checksum = append(f.authenticator.Cksum.Checksum, 1, 0, 0, 0)
		}, nil, ""},
		{"a subkey in RC4", func(f *forgery) { f.authenticator.SubKey = anyKey(etypeID.RC4_HMAC, 16) }, ErrRefused, "subkey is of type 23"},
		{"a subkey cut short", func(f *forgery) { f.authenticator.SubKey.KeyValue = f.authenticator.SubKey.KeyValue[:31] }, ErrRefused, "subkey"},
		{"a subkey of no type", func(f *forgery) { f.authenticator.SubKey.KeyType = 0 }, ErrRefused, "subkey"},
		{"no subkey", func(f *forgery) { f.authenticator.SubKey = types.EncryptionKey{} }, nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			f := w.forgery(t)
			row.alter(f)
			_, err := w.service.Accept(f.token(t), login.SMTP)
			if !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
			if row.want != nil && err != nil && !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v does not say %q", err, row.says)
			}
		})
	}
}

func anyKey(kind int32, size int) types.EncryptionKey {
	value := make([]byte, size)
	_, _ = rand.Read(value)
	return types.EncryptionKey{KeyType: kind, KeyValue: value}
}

func data(kind int32) types.AuthorizationData {
	return types.AuthorizationData{{ADType: kind, ADData: []byte{0x30, 0}}}
}

// Who does not ask for a reply gets none, and both count from the same number.
func TestWithoutReply(t *testing.T) {
	f := newWorld(t)
	forged := f.forgery(t)
	forged.authenticator.Cksum.Checksum[20] &^= flagMutual
	forged.authenticator.SeqNumber = -2
	accepted, err := f.service.Accept(forged.token(t), login.SMTP)
	if err != nil {
		t.Fatal(err)
	}
	if accepted.Reply != nil || accepted.Context.send != 0xfffffffe || accepted.Context.receive != 0xfffffffe {
		t.Errorf("reply %x, counting from %d and %d", accepted.Reply, accepted.Context.send, accepted.Context.receive)
	}
}

// An authenticator is good for once, whatever the connection, and also when
// the memory has moved on meanwhile.
func TestReplay(t *testing.T) {
	w := newWorld(t)
	ticket := w.mint(t, "alice", login.SMTP, login.Flawless)
	token := initiate(t, ticket).Token()
	w.now = noon.Add(-skew) // as early as it can be accepted
	if _, err := w.service.Accept(token, login.SMTP); err != nil {
		t.Fatal(err)
	}
	for w.now.Before(noon.Add(2 * skew)) {
		_, err := w.service.Accept(token, login.SMTP)
		want := "kerberos: refused: authenticator: a replay"
		if w.now.Sub(noon) > skew {
			want = "kerberos: refused: authenticator: the clocks differ by " + w.now.Sub(noon).String()
		}
		if err == nil || err.Error() != want {
			t.Fatalf("at %s: %v, want %s", w.now, err, want)
		}
		w.now = w.now.Add(time.Minute)
		// Others keep the memory moving.
		other, err := Initiate(ticket, w.now, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.service.Accept(other.Token(), login.SMTP); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.service.Accept(initiate(t, ticket).Token(), login.SMTP); err == nil {
		t.Error("an old authenticator is fresh")
	}
}

// What the service has not seen is none of its business: a mint's next service
// starts anew.
func TestServicesRememberForThemselves(t *testing.T) {
	w := newWorld(t)
	token := initiate(t, w.mint(t, "alice", login.SMTP, login.Flawless)).Token()
	for range 2 {
		if _, err := w.realm.Service(func() time.Time { return noon }).Accept(token, login.SMTP); err != nil {
			t.Error(err)
		}
	}
}

// Nothing is accepted without a key.
func TestZeroServiceRefuses(t *testing.T) {
	w := newWorld(t)
	token := initiate(t, w.mint(t, "alice", login.SMTP, login.Flawless)).Token()
	if _, err := new(Service).Accept(token, login.SMTP); !errors.Is(err, ErrRefused) {
		t.Errorf("the zero service: %v", err)
	}
	if _, err := (*Service)(nil).Accept(token, login.SMTP); err == nil {
		t.Error("no service accepts")
	}
	if _, err := w.service.Accept(token, ""); !errors.Is(err, ErrRefused) {
		t.Errorf("no protocol: %v", err)
	}
}
