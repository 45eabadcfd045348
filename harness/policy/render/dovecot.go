package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// dovecot is what its releases have in common: pop3 and submission, with one
// list of mechanisms for both. Whether TLS is demanded, of everybody or of
// cleartext mechanisms alone, can be said of each protocol.
type dovecot struct {
	title string
	has   []login.Mechanism
	// lacks says why it does not have one.
	lacks func(login.Mechanism) string
	// cleartext is the setting that lets a cleartext mechanism be used in clear,
	// and permits how it is spelled that it may.
	cleartext, permits, forbids string
}

// dovecotCleartext are the mechanisms that Dovecot calls plaintext, or
// cleartext: those of the auth protocol's MECH lines that are marked so. USER
// and PASS are PLAIN to it.
var dovecotCleartext = []login.Mechanism{login.UserPass, login.PLAIN, login.LOGIN, login.XOAUTH2, login.OAUTHBEARER}

// list are the controls of auth_mechanisms, for some protocols.
func (d dovecot) list(protocols ...login.Protocol) []*control {
	var all []*control
	for _, m := range d.has {
		c := &control{can: onOff, why: "auth_mechanisms is one list for all protocols"}
		for _, p := range protocols {
			c.cells = append(c.cells, cellsOf(p, m)...)
		}
		if m == login.PLAIN {
			c.cells = append(c.cells, Cell{login.POP3, login.UserPass})
			c.why = "auth_mechanisms is one list for all protocols, and USER and PASS are its PLAIN"
		}
		all = append(all, c)
	}
	return all
}

// dovecotDoor is what can be said of a protocol as a whole.
type dovecotDoor struct {
	protocol         login.Protocol
	clear, tls, open *control
}

func (d dovecot) door(p login.Protocol) dovecotDoor {
	everything := cellsOf(p, append([]login.Mechanism{login.UserPass}, d.has...)...)
	return dovecotDoor{
		protocol: p,
		clear: &control{cells: cellsOf(p, dovecotCleartext...), can: clearOrTLS,
			why: d.cleartext + " is about all cleartext mechanisms of a protocol at once"},
		tls: &control{cells: everything, can: clearOrTLS,
			why: "other mechanisms than the cleartext ones are bound to TLS by ssl = required alone, which binds all of a protocol"},
		open: &control{cells: everything, can: onOff, why: "the protocol is closed"},
	}
}

func (o dovecotDoor) controls() []*control { return []*control{o.clear, o.tls, o.open} }

// dovecotAnonymous is what the submission service makes of it: its login process says
// that nobody may log in as nobody.
func dovecotAnonymous() *control {
	return &control{cells: cellsOf(login.SMTP, login.ANONYMOUS), can: never, why: "Dovecot's submission service lets nobody in by ANONYMOUS"}
}

func (d dovecot) lack(c Cell) string {
	return d.title + " does not have it" + d.lacks(c.Mechanism)
}

// render renders for Dovecot by itself.
func (d dovecot) render(file string) func(login.Policy) Rendered {
	return func(p login.Policy) Rendered {
		var doors []dovecotDoor
		s := solve(func() []*control {
			doors = []dovecotDoor{d.door(login.POP3), d.door(login.SMTP)}
			controls := append([]*control{dovecotAnonymous()}, d.list(login.POP3, login.SMTP)...)
			for _, o := range doors {
				controls = append(controls, o.controls()...)
			}
			return lacking(controls, d.has, d.lack)
		}, p)
		// Explaining the solution makes others, which are not the doors' any more.
		text, vain := d.text(s, doors), d.vain(s, doors)
		return s.rendered(vain, d.notes(s), Piece{file, text})
	}
}

// text writes what the controls say.
func (d dovecot) text(s solution, doors []dovecotDoor) string {
	var b strings.Builder
	b.WriteString("# IMAP, if there is any, has the list as well, and what stands outside of protocol { }.\n")
	if list := d.spell(s); list != "" {
		fmt.Fprintf(&b, "auth_mechanisms = %s\n", list)
	}
	fmt.Fprintf(&b, "%s = %s\nssl = yes\n", d.cleartext, d.forbids)
	for _, o := range doors {
		service := map[login.Protocol]string{login.POP3: "pop3", login.SMTP: "submission"}[o.protocol]
		if o.open.value == login.Deny {
			b.WriteString(closed(service))
			continue
		}
		spelled := d.forbids
		if o.clear.value == login.Allow {
			spelled = d.permits
		}
		ssl := "yes"
		if o.tls.value == login.Secure {
			ssl = "required"
		}
		fmt.Fprintf(&b, "protocol %s {\n  %s = %s\n  ssl = %s\n}\n", service, d.cleartext, spelled, ssl)
	}
	return b.String()
}

// closed closes the ports of a service that lets nobody in.
func closed(service string) string {
	implicit := map[string]string{"pop3": "pop3s", "submission": "submissions"}[service]
	return fmt.Sprintf("# %s is to let nobody in\nservice %[1]s-login {\n  inet_listener %[1]s {\n    port = 0\n  }\n  inet_listener %s {\n    port = 0\n  }\n}\n",
		service, implicit)
}

// spell is the list.
func (d dovecot) spell(s solution) string {
	var names []string
	for _, m := range d.has {
		if s.anywhere(m) {
			names = append(names, strings.ToLower(string(m)))
		}
	}
	return strings.Join(names, " ")
}

// vain are what Dovecot offers and refuses at its end: USER and PASS without
// their PLAIN, and EXTERNAL where nobody can have shown a certificate.
func (d dovecot) vain(s solution, doors []dovecotDoor) map[Cell]string {
	vain := map[Cell]string{}
	for _, o := range doors {
		if o.open.value == login.Deny {
			continue
		}
		if pass := (Cell{o.protocol, login.UserPass}); o.protocol == login.POP3 && s.effective(pass) == login.Deny {
			where := "inside TLS"
			if o.clear.value == login.Allow && o.tls.value == login.Allow {
				where = "in clear and inside TLS"
			}
			vain[pass] = "USER is offered and taken up " + where + "; only PASS is refused, when the password has been sent"
		}
		if external := (Cell{o.protocol, login.EXTERNAL}); s.effective(external) != login.Deny && o.tls.value == login.Allow {
			vain[external] = "EXTERNAL is offered and taken up in clear too, where nobody has a certificate; only ssl = required would end that"
		}
	}
	return vain
}

// notes are about what the settings do not say.
func (d dovecot) notes(s solution) []string {
	in := func(ms ...login.Mechanism) bool {
		return slices.ContainsFunc(ms, s.anywhere)
	}
	notes := []string{
		"A client whose address is the server's own counts as secure: from the server itself, logins in clear work whatever this says.",
	}
	if slices.Contains(s.listed(login.POP3), login.APOP) {
		notes = append(notes, "The greeting of POP3 has APOP's timestamp in clear too, wherever APOP is then refused.")
	}
	if in(login.APOP, login.CRAMMD5, login.DIGESTMD5) {
		notes = append(notes, "APOP, CRAM-MD5 and DIGEST-MD5 need passwords that Dovecot can read, or stored in the mechanism's own scheme.")
	}
	if in(login.SCRAMSHA1, login.SCRAMSHA256, login.SCRAMSHA1PLUS, login.SCRAMSHA256PLUS) {
		notes = append(notes, "SCRAM needs passwords that Dovecot can read, or stored in its own scheme.")
	}
	if in(login.XOAUTH2, login.OAUTHBEARER) {
		notes = append(notes, "XOAUTH2 and OAUTHBEARER need a passdb of driver oauth2.")
	}
	if in(login.EXTERNAL) {
		notes = append(notes, "EXTERNAL needs the authority of the clients' certificates and auth_ssl_username_from_cert = yes.")
	}
	if in(login.GSSAPI) {
		notes = append(notes, "GSSAPI needs a keytab (auth_krb5_keytab) and, in Debian, the package dovecot-gssapi; auth_gssapi_hostname says whose keys of it are taken, and \"$ALL\" takes all.")
	}
	if in(login.ANONYMOUS) {
		notes = append(notes, "ANONYMOUS needs a mailbox for auth_anonymous_username.")
	}
	return notes
}
