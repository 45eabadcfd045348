package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// postfix is what can be said in main.cf, whoever answers Postfix's questions
// about passwords. smtpd_sasl_mechanism_filter is none of it: what it leaves out
// is only hidden.
type postfix struct {
	controls []*control
	// classes are security options, and the control of what each takes away.
	classes map[string]*control
	tls, on *control
}

// newPostfix has the classes of mechanisms that its SASL library tells apart.
func newPostfix(classes map[string][]login.Mechanism) postfix {
	p := postfix{classes: map[string]*control{}}
	for option, ms := range classes {
		p.classes[option] = &control{cells: cellsOf(login.SMTP, ms...), can: anySetting,
			why: fmt.Sprintf("%s in smtpd_sasl_security_options stands for all of %s", option, join(ms))}
	}
	everything := cellsOf(login.SMTP, mech.In(login.SMTP)...)
	p.tls = &control{cells: everything, can: clearOrTLS,
		why: "what no security option takes away is bound to TLS by smtpd_tls_auth_only alone, which binds all mechanisms"}
	p.on = &control{cells: everything, can: onOff, why: "smtpd_sasl_auth_enable is about all mechanisms"}
	for _, option := range postfixOptions {
		if c, ok := p.classes[option]; ok {
			p.controls = append(p.controls, c)
		}
	}
	p.controls = append(p.controls, p.tls, p.on)
	return p
}

// postfixOptions are the security options that we use, in the order in which
// they are written; noanonymous stands before them always.
var postfixOptions = []string{"noplaintext", "nodictionary"}

// text writes main.cf. saslType and path say who is asked.
func (p postfix) text(saslType, path string) string {
	if p.on.value == login.Deny {
		return "smtpd_sasl_auth_enable = no\n"
	}
	inClear, inTLS := []string{"noanonymous"}, []string{"noanonymous"}
	for _, option := range postfixOptions {
		c, ok := p.classes[option]
		if !ok {
			continue
		}
		if c.value < login.Allow {
			inClear = append(inClear, option)
		}
		if c.value < login.Secure {
			inTLS = append(inTLS, option)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = %s\n%s", saslType, path)
	fmt.Fprintf(&b, "smtpd_tls_security_level = may\nsmtpd_tls_auth_only = %s\n", map[bool]string{true: "yes", false: "no"}[p.tls.value == login.Secure])
	fmt.Fprintf(&b, "smtpd_sasl_security_options = %s\nsmtpd_sasl_tls_security_options = %s\n", strings.Join(inClear, ", "), strings.Join(inTLS, ", "))
	return b.String()
}

// postfixLacks is what Postfix has not, whoever is asked: it hands no client
// certificate on, it takes an anonymous login for none, and APOP is POP3's.
func postfixLacks(m login.Mechanism) (why string, ok bool) {
	switch m {
	case login.EXTERNAL:
		return "Postfix does not support EXTERNAL (postconf(5), smtpd_sasl_mechanism_filter)", true
	case login.ANONYMOUS:
		return "Postfix takes an anonymous login for no login (postconf(5), smtpd_sasl_security_options)", true
	case login.SCRAMSHA1PLUS, login.SCRAMSHA256PLUS:
		return "Postfix tells its SASL library nothing of the TLS connection that it is bound to", true
	}
	return "", false
}

func join(ms []login.Mechanism) string {
	words := make([]string, len(ms))
	for i, m := range ms {
		words[i] = string(m)
	}
	return strings.Join(words, ", ")
}

// without are the mechanisms that are not among some.
func without(all []login.Mechanism, some ...login.Mechanism) []login.Mechanism {
	return slices.DeleteFunc(slices.Clone(all), func(m login.Mechanism) bool { return slices.Contains(some, m) })
}
