package render

import (
	"fmt"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// cyrusHas are the mechanisms of Debian's libsasl2-modules, and GSSAPI of
// libsasl2-modules-gssapi-mit.
var cyrusHas = []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.DIGESTMD5, login.SCRAMSHA1, login.SCRAMSHA256,
	login.NTLM, login.GSSAPI}

// postfixOnCyrus is the class that Cyrus SASL tells apart and that we use. Its
// nodictionary takes away nearly everything.
var postfixOnCyrus = map[string][]login.Mechanism{"noplaintext": {login.PLAIN, login.LOGIN}}

var _ = register(Server{
	Name: "postfix+cyrus", Title: "Postfix with Cyrus SASL (SMTP)",
	Basis: "tried by us on Postfix 3.7.11 and Cyrus SASL 2.1.28 of Debian 12: PLAIN and LOGIN to the end, " +
		"CRAM-MD5, DIGEST-MD5, SCRAM and NTLM as far as they are taken up; GSSAPI not",
	Render: renderPostfixCyrus,
})

func renderPostfixCyrus(policy login.Policy) Rendered {
	var p postfix
	s := solve(func() []*control {
		p = newPostfix(postfixOnCyrus)
		var controls []*control
		for _, m := range cyrusHas {
			controls = append(controls, &control{cells: cellsOf(login.SMTP, m), can: onOff, why: "mech_list is for clear links and for TLS"})
		}
		controls = append(controls, p.controls...)
		return lacking(controls, cyrusHas, func(c Cell) string {
			why, lacks := postfixLacks(c.Mechanism)
			switch {
			case c.Protocol == login.POP3:
				return "Postfix speaks no POP3: the server that does has a configuration of its own"
			case lacks:
				return why
			default:
				return "Debian's Cyrus SASL does not have it"
			}
		})
	}, policy)
	main := p.text("cyrus", "smtpd_sasl_path = smtpd\n")
	pieces := []Piece{{"/etc/postfix/main.cf", main}}
	var notes []string
	if listed := s.listed(login.SMTP); len(listed) > 0 {
		pieces = append(pieces, Piece{"/etc/postfix/sasl/smtpd.conf",
			fmt.Sprintf("mech_list: %s\n", strings.ReplaceAll(join(listed), ",", ""))})
		if len(without(listed, login.PLAIN, login.LOGIN, login.GSSAPI)) > 0 {
			notes = append(notes, "Everything but PLAIN, LOGIN and GSSAPI needs passwords that can be read: pwcheck_method: auxprop with sasldb or SQL, not saslauthd.")
		}
		for _, m := range listed {
			if m == login.GSSAPI {
				notes = append(notes, "GSSAPI needs the package libsasl2-modules-gssapi-mit and a keytab with the key of smtp/HOST.")
			}
		}
	}
	return s.rendered(cyrusVain(s), notes, pieces...)
}

// cyrusVain are the bound forms of SCRAM: to Cyrus SASL they are the mechanism
// without their ending.
func cyrusVain(s solution) map[Cell]string {
	vain := map[Cell]string{}
	for plus, plain := range map[login.Mechanism]login.Mechanism{login.SCRAMSHA1PLUS: login.SCRAMSHA1, login.SCRAMSHA256PLUS: login.SCRAMSHA256} {
		if s.effective(Cell{login.SMTP, plain}) != login.Deny {
			vain[Cell{login.SMTP, plus}] = fmt.Sprintf("Cyrus SASL does not list %s, and takes it up wherever it has %s; "+
				"we have seen it refused at its end, but by no right password", plus, plain)
		}
	}
	return vain
}
