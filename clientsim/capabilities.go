package clientsim

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// offer is what a server has shown so far of what it can.
type offer struct {
	startTLS   bool
	listed     bool              // there is a list of mechanisms, if only an empty one
	mechanisms []login.Mechanism // by EHLO or CAPA, or by a bare AUTH in CAPA's place
	list       []login.Mechanism // by a bare AUTH
	timestamp  []byte            // from the greeting
	keywords   []string          // of EHLO
	plainHello bool              // it took HELO alone
	capa       bool              // it answered CAPA
}

// shows reports whether the server offers m in the place where the client
// looks.
func (o offer) shows(where look, m login.Mechanism) bool {
	switch where {
	case lookEHLO, lookCAPA:
		return slices.Contains(o.mechanisms, m)
	case lookCAPAIfAny:
		return !o.capa || slices.Contains(o.mechanisms, m)
	case lookSASLIfAny:
		return o.blind(where) || slices.Contains(o.mechanisms, m)
	case lookAnyAUTH:
		return o.listed
	case lookAuthList:
		return slices.Contains(o.list, m)
	case lookTimestamp:
		return o.timestamp != nil
	default:
		return false
	}
}

// blind reports whether a client that looks there uses a mechanism unseen.
func (o offer) blind(where look) bool {
	return where == nowhere || where == lookSASLIfAny && !slices.ContainsFunc(o.mechanisms, isSASL)
}

// parseEHLO reads the lines of EHLO's answer as the client does; the first is
// the greeting (RFC 5321 4.1.1.1).
func (h *helloSheet) parseEHLO(lines []string) (o offer) {
	blind := h.CaseBlind.or(spellings)
	for _, line := range lines[min(1, len(lines)):] {
		head := line
		if slices.Contains(blind, keywords) {
			head = strings.ToUpper(line)
		}
		keyword, _, _ := strings.Cut(head, " ")
		o.keywords = append(o.keywords, keyword)
		if keyword == "STARTTLS" { // RFC 3207 2
			o.startTLS = true
		}
		for _, form := range h.Reads.or([]authForm{authSpace}) {
			if o.listed = o.listed || head+" " == string(form); strings.HasPrefix(head, string(form)) { // RFC 4954 3
				o.listed = true
				o.mechanisms = append(o.mechanisms, parseNames(line[len(form):], slices.Contains(blind, mechanisms))...)
			}
		}
	}
	return o
}

// parseCAPA reads the lines of CAPA's answer as the client does (RFC 2449 5).
func (l *listsSheet) parseCAPA(lines []string) (o offer) {
	blind := l.CaseBlind.or(spellings)
	for _, line := range lines {
		tag, arguments, _ := strings.Cut(line, " ")
		if slices.Contains(blind, keywords) {
			tag = strings.ToUpper(tag)
		}
		switch tag {
		case "STLS": // RFC 2595 4
			o.startTLS = true
		case "SASL": // RFC 5034 2
			o.listed = true
			o.mechanisms = append(o.mechanisms, parseNames(arguments, slices.Contains(blind, mechanisms))...)
		case "USER": // RFC 2449 6.2
			o.listed = true
			o.mechanisms = append(o.mechanisms, login.UserPass)
		}
	}
	return o
}

// parseNames: names of mechanisms are upper case (RFC 4422 3.1); a server
// that writes them otherwise still means them, for a client that is blind to
// it.
func parseNames(s string, caseBlind bool) []login.Mechanism {
	var names []login.Mechanism
	for word := range strings.FieldsSeq(s) {
		if caseBlind {
			word = strings.ToUpper(word)
		}
		names = append(names, login.Mechanism(word))
	}
	return names
}
