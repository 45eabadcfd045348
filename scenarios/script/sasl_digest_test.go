package script

import (
	"strings"
	"testing"
)

// The example of RFC 2831 4.
func TestDigestProof(t *testing.T) {
	r := DigestResponse{password: "secret"}
	for name, value := range map[string]string{
		"username": "chris", "realm": "elwood.innosoft.com", "nonce": "OA6MG9tEQGm2hh", "nc": "00000001",
		"cnonce": "OA6MHXh6VqTrRk", "qop": "auth", "digest-uri": "imap/elwood.innosoft.com",
	} {
		r = r.With(name, value)
	}
	if got, want := r.Proof(), "d388dad90d4bbd760a152321f2143af7"; got != want {
		t.Errorf("the client's proof is %s, not %s", got, want)
	}
	if got, want := r.proof(""), "ea40f60335c427b5527b84dbabcdfffd"; got != want {
		t.Errorf("the server's proof is %s, not %s", got, want)
	}
	if !strings.HasSuffix(r.Message(), ",response="+r.Proof()) {
		t.Errorf("the message is %q", r.Message())
	}
}

func TestDirectives(t *testing.T) {
	for _, c := range []struct {
		name, message, want string
		ok                  bool
	}{
		{"RFC 2831 4", `realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8`,
			"realm nonce qop algorithm charset", true},
		{"white space and empty elements", "realm=\"a, \\\"b\", ,\r\n nonce = \"c\"", "realm nonce", true},
		{"nothing", "", "", false},
		{"a quotation without an end", `realm="a`, "", false},
		{"no value", `realm=`, "", false},
		{"no comma", `realm="a" nonce="b"`, "", false},
		{"no name", `="a"`, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, ok := Directives(c.message)
			var names []string
			for _, d := range all {
				names = append(names, d.Name)
			}
			if ok != c.ok || ok && strings.Join(names, " ") != c.want {
				t.Errorf("got %q, %t", names, ok)
			}
		})
	}
	if all, _ := Directives(`realm="a, \"b"`); len(all) != 1 || all[0].Value != `a, "b` || !all[0].Quoted {
		t.Errorf("got %+v", all)
	}
}
