package clientsim

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// offer is what a server has shown so far of what it can.
type offer struct {
	startTLS   bool
	mechanisms []login.Mechanism // by EHLO, or CAPA
	list       []login.Mechanism // by a bare AUTH
	timestamp  []byte            // from the greeting
}

// shows reports whether the server offers m in the place where the client
// looks.
func (o offer) shows(where look, m login.Mechanism) bool {
	switch where {
	case lookEHLO, lookCAPA:
		return slices.Contains(o.mechanisms, m)
	case lookAuthList:
		return slices.Contains(o.list, m)
	case lookTimestamp:
		return o.timestamp != nil
	default:
		return false
	}
}

// parseEHLO reads the lines of EHLO's answer; the first is the greeting
// (RFC 5321 4.1.1.1).
func parseEHLO(lines []string) (o offer) {
	for _, line := range lines[min(1, len(lines)):] {
		keyword, arguments, _ := strings.Cut(line, " ")
		switch strings.ToUpper(keyword) {
		case "STARTTLS": // RFC 3207 2
			o.startTLS = true
		case "AUTH": // RFC 4954 3
			o.mechanisms = append(o.mechanisms, parseNames(arguments)...)
		}
	}
	return o
}

// parseCAPA reads the lines of CAPA's answer (RFC 2449 5).
func parseCAPA(lines []string) (o offer) {
	for _, line := range lines {
		tag, arguments, _ := strings.Cut(line, " ")
		switch strings.ToUpper(tag) {
		case "STLS": // RFC 2595 4
			o.startTLS = true
		case "SASL": // RFC 5034 2
			o.mechanisms = append(o.mechanisms, parseNames(arguments)...)
		case "USER": // RFC 2449 6.2
			o.mechanisms = append(o.mechanisms, login.UserPass)
		}
	}
	return o
}

// parseNames: names of mechanisms are upper case (RFC 4422 3.1); a server
// that writes them otherwise still means them.
func parseNames(s string) []login.Mechanism {
	var names []login.Mechanism
	for word := range strings.FieldsSeq(s) {
		names = append(names, login.Mechanism(strings.ToUpper(word)))
	}
	return names
}
