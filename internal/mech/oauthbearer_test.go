package mech

import (
	"encoding/base64"
	"errors"
	"testing"
)

func TestOAUTHBEARERMessages(t *testing.T) {
	right := bearerMessage{name: "alice", token: "token"}
	for _, row := range []struct {
		name, message string
		want          bearerMessage
		malformed     bool
	}{
		{"name and token", "n,a=alice,\x01auth=Bearer token\x01\x01", right, false},
		{"could bind", "y,a=alice,\x01auth=Bearer token\x01\x01", right, false},
		{"no name", "n,,\x01auth=Bearer token\x01\x01", bearerMessage{token: "token"}, false},
		{"host and port", "n,,\x01host=h.test\x01port=587\x01auth=Bearer token\x01\x01", bearerMessage{token: "token", host: "h.test"}, false},
		{"what nobody knows, twice", "n,a=alice,\x01x=\x01x=\t\r\n ~\x01auth=Bearer token\x01qs=\x01\x01", right, false},
		{"escapes", "n,a==2Ca=3D=2c=3d,\x01auth=Bearer token\x01\x01", bearerMessage{name: ",a=,=", token: "token"}, false},
		{"escaped escape", "n,a==3D2C,\x01auth=Bearer token\x01\x01", bearerMessage{name: "=2C", token: "token"}, false},
		{"control A in the name", "n,a=al\x01ice,\x01auth=Bearer token\x01\x01", bearerMessage{name: "al\x01ice", token: "token"}, false},
		{"scheme in another case", "n,a=alice,\x01auth=BEARER token\x01\x01", right, false},
		{"spaces before the token", "n,a=alice,\x01auth=Bearer   token\x01\x01", right, false},
		{"no token yet", "n,a=alice,\x01auth=\x01\x01", bearerMessage{name: "alice"}, false},

		{"empty", "", bearerMessage{}, true},
		{"what follows an error result", "\x01", bearerMessage{}, true},
		{"header alone", "n,,", bearerMessage{}, true},
		{"no pairs", "n,,\x01\x01", bearerMessage{}, true},
		{"bound", "p=tls-exporter,,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"bound to nothing", "p,,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"no flag", ",a=alice,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"not of the standard", "F,n,,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"no such flag", "x,,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"empty name", "n,a=,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"name without a=", "n,alice,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"bare equals sign", "n,a=al=ice,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"bare comma", "n,a=al,ice,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"NUL in the name", "n,a=al\x00ice,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"not UTF-8", "n,a=al\xffice,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"no auth", "n,,\x01host=h.test\x01\x01", bearerMessage{}, true},
		{"auth in another case", "n,,\x01AUTH=Bearer token\x01\x01", bearerMessage{}, true},
		{"auth twice", "n,,\x01auth=Bearer token\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"host twice", "n,,\x01host=a\x01host=a\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"port is zero", "n,,\x01port=0\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"port with a leading zero", "n,,\x01port=0587\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"port too large", "n,,\x01port=65536\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"port is a name", "n,,\x01port=smtp\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"empty port", "n,,\x01port=\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"key with a digit", "n,,\x01x1=\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"empty key", "n,,\x01=x\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"pair without equals sign", "n,,\x01x\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"value outside ASCII", "n,,\x01x=ü\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"value with NUL", "n,,\x01x=\x00\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"no end", "n,,\x01auth=Bearer token\x01", bearerMessage{}, true},
		{"more after the end", "n,,\x01auth=Bearer token\x01\x01\x01", bearerMessage{}, true},
		{"line end at the end", "n,,\x01auth=Bearer token\x01\x01\n", bearerMessage{}, true},
		{"another scheme", "n,,\x01auth=MAC token\x01\x01", bearerMessage{}, true},
		{"scheme alone", "n,,\x01auth=Bearer\x01\x01", bearerMessage{}, true},
		{"token alone", "n,,\x01auth=token\x01\x01", bearerMessage{}, true},
		{"tab before the token", "n,,\x01auth=Bearer\ttoken\x01\x01", bearerMessage{}, true},
		{"token with a line end", "n,,\x01auth=Bearer tok\nen\x01\x01", bearerMessage{}, true},
		{"XOAUTH2's", "user=alice\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
	} {
		got, err := readOAUTHBEARER([]byte(row.message))
		if row.malformed != errors.Is(err, ErrMalformed) || !row.malformed && (err != nil || got != row.want) {
			t.Errorf("%s: %+v, %v", row.name, got, err)
		}
	}
}

// RFC 7628 4, as printed there in base64.
func TestOAUTHBEARERPublished(t *testing.T) {
	config := bearerConfig("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==")
	for _, row := range []struct {
		name, message string
		done          bool
		err           error
	}{
		{"4.1, IMAP", "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyI" +
			"HZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB", true, nil},
		{"4.1, SMTP", "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHZGOWRmd" +
			"DRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB", true, nil},
		{"4.3, no token yet", "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9AQE=", false, nil},
		// The header says "user=" in place of "a=", which RFC 5801 4 does not have.
		{"4.4, another header", "bix1c2VyPXNvbWV1c2VyQGV4YW1wbGUuY29tLAFhdXRoPUJlYXJlciB2RjlkZnQ0cW1UYzJOdmIzUmxja0JoZEhSaGRtbHpkR0V1WTI5dENnPT0BAQ==",
			true, ErrMalformed},
	} {
		message, err := base64.StdEncoding.DecodeString(row.message)
		if err != nil {
			t.Fatal(err)
		}
		s := OAUTHBEARER.Server(config)
		if _, done, err := s.Next(message); done != row.done || !errors.Is(err, row.err) {
			t.Errorf("%s: done %v, %v", row.name, done, err)
		}
		if row.err == nil && s.Username() != "user@example.com" {
			t.Errorf("%s: name %q", row.name, s.Username())
		}
		if row.done {
			continue
		}
		if _, done, err := s.Next([]byte{1}); !done || !errors.Is(err, ErrCredentials) {
			t.Errorf("%s: in the end: done %v, %v", row.name, done, err)
		}
	}
}

func FuzzOAUTHBEARER(f *testing.F) {
	f.Add([]byte("n,a=alice,\x01host=h.test\x01port=587\x01auth=Bearer sesame\x01\x01"))
	f.Add([]byte("y,,\x01x=\t\x01auth=\x01\x01"))
	f.Add([]byte("n,a==2C=3D,\x01auth=Bearer sesame==\x01\x01"))
	fuzzBearer(f, OAUTHBEARER, readOAUTHBEARER)
}
