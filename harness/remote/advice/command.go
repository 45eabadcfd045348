package advice

import (
	"net"
	"slices"
	"strings"
	"unicode"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// commandFor is a line for a shell that shows the same with the tools that
// everybody has. It holds no secret: who logs in is USER, and the tool asks for
// the password.
func commandFor(p Problem, on On) string {
	row := login.MechanismResult{}
	if t, ok := on.Door.Transport(on.transport()); ok {
		row = t.Of(on.Mechanism)
	}
	switch p {
	case CleartextOffered, DeniedOffered, SecureInClear, NotOffered, DoorsDiffer, ListShrinks, Session:
		return listed(on)
	case OfferedRefused:
		if c := loggedIn(on); c != "" && (row.Starts == nil || *row.Starts) {
			return c
		}
		return started(on)
	case CleartextTaken, HiddenTaken, DeniedTaken:
		return started(on)
	case NoTLS, BadCertificate:
		return handshake(on)
	case OldTLS:
		return inOldTLS(on)
	case PortClosed:
		return connected(on)
	default:
		return ""
	}
}

// listed shows EHLO's or CAPA's answer.
func listed(on On) string {
	command := "NOOP"
	if on.Door.Protocol == login.POP3 {
		command = "CAPA"
	}
	return "curl -sv" + secured(on) + " -X " + command + " " + quoted(address(on))
}

// curls are the mechanisms that every curl has, in both protocols.
var curls = []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.DIGESTMD5, login.NTLM}

// swakses are those for which swaks needs no further module.
var swakses = []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5}

// loggedIn logs in with this mechanism; "" where no common tool can. Neither
// line prints the password that it asks for, as "curl -v" would.
func loggedIn(on On) string {
	m, p := on.Mechanism, on.Door.Protocol
	quiet := "curl -sS" + secured(on)
	command := " -X NOOP " + quoted(address(on))
	switch {
	case p == login.SMTP && slices.Contains(swakses, m):
		tls := map[login.Transport]string{login.StartTLS: " --tls", login.TLS: " --tls-on-connect"}[on.transport()]
		return "swaks --server " + quoted(host(on.Door)) + " --port " + port(on.Door) + tls + " --auth " + string(m) +
			" --auth-user USER --protect-prompt --auth-hide-password --quit-after AUTH"
	case slices.Contains(curls, m):
		return quiet + " --login-options AUTH=" + string(m) + " --user USER" + command
	case p == login.POP3 && m == login.APOP:
		return quiet + " --login-options AUTH=+APOP --user USER" + command
	case m == login.XOAUTH2, m == login.OAUTHBEARER:
		return quiet + " --login-options AUTH=" + string(m) + ` --user USER: --oauth2-bearer "$TOKEN"` + command
	default:
		return ""
	}
}

// started begins an attempt and cancels it: what asks for the secret takes the
// mechanism. Nothing secret is sent. The waits are there because some servers
// refuse a client that does not wait for answers.
func started(on On) string {
	m := publicName(on.Mechanism)
	var say []string
	switch {
	case on.Mechanism == login.APOP && on.Door.Protocol == login.POP3: // the digest comes with the command
		return loggedIn(on)
	case on.Mechanism == login.UserPass:
		say = []string{"USER USER", "QUIT"}
	case on.Door.Protocol == login.POP3:
		say = []string{"AUTH " + m, "*", "QUIT"}
	default:
		say = []string{"EHLO client.invalid", "AUTH " + m, "*", "QUIT"}
	}
	var b strings.Builder
	for _, line := range say {
		b.WriteString("sleep 1; printf '" + line + `\r\n'; `)
	}
	return "(" + b.String() + "sleep 1) | " + opened(on)
}

// sayable is the mechanism where its name is one (RFC 4422 3.1); "" where not.
func sayable(m login.Mechanism) string {
	foreign := func(r rune) bool { return !(r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') }
	if strings.ContainsFunc(string(m), foreign) {
		return ""
	}
	return string(m)
}

// opened is a connection on which the standard input is spoken.
func opened(on On) string {
	if on.transport() == login.Plain {
		return "curl -s " + quoted("telnet://"+net.JoinHostPort(host(on.Door), port(on.Door)))
	}
	return client(on) + " -quiet"
}

// handshake shows what certificates come, and what is wrong with them.
func handshake(on On) string {
	on.Transport = login.StartTLS
	if on.Door.Implicit {
		on.Transport = login.TLS
	}
	check := " -verify_hostname "
	if net.ParseIP(host(on.Door)) != nil {
		check = " -verify_ip "
	}
	return client(on) + check + quoted(host(on.Door)) + " </dev/null"
}

// inOldTLS shakes hands in TLS 1.1, which openssl does at its lowest level of
// security alone.
func inOldTLS(on On) string {
	on.Transport = login.StartTLS
	if on.Door.Implicit {
		on.Transport = login.TLS
	}
	return client(on) + " -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null"
}

// connected shows whether anybody is there.
func connected(on On) string {
	if on.Door.Implicit {
		return client(On{Door: on.Door, Transport: login.TLS}) + " </dev/null"
	}
	return "curl -sv --connect-timeout 10 " + quoted("telnet://"+net.JoinHostPort(host(on.Door), port(on.Door))) + " </dev/null"
}

// client is openssl's, inside TLS.
func client(on On) string {
	c := "openssl s_client"
	if on.Transport == login.StartTLS {
		c += " -starttls " + string(on.Door.Protocol)
	}
	c += " -connect " + quoted(net.JoinHostPort(host(on.Door), port(on.Door)))
	if h := host(on.Door); net.ParseIP(h) == nil { // RFC 6066 3: no address is a server's name
		c += " -servername " + quoted(h)
	}
	return c
}

// address is what curl connects to.
func address(on On) string {
	scheme := string(on.Door.Protocol)
	if on.transport() == login.TLS {
		scheme += "s"
	}
	return scheme + "://" + net.JoinHostPort(host(on.Door), port(on.Door))
}

// secured are curl's options for the transport. A certificate that is known to
// be bad is another finding.
func secured(on On) string {
	options := ""
	if on.transport() == login.StartTLS {
		options = " --ssl-reqd"
	}
	if s := on.Door.Stages[login.StageCertificate]; on.transport().Encrypted() && s != "" && s != login.StageOK {
		options += " -k"
	}
	return options
}

// host is how a tool can reach the door. Names come from DNS and from other
// servers too: one that holds anything that no name holds stands in no command.
func host(d login.DoorResult) string {
	at, _, _ := net.SplitHostPort(d.Address) // no address, no host
	for _, h := range []string{d.Host, at} {
		if h != "" && !strings.HasPrefix(h, "-") && !strings.ContainsFunc(h, func(r rune) bool { return !hostRune(r) }) {
			return h
		}
	}
	return "HOST"
}

func hostRune(r rune) bool {
	return r != unicode.ReplacementChar && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(".-_:", r))
}

// port is the door's, or the usual one where the address has none.
func port(d login.DoorResult) string {
	p := d.Port()
	switch {
	case p != "" && !strings.ContainsFunc(p, func(r rune) bool { return r < '0' || r > '9' }):
		return p
	case d.Protocol == login.POP3:
		return "110"
	default:
		return "25"
	}
}

// quoted is one word for a shell.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(".-_:/", r))
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
