package mech

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// How a response may be written, and how not (RFC 2831 7). Each row changes a
// response that is right.
func TestDigestGrammar(t *testing.T) {
	for _, row := range []struct {
		name     string
		old, new string // once; an old "" is the beginning
		ok       bool
	}{
		{"white space before", "", " \t", true},
		{"white space after", "qop=auth", "qop=auth \t ", true},
		{"white space around a comma", ",nonce=", " ,\tnonce=", true},
		{"white space around an equals sign", "nonce=", "nonce \t= ", true},
		{"folded lines", ",nonce=", "\r\n ,\r\n\t\r\n nonce\r\n =\r\n\t", true},
		{"empty elements", ",nonce=", ",,\t, ,nonce=", true},
		{"empty elements first", "", ",, ", true},
		{"empty elements last", "qop=auth", "qop=auth,, ,", true},
		{"names in capitals", "nonce=", "NONCE=", true},
		{"unknown directive", "", "x=y,", true},
		{"unknown directives again", "", `x=y,x="z",algorithm=md5,algorithm=md5,`, true},
		{"a challenge's directive", "", "stale=true,stale=true,", true},
		{"a security layer's directives", "", `maxbuf=65536,cipher=rc4,`, true},
		{"escaped without need", `"alice"`, `"a\lic\e"`, true},
		{"quoted nc, as curl does", "nc=00000001", `nc="00000001"`, true},
		{"quoted qop", "qop=auth", `qop="auth"`, true},
		{"quoted charset", "charset=utf-8", `charset="utf-8"`, true},
		{"charset in capitals", "charset=utf-8", "charset=UTF-8", true},
		{"no charset", "charset=utf-8,", "", true},
		{"no qop", ",qop=auth", "", true},
		{"empty authzid", "qop=auth", `qop=auth,authzid=""`, true},

		{"another charset", "charset=utf-8", "charset=utf-16", false},
		{"empty charset", "charset=utf-8", `charset=""`, false},
		{"empty qop", "qop=auth", `qop=""`, false},
		{"a list of qop", "qop=auth", `qop="auth,auth-int"`, false},
		{"no value", "qop=auth", "qop=auth,x=", false},
		{"no equals sign", "qop=auth", "qop", false},
		{"no name", "qop=auth", "=auth", false},
		{"quoted name", "qop=auth", `"qop"=auth`, false},
		{"no comma", ",nonce=", " nonce=", false},
		{"semicolon for comma", ",nonce=", ";nonce=", false},
		{"two values", "qop=auth", "qop=auth auth", false},
		{"text after a quoted string", `"alice"`, `"alice"x`, false},
		{"separator in a token", "qop=auth", "qop=au/th", false},
		{"no second quotation mark", `"alice"`, `"alice`, false},
		{"quotation mark in the middle", `"alice"`, `"al"ice"`, false},
		{"backslash last", "qop=auth", `x="\`, false},
		{"backslash before an octet of no character", "qop=auth", `qop=auth,x="\ä"`, false},
		{"control character", `"alice"`, "\"alice\x00\"", false},
		{"DEL", `"alice"`, "\"alice\x7f\"", false},
		{"bare CR", `"alice"`, "\"ali\rce\"", false},
		{"bare LF", `"alice"`, "\"ali\nce\"", false},
		{"line that is not folded", `"alice"`, "\"ali\r\nce\"", false},
		{"line end last", "qop=auth", "qop=auth\r\n", false},
		{"octet beyond ASCII in a token", "qop=auth", "qop=auth,x=ä", false},
		{"DEL in a token", "qop=auth", "qop=auth,x=\x7f", false},

		{"username twice", `username="alice"`, `username="alice",username="alice"`, false},
		{"username twice, in capitals", `username="alice"`, `username="alice",USERNAME="alice"`, false},
		{"realm twice", "", `realm="mail.example.test",`, false},
		{"nonce twice", "", `nonce="x",`, false},
		{"cnonce twice", "", `cnonce="x",`, false},
		{"nc twice", "", "nc=00000001,", false},
		{"qop twice", "", "qop=auth,", false},
		{"digest-uri twice", "", `digest-uri="smtp/x",`, false},
		{"response twice", "", "response=" + strings.Repeat("0", 32) + ",", false},
		{"maxbuf twice", "", "maxbuf=1,maxbuf=1,", false},
		{"charset twice", "", "charset=utf-8,", false},
		{"cipher twice", "", "cipher=rc4,cipher=rc4,", false},
		{"authzid twice", "", `authzid="alice",authzid="alice",`, false},

		{"no username", `username="alice",`, "", false},
		{"no nonce", ",nonce=", ",once=", false},
		{"no cnonce", `,cnonce="fresh"`, "", false},
		{"empty cnonce", `cnonce="fresh"`, `cnonce=""`, false},
		{"no nc", ",nc=00000001", "", false},
		{"no digest-uri", `,digest-uri="smtp/mail.example.test"`, "", false},
		{"no response", ",response=", ",resp=", false},
		{"response too long", ",response=", ",response=0", false},
		{"response not hex", ",response=", ",response=g", false},
		{"nc not hex", "nc=00000001", "nc=0000000g", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			server, r := askedDigestServer(t)
			message := string(r.encode())
			changed := strings.Replace(message, row.old, row.new, 1)
			if changed == message {
				t.Fatalf("%q has no %q", message, row.old)
			}
			_, _, err := server.Next([]byte(changed))
			if row.ok && err != nil || !row.ok && !errors.Is(err, ErrMalformed) {
				t.Errorf("%q: %v", changed, err)
			}
		})
	}
}

// Capitals are another digest (RFC 2831 2.1.2, LHEX).
func TestDigestResponseInCapitals(t *testing.T) {
	server, r := askedDigestServer(t)
	for r.response == strings.ToUpper(r.response) { // until it has a letter
		r.cnonce += "x"
		r.response = r.proof(digestOfClient, digestPassword)
	}
	r.response = strings.ToUpper(r.response)
	if _, _, err := server.Next(r.encode()); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func TestDigestResponseLimit(t *testing.T) {
	for size, want := range map[int]error{4095: nil, 4096: ErrMalformed} {
		server, r := askedDigestServer(t)
		message := append(r.encode(), ",x="...)
		message = append(message, strings.Repeat("x", size-len(message))...)
		if _, _, err := server.Next(message); !errors.Is(err, want) {
			t.Errorf("%d octets: %v", size, err)
		}
	}
}

// No directive at all is no message, however many commas there are.
func TestDigestNeedsADirective(t *testing.T) {
	for _, message := range []string{"", " ", ",", " , \t,\r\n "} {
		if list, err := responseForm.parse([]byte(message)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v, %v", message, list, err)
		}
	}
}

// A folded line in a value is one space (RFC 2831 7.2); blanks are themselves.
func TestDigestFolding(t *testing.T) {
	list, err := responseForm.parse([]byte("a=\"x\r\n \t\r\n y\",b=\"x \t y\""))
	if err != nil || list.value("a", "") != "x y" || list.value("b", "") != "x \t y" {
		t.Errorf("%q, %v", list, err)
	}
}

// Errors do not repeat what was sent: it may be a secret in the wrong place.
func TestDigestErrorsAreSilent(t *testing.T) {
	for _, message := range []string{"hunter2", "hunter2 ", `hunter2="hunter2`, "x=hunter2 hunter2", "hunter2=a,hunter2=a",
		"charset=hunter2", "nc=hunter2", "response=hunter2", "username=hunter2"} {
		if _, err := parseDigestResponse([]byte(message)); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", message, err)
		}
	}
}

// Whatever octets stand in it, a value survives.
func TestDigestQuoting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := string(rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "value"))
		list, err := responseForm.parse([]byte("a=" + digestQuote(value) + ",b=c"))
		if err != nil || list.value("a", "-") != value || list.value("b", "") != "c" {
			t.Fatalf("%q, %v", list, err)
		}
	})
}

// The parser takes a list for what it means: written down again, it is the
// same list.
func FuzzDigestDirectives(f *testing.F) {
	f.Add([]byte(digestOffer))
	f.Add([]byte(`realm="a",realm="b\"\\" , ,nonce=x`))
	f.Add([]byte("a=\"x\r\n y\",\tb\r\n = c"))
	f.Add([]byte("rspauth=ea40f60335c427b5527b84dbabcdfffd"))
	f.Fuzz(func(t *testing.T, message []byte) {
		for _, form := range []digestForm{challengeForm, responseForm, responseAuthForm} {
			list, err := form.parse(message)
			if err != nil {
				if !errors.Is(err, ErrMalformed) {
					t.Fatalf("%v is no answer of a parser", err)
				}
				continue
			}
			var again []string
			for _, name := range slices.Sorted(maps.Keys(list)) {
				for _, value := range list[name] {
					again = append(again, name+"="+digestQuote(value))
				}
			}
			form.limit *= 4 // quotation marks and backslashes make it longer
			second, err := form.parse([]byte(strings.Join(again, ",")))
			if err != nil || !maps.EqualFunc(list, second, slices.Equal[[]string]) {
				t.Fatalf("%q is %q, and then %q: %v", message, list, second, err)
			}
		}
	})
}

// Nobody gets in without a proof, and every refusal is one that a server half
// may give.
func FuzzDigestServer(f *testing.F) {
	fixed := func() Server {
		config := testConfig("alice", digestPassword)
		config.Rand = bytes.NewReader(make([]byte, 18)) // the same nonce each time, so that a seed can be right
		return DigestMD5.Server(config)
	}
	challenge, _, _ := fixed().Next(nil)
	right, _ := DigestMD5.Client(testClient("alice", digestPassword)).Next(challenge)
	wrong, _ := DigestMD5.Client(testClient("alice", "wrong")).Next(challenge)
	for _, seed := range [][]byte{right, wrong, []byte(digestOffer), {}} {
		f.Add(seed, []byte{})
	}
	f.Fuzz(func(t *testing.T, message, acknowledgement []byte) {
		server := fixed()
		if _, _, err := server.Next(nil); err != nil {
			t.Fatal(err)
		}
		challenge, done, err := server.Next(message)
		if err == nil {
			r, err := parseDigestResponse(message)
			if err != nil || done || server.Username() != "alice" || r.response != r.proof(digestOfClient, digestPassword) {
				t.Fatalf("%q is accepted: %v", message, err)
			}
			if string(challenge) != "rspauth="+r.proof(digestOfServer, digestPassword) {
				t.Fatalf("%q is answered by %q", message, challenge)
			}
			_, done, err = server.Next(acknowledgement)
			if !done || (err == nil) != (acknowledgement != nil && len(acknowledgement) == 0) {
				t.Fatalf("%q ends it: done %v, %v", acknowledgement, done, err)
			}
		} else if !done || !errors.Is(err, ErrCredentials) && !errors.Is(err, ErrMalformed) {
			t.Fatalf("%q: done %v, %v is no answer of a server half", message, done, err)
		}
		if _, _, err := server.Next(right); !errors.Is(err, ErrMalformed) {
			t.Fatalf("after %q: %v", message, err)
		}
	})
}

// Whatever the challenge, what the client answers is a response that carries
// the challenge's nonce; and no proof but the right one satisfies it.
func FuzzDigestClient(f *testing.F) {
	f.Add([]byte(digestOffer), []byte("rspauth=ea40f60335c427b5527b84dbabcdfffd"))
	f.Add([]byte(`nonce="\"",algorithm="MD5-sess",qop="auth-int,auth"`), []byte{})
	f.Fuzz(func(t *testing.T, challenge, proof []byte) {
		config := testClient("älice", digestPassword)
		config.Rand = bytes.NewReader(make([]byte, 18))
		client := DigestMD5.Client(config)
		response, err := client.Next(challenge)
		if err != nil {
			return
		}
		c, _ := parseDigestChallenge(challenge)
		r, err := parseDigestResponse(response)
		if err != nil || r.nonce != c.nonce || r.username != "älice" || r.response != r.proof(digestOfClient, digestPassword) {
			t.Fatalf("%q is answered by %q: %v", challenge, response, err)
		}
		_, err = client.Next(proof)
		if err == nil && !bytes.Contains(proof, []byte(r.proof(digestOfServer, digestPassword))) {
			t.Fatalf("%q is taken for the server's proof", proof)
		}
	})
}
