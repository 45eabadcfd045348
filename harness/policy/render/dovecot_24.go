package render

import "github.com/mailmatrix/mailmatrix/internal/login"

// dovecotFour is Dovecot 2.4. That auth_mechanisms is read once and for all
// protocols is in its src/auth/auth-sasl.c, auth_sasl_preinit; that NTLM is there
// with winbind only is in auth_sasl_mechs_init.
var dovecotFour = dovecot{
	title: "Dovecot 2.4",
	has: []login.Mechanism{login.PLAIN, login.LOGIN, login.APOP, login.CRAMMD5, login.DIGESTMD5,
		login.SCRAMSHA1, login.SCRAMSHA1PLUS, login.SCRAMSHA256, login.SCRAMSHA256PLUS,
		login.XOAUTH2, login.OAUTHBEARER, login.GSSAPI, login.EXTERNAL, login.ANONYMOUS},
	lacks: func(login.Mechanism) string {
		return " (by Samba's winbind it would; we have not tried that)"
	},
	cleartext: "auth_allow_cleartext", permits: "yes", forbids: "no",
}

var _ = register(Server{
	Name: "dovecot-2.4", Title: "Dovecot 2.4 (POP3 and submission)",
	Basis:  "NOT tried by us: from Dovecot's documentation and source of 2.4, and from what 2.3 does",
	Render: dovecotFour.render("/etc/dovecot/local.conf"),
})
