package mech

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

const digestOffer = `realm="r",nonce="n",qop="auth",algorithm=md5-sess,charset=utf-8`

// The client answers a challenge that it can, and no other.
func TestDigestClientReadsTheChallenge(t *testing.T) {
	for _, row := range []struct {
		name, challenge string
		answers         bool
	}{
		{"as ours", digestOffer, true},
		{"no qop is auth", `realm="r",nonce="n",algorithm=md5-sess`, true},
		{"auth among others", `realm="r",nonce="n",qop="auth-int, ,foo ,	Auth",algorithm=md5-sess`, true},
		{"in capitals", `REALM="r",NONCE="n",QOP="AUTH",ALGORITHM=MD5-SESS,CHARSET=UTF-8`, true},
		{"Dovecot's quotation marks", `realm="",nonce="n",qop="auth",charset="utf-8",algorithm="md5-sess"`, true},
		{"HTTP's directives", digestOffer + `,opaque="a",opaque="b",domain="/"`, true},
		{"a security layer's", digestOffer + `,maxbuf=65536,cipher="3des,rc4"`, true},
		{"empty", "", false},
		{"no nonce", `realm="r",qop="auth",algorithm=md5-sess`, false},
		{"empty nonce", `realm="r",nonce="",algorithm=md5-sess`, false},
		{"two nonces", digestOffer + `,nonce="m"`, false},
		{"no algorithm", `realm="r",nonce="n",qop="auth"`, false},
		{"another algorithm", `realm="r",nonce="n",algorithm=md5`, false},
		{"two algorithms", digestOffer + `,algorithm=md5-sess`, false},
		{"no auth", `realm="r",nonce="n",qop="auth-int,auth-conf",algorithm=md5-sess`, false},
		{"empty qop", `realm="r",nonce="n",qop="",algorithm=md5-sess`, false},
		{"qop twice", digestOffer + `,qop="auth"`, false},
		{"another charset", `realm="r",nonce="n",algorithm=md5-sess,charset=iso-8859-1`, false},
		{"charset twice", digestOffer + `,charset=utf-8`, false},
		{"stale twice", digestOffer + `,stale=true,stale=true`, false},
		{"maxbuf twice", digestOffer + `,maxbuf=1,maxbuf=1`, false},
		{"cipher twice", digestOffer + `,cipher="3des",cipher="des"`, false},
		{"2047 octets", digestOffer + `,x="` + strings.Repeat("x", 2047-len(digestOffer)-5) + `"`, true},
		{"2048 octets", digestOffer + `,x="` + strings.Repeat("x", 2048-len(digestOffer)-5) + `"`, false},
		{"a proof before ours", "rspauth=" + strings.Repeat("0", 32), false},
	} {
		response, err := DigestMD5.Client(testClient("alice", digestPassword)).Next([]byte(row.challenge))
		if (err == nil) != row.answers {
			t.Errorf("%s: %q, %v", row.name, response, err)
		}
	}
}

// What the client says to what.
func TestDigestClientAnswers(t *testing.T) {
	pop3 := testClient("alice", digestPassword)
	pop3.Protocol = login.POP3
	acting := testClient("alice", digestPassword)
	acting.Authzid = "b\"ob"
	for _, row := range []struct {
		name, challenge string
		config          ClientConfig
		want            string // part of the response
	}{
		{"the realm", digestOffer, testClient("alice", digestPassword), `,realm="r",`},
		{"the first of several", `realm="1",` + strings.ReplaceAll(digestOffer, `"r"`, `"2"`), testClient("alice", digestPassword), `,realm="1",`},
		{"an empty one", strings.ReplaceAll(digestOffer, `"r"`, `""`), testClient("alice", digestPassword), `,realm="",`},
		{"none, so the host", `nonce="n",algorithm=md5-sess`, testClient("alice", digestPassword), `,realm="mail.example.test",`},
		{"the nonce, escaped", strings.ReplaceAll(digestOffer, `"n"`, `"\"\\"`), testClient("alice", digestPassword), `,nonce="\"\\",`},
		{"SMTP", digestOffer, testClient("alice", digestPassword), `,digest-uri="smtp/mail.example.test",`},
		{"POP3", digestOffer, pop3, `,digest-uri="pop/mail.example.test",`},
		{"UTF-8", digestOffer, testClient("Ωä", digestPassword), `charset=utf-8,username="Ωä",`},
		{"ISO 8859-1", `nonce="n",algorithm=md5-sess`, testClient("ä", digestPassword), "username=\"\xe4\","},
		{"somebody else", digestOffer, acting, `,qop=auth,authzid="b\"ob"`},
	} {
		response, err := DigestMD5.Client(row.config).Next([]byte(row.challenge))
		if err != nil || !strings.Contains(string(response), row.want) {
			t.Errorf("%s: %q, %v", row.name, response, err)
		}
	}
}

// What a client cannot do is an error of its own.
func TestDigestClientCannot(t *testing.T) {
	whole := testClient("alice", digestPassword)
	for _, row := range []struct {
		name, challenge string
		change          func(*ClientConfig)
	}{
		{"no protocol", digestOffer, func(c *ClientConfig) { c.Protocol = "" }},
		{"no host", digestOffer, func(c *ClientConfig) { c.Host = "" }},
		{"no chance", digestOffer, func(c *ClientConfig) { c.Rand = strings.NewReader("short") }},
		{"too long a name", digestOffer, func(c *ClientConfig) { c.Username = strings.Repeat("x", 4000) }},
		{"name beyond ISO 8859-1", `nonce="n",algorithm=md5-sess`, func(c *ClientConfig) { c.Username = "Ω" }},
		{"password beyond ISO 8859-1", `nonce="n",algorithm=md5-sess`, func(c *ClientConfig) { c.Password = "€" }},
	} {
		config := whole
		row.change(&config)
		if response, err := DigestMD5.Client(config).Next([]byte(row.challenge)); err == nil {
			t.Errorf("%s: %q", row.name, response)
		}
	}
}

// The client believes no server that does not have the password, and hears
// nothing after the proof.
func TestDigestClientChecksTheServer(t *testing.T) {
	for _, row := range []struct {
		name   string
		proof  func(digestResponse) string
		agrees bool
	}{
		{"right", func(r digestResponse) string { return "rspauth=" + r.proof(digestOfServer, digestPassword) }, true},
		{"with white space", func(r digestResponse) string { return " RSPAUTH\t= " + r.proof(digestOfServer, digestPassword) }, true},
		{"of another password", func(r digestResponse) string { return "rspauth=" + r.proof(digestOfServer, "x") }, false},
		{"the client's own", func(r digestResponse) string { return "rspauth=" + r.response }, false},
		{"in capitals", func(r digestResponse) string {
			return "rspauth=" + strings.ToUpper(r.proof(digestOfServer, digestPassword))
		}, false},
		{"twice", func(r digestResponse) string {
			proof := "rspauth=" + r.proof(digestOfServer, digestPassword)
			return proof + "," + proof
		}, false},
		{"none", func(digestResponse) string { return "x=y" }, false},
		{"empty", func(digestResponse) string { return "" }, false},
		{"another challenge", func(digestResponse) string { return digestOffer }, false},
	} {
		client := DigestMD5.Client(testClient("alice", digestPassword))
		response, err := client.Next([]byte(digestOffer))
		if err != nil {
			t.Fatal(err)
		}
		r, err := parseDigestResponse(response)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Next([]byte(row.proof(r)))
		if (err == nil) != row.agrees || row.agrees && (answer == nil || len(answer) > 0) {
			t.Errorf("%s: %q, %v", row.name, answer, err)
		}
		right := "rspauth=" + r.proof(digestOfServer, digestPassword)
		for _, more := range []string{right, digestOffer, ""} {
			if answer, err := client.Next([]byte(more)); err == nil {
				t.Errorf("%s, then %q is answered by %q", row.name, more, answer)
			}
		}
	}
}
