package kerberos

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Both sides agree for any client, and the service knows it by its name.
func TestAnyClient(t *testing.T) {
	w := newWorld(t)
	component := rapid.StringMatching(`[a-zäöü0-9._@$-]{1,20}`)
	rapid.Check(t, func(t *rapid.T) {
		client := rapid.SliceOfN(component, 1, 3).Draw(t, "client")
		p := rapid.SampledFrom(login.Protocols()).Draw(t, "protocol")
		ticket, err := w.realm.Mint(strings.Join(client, "/"), p, noon, login.Flawless)
		if err != nil {
			t.Fatal(err)
		}
		i, err := Initiate(ticket, noon, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		accepted, err := w.service.Accept(i.Token(), p)
		if err != nil || !slices.Equal(accepted.Client, client) {
			t.Fatalf("%+v, %v", accepted, err)
		}
		if _, err := i.Finish(accepted.Reply); err != nil {
			t.Fatal(err)
		}
	})
}

// An AP-REQ with any bit changed is refused. Two fields are for nobody's
// protection: the type of the service's name, which tells no two principals
// apart (RFC 4120 6.2), and the options, of which the one that counts is
// refused.
func TestAlteredRequest(t *testing.T) {
	w := newWorld(t)
	i := initiate(t, w.mint(t, "alice", login.SMTP, login.Flawless))
	harmless := func(token []byte) bool {
		r, err := parseRequest(token)
		if err != nil {
			return false
		}
		was := i.request(t)
		r.APOptions, r.Ticket.SName.NameType = was.APOptions, was.Ticket.SName.NameType
		message, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := frame(idRequest, message)
		return err == nil && bytes.Equal(again, i.token)
	}
	let := 0
	for bit := range len(i.token) * 8 {
		altered := bytes.Clone(i.token)
		altered[bit/8] ^= 0x80 >> (bit % 8)
		_, err := w.realm.Service(w.service.now).Accept(altered, login.SMTP)
		switch {
		case err == nil && harmless(altered):
			let++
		case !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrRefused):
			t.Errorf("bit %d of %x: %v", bit, i.token, err)
		}
	}
	// 31 options and three bits of how many there are; eight of the type.
	if let != 31+3+8 {
		t.Errorf("%d bits do not matter", let)
	}
}

// A message cut short is malformed, and nothing falls over.
func TestTruncated(t *testing.T) {
	w := newWorld(t)
	i := initiate(t, w.mint(t, "alice", login.SMTP, login.Flawless))
	accepted, err := w.service.Accept(i.Token(), login.SMTP)
	if err != nil {
		t.Fatal(err)
	}
	client, err := i.Finish(accepted.Reply)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := client.Wrap([]byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name  string
		whole []byte
		read  func([]byte) error
	}{
		{"AP-REQ", i.token, func(b []byte) error { _, err := w.service.Accept(b, login.SMTP); return err }},
		{"AP-REP", accepted.Reply, func(b []byte) error { _, err := i.Finish(b); return err }},
		{"Wrap token", wrapped, func(b []byte) error { _, err := accepted.Context.Unwrap(b); return err }},
	} {
		for keep := range row.whole {
			err := row.read(row.whole[:keep:keep])
			if !errors.Is(err, ErrMalformed) && !(row.name == "Wrap token" && errors.Is(err, ErrRefused)) {
				t.Errorf("%d octets of %s: %v", keep, row.name, err)
			}
		}
	}
}

// What is encrypted can be too short for any encryption, or for any content.
func TestShortCiphers(t *testing.T) {
	w := newWorld(t)
	i := initiate(t, w.mint(t, "alice", login.SMTP, login.Flawless))
	accepts := func(r messages.APReq) error {
		message, err := r.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		token, err := frame(idRequest, message)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.service.Accept(token, login.SMTP)
		return err
	}
	for n := range 64 {
		ticket, authenticator := i.request(t), i.request(t)
		ticket.Ticket.EncPart.Cipher = ticket.Ticket.EncPart.Cipher[:n]
		authenticator.EncryptedAuthenticator.Cipher = authenticator.EncryptedAuthenticator.Cipher[:n]
		for name, err := range map[string]error{"ticket": accepts(ticket), "authenticator": accepts(authenticator)} {
			if !errors.Is(err, ErrRefused) {
				t.Errorf("%d octets of a %s: %v", n, name, err)
			}
		}
		sealed := i.request(t).EncryptedAuthenticator
		sealed.Cipher = sealed.Cipher[:n]
		message, err := marshalReply(sealed)
		if err != nil {
			t.Fatal(err)
		}
		token, err := frame(idReply, message)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := i.Finish(token); err == nil {
			t.Errorf("%d octets of a reply", n)
		}
	}
	// Nothing at all, encrypted well.
	r := i.request(t)
	var err error
	if r.EncryptedAuthenticator, err = encrypt(nil, i.session, keyusage.AP_REQ_AUTHENTICATOR); err != nil {
		t.Fatal(err)
	}
	if err := accepts(r); !errors.Is(err, ErrMalformed) {
		t.Errorf("an empty authenticator: %v", err)
	}
}
