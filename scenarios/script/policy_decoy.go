package script

import "github.com/mailmatrix/mailmatrix/internal/login"

// Decoy is the first message of the mechanism that the case is being played
// with, in base64, of somebody who never was; "" where the server speaks first.
// It is well-formed as far as nobody's secret goes.
var Decoy Part = field{"<decoy message>", func(p *Play) string {
	if of := decoys[p.mechanism]; of != nil {
		return b64([]byte(of(p)))
	}
	return ""
}, false, true}

// HasDecoy reports whether there is such a message: the mechanism lets the
// client speak first.
func (p *Play) HasDecoy() bool { return decoys[p.mechanism] != nil }

var decoys = map[login.Mechanism]func(*Play) string{
	login.PLAIN: func(p *Play) string { return "\x00" + p.word("decoy") + "\x00" + p.word("decoy password") }, // RFC 4616 2
	login.NTLM:  func(*Play) string { return string(NTLMNegotiate()) },

	login.SCRAMSHA1:       scramDecoy("n,,"),
	login.SCRAMSHA256:     scramDecoy("n,,"),
	login.SCRAMSHA1PLUS:   scramDecoy("p=tls-exporter,,"),
	login.SCRAMSHA256PLUS: scramDecoy("p=tls-exporter,,"),

	login.XOAUTH2:     func(p *Play) string { return xoauth2Message(p.word("decoy"), p.word("decoy token")) },
	login.OAUTHBEARER: func(p *Play) string { return oauthMessage(p.word("decoy"), p.Name(), p.word("decoy token")) },

	login.EXTERNAL:  func(p *Play) string { return p.word("decoy") }, // RFC 4422 A.1
	login.ANONYMOUS: func(p *Play) string { return p.word("trace") }, // RFC 4505 2
	// No ticket can be made up; this is a token of Kerberos (RFC 4121 4.1) with
	// nothing in it.
	login.GSSAPI: func(*Play) string { return "\x60\x0d\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00" },
}

// scramDecoy is RFC 5802 7's client-first-message.
func scramDecoy(header string) func(*Play) string {
	return func(p *Play) string {
		return header + "n=" + p.word("decoy") + ",r=" + p.SCRAMNonce()
	}
}

// xoauth2Message is Google's "initial client response".
func xoauth2Message(name, token string) string {
	return "user=" + name + "\x01auth=Bearer " + token + "\x01\x01"
}

// oauthMessage is that of RFC 7628 3.1.
func oauthMessage(name, host, token string) string {
	return "n,a=" + saslName(name) + ",\x01host=" + host + "\x01auth=Bearer " + token + "\x01\x01"
}
