package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// eximHas are the mechanisms for which Exim has an authenticator of its own, as
// Debian builds it: exim -bV names cram_md5, cyrus_sasl, dovecot, external,
// plaintext, spa and tls; cyrus_sasl and dovecot hand the question on.
var eximHas = []struct {
	mechanism login.Mechanism
	// text is the authenticator; %s is the condition.
	text string
}{
	{login.PLAIN, `plain:
  driver = plaintext
  public_name = PLAIN
%s  server_prompts = :
  server_condition = ${if and{\
    {or{{eq{$auth1}{}}{eq{$auth1}{$auth2}}}}\
    {eq{$auth3}{${lookup{$auth2}lsearch{PASSWORDS}{$value}fail}}}}}
  server_set_id = $auth2
`},
	{login.LOGIN, `login:
  driver = plaintext
  public_name = LOGIN
%s  server_prompts = Username:: : Password::
  server_condition = ${if eq{$auth2}{${lookup{$auth1}lsearch{PASSWORDS}{$value}fail}}}
  server_set_id = $auth1
`},
	{login.CRAMMD5, `cram:
  driver = cram_md5
  public_name = CRAM-MD5
%s  server_secret = ${lookup{$auth1}lsearch{PASSWORDS}{$value}fail}
  server_set_id = $auth1
`},
	{login.NTLM, `spa:
  driver = spa
  public_name = NTLM
%s  server_password = ${lookup{$auth1}lsearch{PASSWORDS}{$value}fail}
  server_set_id = $auth1
`},
	{login.EXTERNAL, `external:
  driver = external
  public_name = EXTERNAL
%s  server_param2 = ${certextract{subject,CN}{$tls_in_peercert}}
  server_condition = ${if and{\
    {eq{$tls_in_certificate_verified}{1}}\
    {or{{eq{$auth1}{}}{eq{$auth1}{$auth2}}}}}}
  server_set_id = $auth2
`},
}

// What an authenticator is offered under. Exim refuses what it has not offered
// (its specification, 33.3).
const (
	eximInTLS           = "  server_advertise_condition = ${if def:tls_in_cipher}\n"
	eximWithCertificate = "  server_advertise_condition = ${if eq{$tls_in_certificate_verified}{1}}\n"
)

// eximAuthenticators is the section, where nothing else that logs people in may
// stand.
const eximAuthenticators = "exim4.conf, all of the section \"begin authenticators\""

var _ = register(Server{
	Name: "exim", Title: "Exim 4 with its own authenticators (SMTP)",
	Basis:  "tried by us on Exim 4.96 of Debian 12",
	Render: renderExim,
})

func renderExim(policy login.Policy) Rendered {
	s := solve(func() []*control {
		var controls []*control
		var has []login.Mechanism
		for _, h := range eximHas {
			has = append(has, h.mechanism)
			controls = append(controls, &control{cells: cellsOf(login.SMTP, h.mechanism), can: anySetting})
		}
		return lacking(controls, has, func(c Cell) string {
			if c.Protocol == login.POP3 {
				return "Exim speaks no POP3: the server that does has a configuration of its own"
			}
			return "Debian's Exim has no authenticator of its own for it"
		})
	}, policy)
	listed := s.listed(login.SMTP)
	if len(listed) == 0 {
		return s.rendered(nil, nil, Piece{eximAuthenticators, "# none: what is not configured is not offered, and refused\n"})
	}
	var b strings.Builder
	for _, h := range eximHas {
		if !slices.Contains(listed, h.mechanism) {
			continue
		}
		condition := ""
		switch {
		case needsTLS(h.mechanism):
			condition = eximWithCertificate
		case s.effective(Cell{login.SMTP, h.mechanism}) == login.Secure:
			condition = eximInTLS
		}
		fmt.Fprintf(&b, h.text, condition)
	}
	notes := []string{"PASSWORDS is a file with a line \"name: password\" for each account, or put your own lookup in its place."}
	if slices.Contains(listed, login.EXTERNAL) {
		notes = append(notes, "EXTERNAL needs tls_verify_certificates with the authority of the clients' certificates, and tls_try_verify_hosts = *.")
	}
	if slices.Contains(listed, login.NTLM) {
		notes = append(notes, "NTLM is Exim's spa, which knows NTLMv1 and NTLM2-session responses, and refuses NTLMv2 (tried by us).")
	}
	return s.rendered(nil, notes, Piece{eximAuthenticators, b.String()})
}
