package render

import "github.com/mailmatrix/mailmatrix/internal/login"

// dovecotThree is Dovecot 2.3.
var dovecotThree = dovecot{
	title: "Dovecot 2.3",
	has: []login.Mechanism{login.PLAIN, login.LOGIN, login.APOP, login.CRAMMD5, login.DIGESTMD5, login.SCRAMSHA1, login.SCRAMSHA256,
		login.XOAUTH2, login.OAUTHBEARER, login.GSSAPI, login.EXTERNAL, login.ANONYMOUS},
	lacks: func(m login.Mechanism) string {
		if m == login.NTLM {
			return ", and has not since 2.3.13 (by Samba's winbind it would; we have not tried that)"
		}
		return ""
	},
	cleartext: "disable_plaintext_auth", permits: "no", forbids: "yes",
}

var _ = register(Server{
	Name: "dovecot-2.3", Title: "Dovecot 2.3 (POP3 and submission)",
	Basis:  "tried by us on Dovecot 2.3.19 of Debian 12",
	Render: dovecotThree.render("/etc/dovecot/local.conf"),
})
