package kerberos

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// replyWith makes an AP-REP of the parts, in the ticket's key.
func (i *Initiator) replyWith(t testing.TB, part messages.EncAPRepPart, version, kind int) []byte {
	t.Helper()
	plain, err := asn1.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := encrypt(asn1tools.AddASNAppTag(plain, asnAppTag.EncAPRepPart), i.session, keyusage.AP_REP_ENCPART)
	if err != nil {
		t.Fatal(err)
	}
	message, err := asn1.Marshal(messages.APRep{PVNO: version, MsgType: kind, EncPart: sealed})
	if err != nil {
		t.Fatal(err)
	}
	token, err := frame(idReply, asn1tools.AddASNAppTag(message, asnAppTag.APREP))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// The client believes whoever could open the ticket, and nobody else.
func TestFinish(t *testing.T) {
	w := newWorld(t)
	i := initiate(t, w.mint(t, "alice", login.SMTP, login.Flawless))
	good := messages.EncAPRepPart{CTime: i.authenticator.CTime, Cusec: i.authenticator.Cusec, SequenceNumber: 7}
	with := func(change func(*messages.EncAPRepPart)) messages.EncAPRepPart {
		part := good
		change(&part)
		return part
	}
	subkey := anyKey(etypeID.AES128_CTS_HMAC_SHA1_96, 16)
	for _, row := range []struct {
		name          string
		part          messages.EncAPRepPart
		version, kind int
		says          string
	}{
		{"good", good, 5, 15, ""},
		{"a subkey", with(func(p *messages.EncAPRepPart) { p.Subkey = subkey }), 5, 15, ""},
		{"another version", good, 4, 15, "no AP-REP"},
		{"another message", good, 5, 14, "no AP-REP"},
		{"another second", with(func(p *messages.EncAPRepPart) { p.CTime = p.CTime.Add(time.Second) }), 5, 15, "another client's"},
		{"another microsecond", with(func(p *messages.EncAPRepPart) { p.Cusec++ }), 5, 15, "another client's"},
		{"a subkey in RC4", with(func(p *messages.EncAPRepPart) { p.Subkey = anyKey(etypeID.RC4_HMAC, 16) }), 5, 15, "type 23"},
		{"a subkey cut short", with(func(p *messages.EncAPRepPart) {
			p.Subkey = types.EncryptionKey{KeyType: subkey.KeyType, KeyValue: subkey.KeyValue[1:]}
		}), 5, 15, "type 17"},
	} {
		c, err := i.Finish(i.replyWith(t, row.part, row.version, row.kind))
		if row.says != "" {
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s: %v, want %q", row.name, err, row.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if asserted := row.part.Subkey.KeyType != 0; c.subkey != asserted || asserted != bytes.Equal(c.key.KeyValue, subkey.KeyValue) {
			t.Errorf("%s: which key is used? %v", row.name, c.subkey)
		}
		if c.receive != 7 || c.send != sequence(i.authenticator.SeqNumber) {
			t.Errorf("%s: counting from %d and %d", row.name, c.send, c.receive)
		}
	}
	// Who cannot open the ticket cannot answer.
	other := *i
	other.session = anyKey(etypeID.AES256_CTS_HMAC_SHA1_96, 32)
	if _, err := i.Finish(other.replyWith(t, good, 5, 15)); err == nil || !strings.Contains(err.Error(), "does not know the ticket's key") {
		t.Errorf("in another key: %v", err)
	}
	if _, err := i.Finish(i.Token()); !errors.Is(err, ErrMalformed) {
		t.Errorf("its own message: %v", err)
	}
}

// The encrypted part of a reply is encoded as in MIT's test suite
// (tests/asn.1/reference_encode.out, of which gokrb5 has a copy).
func TestPublishedReply(t *testing.T) {
	const (
		whole = "7B363034A011180F31393934303631303036303331375AA105020301E240A2133011A003020101A10A04083132333435363738A303020111"
		least = "7B1C301AA011180F31393934303631303036303331375AA105020301E240"
	)
	part := messages.EncAPRepPart{CTime: time.Date(1994, 6, 10, 6, 3, 17, 0, time.UTC), Cusec: 123456}
	full := part
	full.Subkey, full.SequenceNumber = types.EncryptionKey{KeyType: 1, KeyValue: []byte("12345678")}, 17
	for want, part := range map[string]messages.EncAPRepPart{whole: full, least: part} {
		b, err := asn1.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.ToUpper(hex.EncodeToString(asn1tools.AddASNAppTag(b, asnAppTag.EncAPRepPart))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// A reply with any bit changed proves nothing.
func TestAlteredReply(t *testing.T) {
	w := newWorld(t)
	i := initiate(t, w.mint(t, "alice", login.SMTP, login.Flawless))
	accepted, err := w.service.Accept(i.Token(), login.SMTP)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(accepted.Reply) * 8 {
		altered := bytes.Clone(accepted.Reply)
		altered[bit/8] ^= 0x80 >> (bit % 8)
		if _, err := i.Finish(altered); err == nil {
			t.Errorf("bit %d of %x", bit, accepted.Reply)
		}
	}
}

func TestInitiateNeedsATicket(t *testing.T) {
	w := newWorld(t)
	good := w.mint(t, "alice", login.SMTP, login.Flawless)
	short, other := good, good
	short.Key = good.Key[1:]
	other.KeyType = etypeID.RC4_HMAC
	for name, ticket := range map[string]login.Ticket{"none": {}, "a short key": short, "a key of another type": other} {
		if _, err := Initiate(ticket, noon, rand.Reader); err == nil {
			t.Errorf("%s: a token is made of it", name)
		}
	}
	for _, octets := range []string{"", strings.Repeat("x", 32)} { // none, and enough for the subkey only
		source := iotest.DataErrReader(strings.NewReader(octets))
		if _, err := Initiate(good, noon, source); err == nil {
			t.Error("a token without chance")
		}
	}
}
