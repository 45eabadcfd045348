package kerberos

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/types"
	"pgregory.net/rapid"
)

// published is a pair of Wrap tokens, and their key, that gokrb5's tests
// (gssapi/wrapToken_test.go, v8.4.4) have from elsewhere: a server that offers
// no security layer, and a client that takes none.
var published = struct{ key, server, client, message string }{
	"14f9bde6b50ec508201a97f74c4e5bd3",
	"050401ff000c000000000000575e85d601010000853b728d5268525a1386c19f",
	"050400ff000c000000000000000000000101000079a033510b6f127212242b97",
	"01010000",
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Tokens that somebody else made are understood, and made alike.
func TestPublishedTokens(t *testing.T) {
	key := types.EncryptionKey{KeyType: etypeID.AES128_CTS_HMAC_SHA1_96, KeyValue: unhex(t, published.key)}
	message := unhex(t, published.message)
	server := Context{key: key, acceptor: true, send: 0x575e85d6}
	client := Context{key: key, receive: 0x575e85d6}
	for _, row := range []struct {
		name     string
		from, to *Context
		token    []byte
	}{
		{"server", &server, &client, unhex(t, published.server)},
		{"client", &client, &server, unhex(t, published.client)},
	} {
		if got, err := row.from.Wrap(message); err != nil || !bytes.Equal(got, row.token) {
			t.Errorf("the %s wraps %x as %x, %v", row.name, message, got, err)
		}
		if got, err := row.to.Unwrap(row.token); err != nil || !bytes.Equal(got, message) {
			t.Errorf("the %s's token holds %x, %v", row.name, got, err)
		}
	}
}

// The rotation that RFC 4121 4.2.5 gives as an example, and what it says of
// counts beyond the end.
func TestUnrotate(t *testing.T) {
	for _, row := range []struct {
		name, rotated string
		count         int
		want          string
	}{
		{"the document's example", "fghabcde", 3, "abcdefgh"},
		{"none", "abcdefgh", 0, "abcdefgh"},
		{"a whole turn", "abcdefgh", 8, "abcdefgh"},
		{"more than a turn", "fghabcde", 11, "abcdefgh"},
		{"the most", "habcdefg", 65535 / 8 * 8, "habcdefg"},
		{"nothing to turn", "", 28, ""},
	} {
		if got := string(unrotate([]byte(row.rotated), row.count)); got != row.want {
			t.Errorf("%s: %q", row.name, got)
		}
	}
}

// What one side wraps the other unwraps, message after message, in either
// direction, and however the token is rotated, as Windows does.
func TestWrap(t *testing.T) {
	w := newWorld(t)
	client, server := w.agree(t)
	rapid.Check(t, func(t *rapid.T) {
		from, to := client, server
		if rapid.Bool().Draw(t, "back") {
			from, to = server, client
		}
		message := rapid.SliceOf(rapid.Byte()).Draw(t, "message")
		token, err := from.Wrap(message)
		if err != nil {
			t.Fatal(err)
		}
		rotate(token, rapid.Uint16().Draw(t, "rotation"))
		if got, err := to.Unwrap(token); err != nil || !bytes.Equal(got, message) {
			t.Fatalf("%x: %v", got, err)
		}
	})
}

// rotate turns a token's body to the right, and says so.
func rotate(token []byte, count uint16) {
	binary.BigEndian.PutUint16(token[6:], count)
	body := token[headerSize:]
	right := int(count) % len(body)
	copy(body, slices.Concat(body[len(body)-right:], body[:len(body)-right]))
}

// A token with any bit changed is refused. The rotation alone is not summed:
// another count of whole turns leaves all as it was.
func TestAlteredWrap(t *testing.T) {
	w := newWorld(t)
	client, server := w.agree(t)
	message := []byte("\x01\x00\x00\x00alice")
	token, err := client.Wrap(message)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(token) * 8 {
		altered := bytes.Clone(token)
		altered[bit/8] ^= 0x80 >> (bit % 8)
		receiver := *server
		got, err := receiver.Unwrap(altered)
		turns := bit/8 >= 6 && bit/8 < 8 && int(binary.BigEndian.Uint16(altered[6:]))%(len(token)-headerSize) == 0
		switch {
		case turns && (err != nil || !bytes.Equal(got, message)):
			t.Errorf("bit %d: whole turns: %q, %v", bit, got, err)
		case !turns && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrRefused):
			t.Errorf("bit %d: %q, %v", bit, got, err)
		}
	}
}

func TestWrapRefused(t *testing.T) {
	w := newWorld(t)
	client, server := w.agree(t)
	token, err := client.Wrap([]byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(c *Context)) *Context {
		other := *server
		change(&other)
		return &other
	}
	for _, row := range []struct {
		name string
		to   *Context
		want error
	}{
		{"the same", with(func(*Context) {}), nil},
		{"come back to who sent it", client, ErrRefused},
		{"another key", with(func(c *Context) { c.key = anyKey(etypeID.AES256_CTS_HMAC_SHA1_96, 32) }), ErrRefused},
		{"a subkey that it was not made with", with(func(c *Context) { c.subkey = true }), ErrRefused},
		{"one was lost before it", with(func(c *Context) { c.receive-- }), ErrRefused},
		{"it came before", with(func(c *Context) { c.receive++ }), ErrRefused},
	} {
		if _, err := row.to.Unwrap(token); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	if _, err := server.Unwrap(token); err != nil {
		t.Error(err)
	}
	if _, err := server.Unwrap(token); !errors.Is(err, ErrRefused) {
		t.Errorf("the same token again: %v", err)
	}
}

// Flags have to be right even where the checksum is, which covers them. Those
// that nobody knows yet are ignored (RFC 4121 4.2.2).
func TestFlags(t *testing.T) {
	for _, row := range []struct {
		name  string
		flags byte
		want  error
	}{
		{"none", 0, nil},
		{"one that nobody knows", 0x08, nil},
		{"sent by the acceptor, to the acceptor", fromAcceptor, ErrRefused},
		{"encrypted", sealed, ErrMalformed},
		{"in a subkey that the acceptor did not assert", withSubkey, ErrRefused},
	} {
		client, server := newWorld(t).agree(t)
		h, message := header(row.flags, client.send), []byte("hello")
		sum, err := checksum(client.key, slices.Concat(message, h), keyusage.GSSAPI_INITIATOR_SEAL)
		if err != nil {
			t.Fatal(err)
		}
		h[5] = byte(len(sum))
		got, err := server.Unwrap(slices.Concat(h, message, sum))
		if !errors.Is(err, row.want) || err == nil && !bytes.Equal(got, message) {
			t.Errorf("%s: %q, %v", row.name, got, err)
		}
	}
}
