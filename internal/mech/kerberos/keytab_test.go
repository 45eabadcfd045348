package kerberos

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// table makes a keytab file of principals with keys of a type and version.
func table(t testing.TB, kind int32, version uint8, principals ...string) []byte {
	t.Helper()
	k := keytab.New()
	for _, p := range principals {
		if err := k.AddEntry(p, "EXAMPLE.TEST", rand.Text(), noon, version, kind); err != nil {
			t.Fatal(err)
		}
	}
	file, err := k.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestNewService(t *testing.T) {
	good := table(t, etypeID.AES256_CTS_HMAC_SHA1_96, 2, "smtp/"+host, "pop/"+host, "host/"+host, "smtp")
	const none, no = "no AES key", "no keytab"
	for _, row := range []struct {
		name string
		file []byte
		says string
	}{
		{"good", good, ""},
		{"AES of 128 bits", table(t, etypeID.AES128_CTS_HMAC_SHA1_96, 2, "smtp/"+host), ""},
		{"nothing", nil, no},
		{"text", []byte("smtp/mail.example.test"), no},
		{"an empty table", good[:2], no},
		{"cut short", good[:len(good)/3], no},
		{"another version of files", append([]byte{5, 3}, good[2:]...), no},
		{"another service", table(t, etypeID.AES256_CTS_HMAC_SHA1_96, 2, "imap/"+host), none},
		{"a service without a host", table(t, etypeID.AES256_CTS_HMAC_SHA1_96, 2, "smtp"), none},
		{"RC4", table(t, etypeID.RC4_HMAC, 2, "smtp/"+host), none},
	} {
		s, err := NewService(row.file, time.Now)
		switch {
		case row.says == "" && (err != nil || len(s.keys) == 0):
			t.Errorf("%s: %v", row.name, err)
		case row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)):
			t.Errorf("%s: %v, want %q", row.name, err, row.says)
		}
	}
}

// What is said of a file that is cut short quotes nothing of it.
func TestNoKeyInErrors(t *testing.T) {
	good := table(t, etypeID.AES256_CTS_HMAC_SHA1_96, 2, "smtp/"+host)
	for keep := range good {
		if _, err := NewService(good[:keep], time.Now); err != nil && len(err.Error()) > 60 {
			t.Errorf("%d octets: %q", keep, err)
		}
	}
}

// Where a service has keys of several versions and types, each ticket is
// opened with its own, and one that names no version with the newest.
func TestKeyFor(t *testing.T) {
	old := table(t, etypeID.AES256_CTS_HMAC_SHA1_96, 1, "smtp/"+host)
	other := table(t, etypeID.AES128_CTS_HMAC_SHA1_96, 2, "smtp/"+host)
	young := table(t, etypeID.AES256_CTS_HMAC_SHA1_96, 2, "smtp/"+host)
	file := append(append(old, other[2:]...), young[2:]...)
	s, err := NewService(file, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	ticket := w.forgery(t).request.Ticket
	for _, row := range []struct {
		name    string
		kind    int32
		version int
		want    uint32 // version of the key; 0 is none
	}{
		{"old", etypeID.AES256_CTS_HMAC_SHA1_96, 1, 1},
		{"young", etypeID.AES256_CTS_HMAC_SHA1_96, 2, 2},
		{"no version", etypeID.AES256_CTS_HMAC_SHA1_96, 0, 2},
		{"another type", etypeID.AES128_CTS_HMAC_SHA1_96, 2, 2},
		{"another type, old", etypeID.AES128_CTS_HMAC_SHA1_96, 1, 0},
		{"a negative version", etypeID.AES256_CTS_HMAC_SHA1_96, -1, 0},
	} {
		ticket.EncPart.EType, ticket.EncPart.KVNO = row.kind, row.version
		key, err := keyFor(s.keys, login.SMTP, ticket)
		if row.want == 0 {
			if !errors.Is(err, ErrRefused) {
				t.Errorf("%s: %v", row.name, err)
			}
			continue
		}
		if err != nil || key.KeyType != row.kind || versionOf(s, key.KeyValue) != row.want {
			t.Errorf("%s: a key of type %d and version %d, %v", row.name, key.KeyType, versionOf(s, key.KeyValue), err)
		}
	}
	if _, err := keyFor(s.keys, login.POP3, ticket); !errors.Is(err, ErrRefused) {
		t.Errorf("over POP3: %v", err)
	}
	if _, err := keyFor(s.keys, login.SMTP, messages.Ticket{}); !errors.Is(err, ErrRefused) {
		t.Errorf("no ticket at all: %v", err)
	}
}

func versionOf(s *Service, key []byte) uint32 {
	for _, k := range s.keys {
		if string(k.key.KeyValue) == string(key) {
			return k.version
		}
	}
	return 0
}
