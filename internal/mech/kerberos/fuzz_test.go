package kerberos

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What is refused is refused in one of the two ways.
func answers(t *testing.T, err error) {
	if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrRefused) {
		t.Errorf("%v is no answer", err)
	}
}

func FuzzAccept(f *testing.F) {
	w := newWorld(f)
	f.Add(initiate(f, w.mint(f, "alice", login.SMTP, login.Flawless)).Token())
	f.Add(initiate(f, w.mint(f, "alice", login.SMTP, login.Forged)).Token())
	f.Fuzz(func(t *testing.T, token []byte) {
		_, err := w.realm.Service(w.service.now).Accept(token, login.SMTP)
		answers(t, err)
	})
}

// The client knows the session's key, so it can encrypt what it likes.
func FuzzAuthenticator(f *testing.F) {
	w := newWorld(f)
	i := initiate(f, w.mint(f, "alice", login.SMTP, login.Flawless))
	request := i.request(f)
	part, err := i.authenticator.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(part)
	f.Fuzz(func(t *testing.T, part []byte) {
		r := request
		var err error
		if r.EncryptedAuthenticator, err = encrypt(part, i.session, keyusage.AP_REQ_AUTHENTICATOR); err != nil {
			t.Fatal(err)
		}
		message, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		token, err := frame(idRequest, message)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.realm.Service(w.service.now).Accept(token, login.SMTP)
		answers(t, err)
	})
}

// Both what anybody can send in a reply's place, and what a service can that
// knows the ticket's key.
func FuzzFinish(f *testing.F) {
	w := newWorld(f)
	i := initiate(f, w.mint(f, "alice", login.SMTP, login.Flawless))
	accepted, err := w.service.Accept(i.Token(), login.SMTP)
	if err != nil {
		f.Fatal(err)
	}
	message, err := unframe(idReply, accepted.Reply)
	if err != nil {
		f.Fatal(err)
	}
	var sealed asn1.RawValue
	if _, err := asn1.Unmarshal(message, &sealed); err != nil {
		f.Fatal(err)
	}
	f.Add(accepted.Reply, []byte{})
	f.Add([]byte{}, unhex(f, "7B363034A011180F31393934303631303036303331375AA105020301E240A2133011A003020101A10A04083132333435363738A303020111"))
	f.Fuzz(func(_ *testing.T, token, part []byte) {
		_, _ = i.Finish(token)
		sealed, err := encrypt(part, i.session, keyusage.AP_REP_ENCPART)
		if err != nil {
			return
		}
		message, err := marshalReply(sealed)
		if err != nil {
			return
		}
		if token, err = frame(idReply, message); err == nil {
			_, _ = i.Finish(token)
		}
	})
}

// No token is unwrapped that this side's own context does not make the same,
// once it is turned back.
func FuzzUnwrap(f *testing.F) {
	key := zeroKey
	token, err := (&Context{key: key, send: 3}).Wrap([]byte("\x01\x00\x00\x00alice"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Clone(token))
	rotate(token, 12)
	f.Add(token)
	f.Fuzz(func(t *testing.T, token []byte) {
		message, err := (&Context{key: key, acceptor: true, receive: 3}).Unwrap(token)
		answers(t, err)
		if err != nil || token[2] != 0 {
			return
		}
		again, err := (&Context{key: key, send: 3}).Wrap(message)
		if err != nil || !bytes.Equal(again[headerSize:], unrotate(token[headerSize:], int(token[6])<<8|int(token[7]))) {
			t.Errorf("%x holds %x, which is wrapped as %x", token, message, again)
		}
	})
}

func FuzzNewService(f *testing.F) {
	keys, err := newKeys("EXAMPLE.TEST", host)
	if err != nil {
		f.Fatal(err)
	}
	file, err := keys.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add([]byte{5, 1, 0, 0, 0, 4, 0, 2, 0, 0})
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := NewService(file, time.Now)
		if (s == nil) == (err == nil) {
			t.Errorf("%v, %v", s, err)
		}
	})
}

// A key that is the same in each run, for a corpus that outlives it.
var zeroKey = types.EncryptionKey{KeyType: etypeID.AES256_CTS_HMAC_SHA1_96, KeyValue: make([]byte, 32)}
