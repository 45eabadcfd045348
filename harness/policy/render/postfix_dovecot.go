package render

import "github.com/mailmatrix/mailmatrix/internal/login"

// postfixOnDovecot are the classes that Dovecot tells Postfix: the MECH lines of
// its auth protocol mark PLAIN, LOGIN and the bearer tokens as plaintext, CRAM-MD5
// and DIGEST-MD5 as dictionary, and SCRAM, GSSAPI and EXTERNAL as neither.
var postfixOnDovecot = map[string][]login.Mechanism{
	"noplaintext":  {login.PLAIN, login.LOGIN, login.XOAUTH2, login.OAUTHBEARER},
	"nodictionary": {login.CRAMMD5, login.DIGESTMD5},
}

var _ = register(Server{
	Name: "postfix+dovecot", Title: "Postfix for SMTP, Dovecot 2.3 for POP3 and for Postfix's passwords",
	Basis:  "tried by us on Postfix 3.7.11 and Dovecot 2.3.19 of Debian 12",
	Render: renderPostfixDovecot,
})

func renderPostfixDovecot(policy login.Policy) Rendered {
	d := dovecotThree
	var p postfix
	var door dovecotDoor
	s := solve(func() []*control {
		p, door = newPostfix(postfixOnDovecot), d.door(login.POP3)
		var controls []*control
		for _, m := range d.has {
			if why, lacks := postfixLacks(m); lacks {
				controls = append(controls, &control{cells: cellsOf(login.SMTP, m), can: never, why: why})
			}
		}
		controls = append(controls, d.list(login.POP3, login.SMTP)...)
		controls = append(controls, p.controls...)
		controls = append(controls, door.controls()...)
		return lacking(controls, d.has, d.lack)
	}, policy)
	main := p.text("dovecot", "smtpd_sasl_path = private/auth\n")
	vain := d.vain(s, []dovecotDoor{door})
	if s.anywhere(login.EXTERNAL) && p.on.value == login.Allow {
		vain[Cell{login.SMTP, login.EXTERNAL}] = "Postfix does not list EXTERNAL, and takes AUTH EXTERNAL up all the same, to refuse it at its end"
	}
	local := d.text(s, []dovecotDoor{door}) +
		"service auth {\n  unix_listener /var/spool/postfix/private/auth {\n    mode = 0660\n    user = postfix\n    group = postfix\n  }\n}\n"
	return s.rendered(vain, d.notes(s), Piece{"/etc/postfix/main.cf", main}, Piece{"/etc/dovecot/local.conf", local})
}
