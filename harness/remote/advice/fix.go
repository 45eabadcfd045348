package advice

import (
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// fixFor is what to set. A port that nobody has named or is sent to is no duty.
func fixFor(p Problem, on On) []string {
	if p == DeniedOffered {
		p = DeniedTaken // it is switched off in the same way
	}
	fix := settings(p, on)
	if p == PortClosed && on.Door.Found == login.FoundPort {
		fix = append(slices.Clone(fix), "(or leave it closed, where no client is told of it)")
	}
	return fix
}

// settings are in the words of the software where those are known.
func settings(p Problem, on On) []string {
	switch on.Door.Software {
	case postfix:
		if fix := postfixFor(p, on); fix != nil {
			return fix
		}
	case dovecot:
		if fix := dovecotFor(p, on); fix != nil {
			return fix
		}
	case exim:
		if fix := eximFor(p, on); fix != nil {
			return fix
		}
	}
	if p == DoorsDiffer { // which of the two is meant, only the administrator knows
		return []string{"give the ports of one protocol the same mechanisms, or tell the users which port is for what"}
	}
	return generic[p]
}

// generic is said of what nobody has written the settings down for.
var generic = map[Problem][]string{
	CleartextOffered: {"offer the mechanisms that send the password itself only inside TLS"},
	CleartextTaken:   {"refuse the mechanisms that send the password itself outside TLS: not listing them is not enough"},
	HiddenTaken:      {"switch the mechanism off where logins are checked: not listing it is not enough"},
	OfferedRefused:   {"take what cannot succeed out of the list, or give the accounts what it needs"},
	DeniedTaken:      {"switch the mechanism off where logins are checked"},
	SecureInClear:    {"permit the mechanism only inside TLS"},
	NotOffered:       {"switch the mechanism on"},
	NoTLS:            {"give the port a certificate and switch STARTTLS or STLS on"},
	PortClosed:       {"listen on the port, and let the firewall pass it"},
	BadCertificate:   {"install a current certificate for this name with its whole chain, from an authority that clients know"},
	ListShrinks:      {"offer inside TLS what is offered in clear"},
	OldTLS:           {"permit TLS 1.2 and newer alone"},
	Session:          {"no setting is known to change that: bring the software up to date, or tell its authors"},
}

// mechanismsOfPostfix: it asks another program to check logins, and its own
// filter takes a name out of the list and nothing more.
var mechanismsOfPostfix = []string{
	"with Dovecot's SASL: auth_mechanisms, in Dovecot",
	"with Cyrus SASL: mech_list, in sasl/smtpd.conf",
	"(smtpd_sasl_mechanism_filter only hides)",
}

func postfixFor(p Problem, on On) []string {
	switch p {
	case OldTLS:
		return []string{"smtpd_tls_protocols = >=TLSv1.2", "smtpd_tls_mandatory_protocols = >=TLSv1.2"}
	case CleartextOffered, CleartextTaken, SecureInClear:
		fix := []string{"smtpd_tls_auth_only = yes"}
		if on.Door.Port() == "25" {
			fix = append(fix, "(on 25: smtpd_sasl_auth_enable = no, by -o in master.cf, where users have 587 or 465)")
		}
		return fix
	case HiddenTaken, DeniedTaken:
		if !on.transport().Encrypted() {
			return append([]string{"smtpd_tls_auth_only = yes"}, mechanismsOfPostfix...)
		}
		return mechanismsOfPostfix
	case NotOffered, OfferedRefused:
		return mechanismsOfPostfix
	case NoTLS:
		return []string{"smtpd_tls_security_level = may", "smtpd_tls_chain_files = /path/key.pem, /path/fullchain.pem"}
	case BadCertificate:
		return []string{"smtpd_tls_chain_files = /path/key.pem, /path/fullchain.pem  (the leaf, then what leads to the authority)",
			"postfix reload"}
	case PortClosed:
		if on.Door.Implicit {
			return []string{"in master.cf: submissions inet n - y - - smtpd", "  -o smtpd_tls_wrappermode=yes", "  -o smtpd_sasl_auth_enable=yes"}
		}
		return []string{"in master.cf: submission inet n - y - - smtpd", "  -o smtpd_tls_security_level=encrypt", "  -o smtpd_sasl_auth_enable=yes"}
	default:
		return nil
	}
}

func dovecotFor(p Problem, on On) []string {
	switch p {
	case OldTLS:
		return []string{"ssl_min_protocol = TLSv1.2"}
	case CleartextOffered, CleartextTaken, SecureInClear:
		if showsPassword(on.Mechanism) {
			return []string{"2.3: disable_plaintext_auth = yes", "2.4: auth_allow_cleartext = no"}
		}
		return []string{"ssl = required"}
	case HiddenTaken, DeniedTaken:
		return []string{"take it out of auth_mechanisms (USER/PASS is there as long as plain is)"}
	case NotOffered:
		return []string{"auth_mechanisms = plain ...  (one list for all protocols)"}
	case OfferedRefused:
		return []string{"take it out of auth_mechanisms, or store the passwords in a form that it can be checked against"}
	case NoTLS:
		return append([]string{"ssl = yes"}, certificateOfDovecot...)
	case BadCertificate:
		return append(certificateOfDovecot[:len(certificateOfDovecot):len(certificateOfDovecot)],
			"(the file holds the leaf, then what leads to the authority)", "doveadm reload")
	case PortClosed:
		if on.Door.Protocol == login.POP3 && on.Door.Implicit {
			return []string{"service pop3-login {", "  inet_listener pop3s {", "    port = 995", "    ssl = yes", "  }", "}"}
		}
		return nil
	default:
		return nil
	}
}

var certificateOfDovecot = []string{
	"2.3: ssl_cert = </path/fullchain.pem, ssl_key = </path/key.pem",
	"2.4: ssl_server_cert_file = /path/fullchain.pem, ssl_server_key_file = /path/key.pem",
}

func eximFor(p Problem, on On) []string {
	switch p {
	case OldTLS:
		return []string{"with GnuTLS: tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
			"with OpenSSL: openssl_options = +no_sslv2 +no_sslv3 +no_tlsv1 +no_tlsv1_1"}
	case CleartextOffered, SecureInClear:
		return []string{"in the authenticator: server_advertise_condition = ${if def:tls_in_cipher}",
			"(Exim refuses what it does not advertise, without control = allow_auth_unadvertised)"}
	case CleartextTaken, HiddenTaken:
		return []string{"take control = allow_auth_unadvertised out of the ACLs"}
	case DeniedTaken:
		return []string{"take the authenticator out of the configuration, or server_advertise_condition = false"}
	case NotOffered:
		return []string{fmt.Sprintf("an authenticator with public_name = %s, and a server_advertise_condition that holds here", publicName(on.Mechanism))}
	case OfferedRefused:
		return []string{"in the authenticator: server_condition, or server_advertise_condition = false"}
	case NoTLS:
		return []string{"tls_advertise_hosts = *", "tls_certificate = /path/fullchain.pem", "tls_privatekey = /path/key.pem"}
	case BadCertificate:
		return []string{"tls_certificate = /path/fullchain.pem  (the leaf, then what leads to the authority)", "tls_privatekey = /path/key.pem"}
	case PortClosed:
		return []string{"daemon_smtp_ports = 25 : 465 : 587", "tls_on_connect_ports = 465"}
	default:
		return nil
	}
}

// publicName is the mechanism in a setting.
func publicName(m login.Mechanism) string {
	if name := sayable(m); name != "" {
		return name
	}
	return "MECHANISM"
}

// showsPassword: Dovecot counts bearer tokens elsewhere. No mechanism stands
// for those that show it.
func showsPassword(m login.Mechanism) bool {
	return m == "" || m == login.PLAIN || m == login.LOGIN || m == login.UserPass
}
