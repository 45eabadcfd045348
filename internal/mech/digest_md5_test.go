package mech

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func init() {
	published[login.DIGESTMD5] = func(half any, v vector) {
		switch half := half.(type) {
		case *digestServer:
			c, _ := parseDigestChallenge([]byte(v.messages[0]))
			half.nonce = c.nonce
		case *digestClient:
			r, _ := parseDigestResponse([]byte(v.messages[1]))
			half.cnonce = r.cnonce
		}
	}
}

const digestPassword = "pass word"

// askedDigestServer is one that waits for alice's response, and what she would
// say to it.
func askedDigestServer(t testing.TB) (Server, digestResponse) {
	t.Helper()
	server := DigestMD5.Server(testConfig("alice", digestPassword))
	challenge, done, err := server.Next(nil)
	if err != nil || done {
		t.Fatal(done, err)
	}
	c, err := parseDigestChallenge(challenge)
	if err != nil {
		t.Fatal(err)
	}
	r := digestResponse{username: "alice", realm: c.realms[0], nonce: c.nonce, cnonce: "fresh", nc: "00000001",
		qop: "auth", uri: "smtp/mail.example.test", utf8: c.utf8}
	r.response = r.proof(digestOfClient, digestPassword)
	return server, r
}

// Every text can be a name or a password, whatever has to be escaped, and
// whether ISO 8859-1 has its characters or not.
func TestDigestHalvesAgree(t *testing.T) {
	awkward := rapid.StringOfN(rapid.SampledFrom([]rune("a\"\\,= \t\r\n\x00\x7fäÿĀ€Ω𝛀")), 1, 40, -1)
	text := rapid.OneOf(rapid.StringN(1, 40, -1), awkward)
	rapid.Check(t, func(t *rapid.T) {
		user, pass := text.Draw(t, "name"), text.Draw(t, "password")
		client := testClient(user, pass)
		client.Authzid = rapid.SampledFrom([]string{"", user}).Draw(t, "authzid")
		if err := exchange(t, DigestMD5, client, testConfig(user, pass), same); err != nil {
			t.Fatalf("right credentials: %v", err)
		}
		if err := exchange(t, DigestMD5, client, testConfig(user, pass+"x"), same); !errors.Is(err, ErrCredentials) {
			t.Fatalf("wrong password: %v", err)
		}
		if err := exchange(t, DigestMD5, client, testConfig(user+"x", pass), same); !errors.Is(err, ErrCredentials) {
			t.Fatalf("unknown name: %v", err)
		}
	})
}

// Without charset=utf-8 in the challenge, client and server speak ISO 8859-1;
// what it cannot say, the client does not try to.
func TestDigestHalvesAgreeInLatin1(t *testing.T) {
	text := rapid.StringOfN(rapid.RuneFrom([]rune("az\"\\,äÿ\u0080\u00a0Ā€𝛀")), 1, 8, -1)
	rapid.Check(t, func(t *rapid.T) {
		user, pass := text.Draw(t, "name"), text.Draw(t, "password")
		server := DigestMD5.Server(testConfig(user, pass))
		challenge, _, err := server.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		challenge, had := bytes.CutSuffix(challenge, []byte(",charset=utf-8"))
		response, err := DigestMD5.Client(testClient(user, pass)).Next(challenge)
		if sayable := !strings.ContainsAny(user+pass, "Ā€𝛀"); !had || sayable != (err == nil) {
			t.Fatalf("sayable %v: %v", sayable, err)
		}
		if err != nil {
			return
		}
		if _, _, err := server.Next(response); err != nil || server.Username() != user {
			t.Fatalf("%q is known as %q: %v", user, server.Username(), err)
		}
	})
}

// A proof that is right for what it says is refused for what it says. Each row
// is right in all but one thing.
func TestDigestServerRefuses(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*digestResponse)
		want   error // nil is accepted
	}{
		{"nothing changed", func(*digestResponse) {}, nil},
		{"qop in capitals", func(r *digestResponse) { r.qop = "AUTH" }, nil},
		{"service in capitals", func(r *digestResponse) { r.uri = "SMTP/mail.example.test" }, nil},
		{"another name for the host", func(r *digestResponse) { r.uri = "smtp/127.0.0.1" }, nil},
		{"an IPv6 address", func(r *digestResponse) { r.uri = "smtp/::1" }, nil},
		{"a replicated service", func(r *digestResponse) { r.uri = "smtp/mx1.example.test/example.test" }, nil},
		{"own authzid", func(r *digestResponse) { r.authzid = "alice" }, nil},
		{"another authzid", func(r *digestResponse) { r.authzid = "bob" }, ErrCredentials},
		{"authzid not in UTF-8", func(r *digestResponse) { r.authzid = "alic\xe9" }, ErrMalformed},
		{"unknown name", func(r *digestResponse) { r.username = "bob" }, ErrCredentials},
		{"name not in UTF-8", func(r *digestResponse) { r.username = "alic\xe9" }, ErrMalformed},
		{"no name", func(r *digestResponse) { r.username = "" }, ErrMalformed},
		{"another realm", func(r *digestResponse) { r.realm = "example.test" }, ErrCredentials},
		{"empty realm", func(r *digestResponse) { r.realm = "" }, ErrCredentials},
		{"another nonce", func(r *digestResponse) { r.nonce = strings.Repeat("0", 32) }, ErrCredentials},
		{"no cnonce", func(r *digestResponse) { r.cnonce = "" }, ErrMalformed},
		{"second use of the nonce", func(r *digestResponse) { r.nc = "00000002" }, ErrCredentials},
		{"no use of the nonce", func(r *digestResponse) { r.nc = "00000000" }, ErrCredentials},
		{"nc of 7 digits", func(r *digestResponse) { r.nc = "0000001" }, ErrMalformed},
		{"auth-int", func(r *digestResponse) { r.qop = "auth-int" }, ErrMalformed},
		{"auth-conf", func(r *digestResponse) { r.qop = "auth-conf" }, ErrMalformed},
		{"POP3's service", func(r *digestResponse) { r.uri = "pop/mail.example.test" }, ErrCredentials},
		{"IMAP's service", func(r *digestResponse) { r.uri = "imap/mail.example.test" }, ErrCredentials},
		{"no service", func(r *digestResponse) { r.uri = "/mail.example.test" }, ErrMalformed},
		{"no host", func(r *digestResponse) { r.uri = "smtp/" }, ErrMalformed},
		{"service alone", func(r *digestResponse) { r.uri = "smtp" }, ErrMalformed},
		{"empty serv-name", func(r *digestResponse) { r.uri = "smtp/mail.example.test/" }, ErrMalformed},
		{"four parts", func(r *digestResponse) { r.uri = "smtp/a/b/c" }, ErrMalformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			server, r := askedDigestServer(t)
			row.change(&r)
			r.response = r.proof(digestOfClient, digestPassword)
			challenge, done, err := server.Next(r.encode())
			if !errors.Is(err, row.want) || done != (row.want != nil) {
				t.Fatalf("%q, done %v, %v", challenge, done, err)
			}
			if row.want == nil && string(challenge) != "rspauth="+r.proof(digestOfServer, digestPassword) {
				t.Errorf("%q", challenge)
			}
		})
	}
}

// A response cut short is refused, up to its last directive: without qop it is
// whole (RFC 2831 2.1.2).
func TestDigestTruncated(t *testing.T) {
	_, r := askedDigestServer(t)
	whole := len(r.encode()) - len(",qop=auth")
	for keep := range whole + 1 {
		server, r := askedDigestServer(t)
		_, _, err := server.Next(r.encode()[:keep])
		if keep == whole {
			if err != nil {
				t.Errorf("without qop: %v", err)
			}
		} else if !errors.Is(err, ErrMalformed) {
			t.Errorf("%d octets: %v", keep, err)
		}
	}
}

// An exchange goes one way only: a response is judged once, whatever the
// judgement.
func TestDigestServerSteps(t *testing.T) {
	const right, wrong = "right", "wrong"
	for _, row := range []struct {
		name     string
		messages []string // after the challenge
		want     []error  // of each; nil is done at an empty message
	}{
		{"as it should be", []string{right, ""}, []error{nil, nil}},
		{"the proof again in place of the acknowledgement", []string{right, right, ""}, []error{nil, ErrMalformed, ErrMalformed}},
		{"replay after success", []string{right, "", right, ""}, []error{nil, nil, ErrMalformed, ErrMalformed}},
		{"right after wrong", []string{wrong, right, ""}, []error{ErrCredentials, ErrMalformed, ErrMalformed}},
		{"right after malformed", []string{"x", right, ""}, []error{ErrMalformed, ErrMalformed, ErrMalformed}},
		{"empty", []string{"", ""}, []error{ErrMalformed, ErrMalformed}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server, r := askedDigestServer(t)
			w := r
			w.response = r.proof(digestOfClient, "another")
			for i, message := range row.messages {
				switch message {
				case right:
					message = string(r.encode())
				case wrong:
					message = string(w.encode())
				}
				_, done, err := server.Next([]byte(message))
				if !errors.Is(err, row.want[i]) || done != (err != nil || message == "") {
					t.Fatalf("message %d: done %v, %v", i, done, err)
				}
			}
		})
	}
}

func TestDigestServerFirst(t *testing.T) {
	for _, initial := range []string{"", "username=\"alice\""} {
		server := DigestMD5.Server(testConfig("alice", digestPassword))
		if _, done, err := server.Next([]byte(initial)); !done || !errors.Is(err, ErrServerFirst) {
			t.Errorf("%q: done %v, %v", initial, done, err)
		}
		if challenge, _, err := server.Next(nil); err == nil {
			t.Errorf("%q, and then %q", initial, challenge)
		}
	}
}

// No message is not an empty one.
func TestDigestServerWaits(t *testing.T) {
	server, r := askedDigestServer(t)
	if _, _, err := server.Next(r.encode()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := server.Next(nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("no acknowledgement: %v", err)
	}
}

func TestDigestChallengesAreFresh(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		_, r := askedDigestServer(t)
		if seen[r.nonce] || len(r.nonce) < 16 {
			t.Fatalf("nonce %q", r.nonce)
		}
		seen[r.nonce] = true
	}
	config := testConfig("alice", digestPassword)
	config.Rand = bytes.NewReader(make([]byte, 15))
	if _, done, err := DigestMD5.Server(config).Next(nil); !done || err == nil || errors.Is(err, ErrMalformed) {
		t.Errorf("too little chance: done %v, %v", done, err)
	}
}

// What the account is does not show in what is asked of the database, nor in
// the steps.
func TestDigestUnknownNameLooksWrong(t *testing.T) {
	for _, name := range []string{"alice", "bob"} {
		looked := 0
		config := testConfig("alice", digestPassword)
		lookup := config.Lookup
		config.Lookup = func(name string) (string, bool) { looked++; return lookup(name) }
		server := DigestMD5.Server(config)
		challenge, _, _ := server.Next(nil)
		response, err := DigestMD5.Client(testClient(name, "wrong")).Next(challenge)
		if err != nil {
			t.Fatal(err)
		}
		_, done, err := server.Next(response)
		if looked != 1 || !done || !errors.Is(err, ErrCredentials) || err.Error() != ErrCredentials.Error() || server.Username() != name {
			t.Errorf("%s: %d look-ups, done %v, %v, known as %q", name, looked, done, err, server.Username())
		}
	}
}

// An unknown name is refused even with the password that stands in for its own.
func TestDigestUnknownNameIsRefused(t *testing.T) {
	client := testClient("bob", "of nobody")
	if err := exchange(t, DigestMD5, client, testConfig("alice", digestPassword), same); !errors.Is(err, ErrCredentials) {
		t.Error(err)
	}
}
