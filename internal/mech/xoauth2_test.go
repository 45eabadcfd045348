package mech

import (
	"errors"
	"testing"
)

func TestXOAUTH2Messages(t *testing.T) {
	for _, row := range []struct {
		name, message string
		want          bearerMessage
		malformed     bool
	}{
		{"as documented", "user=alice\x01auth=Bearer token\x01\x01", bearerMessage{name: "alice", token: "token"}, false},
		{"scheme in another case", "user=alice\x01auth=bearer token\x01\x01", bearerMessage{name: "alice", token: "token"}, false},
		{"equals signs", "user=a=b\x01auth=Bearer token==\x01\x01", bearerMessage{name: "a=b", token: "token=="}, false},
		{"no token yet", "user=alice\x01auth=\x01\x01", bearerMessage{name: "alice"}, false},

		{"empty", "", bearerMessage{}, true},
		{"a control A", "\x01", bearerMessage{}, true},
		{"no name", "user=\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"no user", "auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"no auth", "user=alice\x01\x01", bearerMessage{}, true},
		{"other order", "auth=Bearer token\x01user=alice\x01\x01", bearerMessage{}, true},
		{"auth twice", "user=alice\x01auth=Bearer token\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"another key", "user=alice\x01host=h\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"one control A at the end", "user=alice\x01auth=Bearer token\x01", bearerMessage{}, true},
		{"three at the end", "user=alice\x01auth=Bearer token\x01\x01\x01", bearerMessage{}, true},
		{"line end at the end", "user=alice\x01auth=Bearer token\x01\x01\n", bearerMessage{}, true},
		{"another scheme", "user=alice\x01auth=Basic token\x01\x01", bearerMessage{}, true},
		{"scheme alone", "user=alice\x01auth=Bearer \x01\x01", bearerMessage{}, true},
		{"token with a space", "user=alice\x01auth=Bearer to ken\x01\x01", bearerMessage{}, true},
		{"token with padding inside", "user=alice\x01auth=Bearer to=ken\x01\x01", bearerMessage{}, true},
		{"NUL in the name", "user=al\x00ice\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"not UTF-8", "user=al\xffice\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
		{"OAUTHBEARER's", "n,a=alice,\x01auth=Bearer token\x01\x01", bearerMessage{}, true},
	} {
		got, err := readXOAUTH2([]byte(row.message))
		if row.malformed != errors.Is(err, ErrMalformed) || !row.malformed && (err != nil || got != row.want) {
			t.Errorf("%s: %+v, %v", row.name, got, err)
		}
	}
}

func FuzzXOAUTH2(f *testing.F) {
	f.Add([]byte("user=alice\x01auth=Bearer sesame\x01\x01"))
	f.Add([]byte("user=alice\x01auth=\x01\x01"))
	fuzzBearer(f, XOAUTH2, readXOAUTH2)
}
