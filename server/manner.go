package server

import (
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// manner is how a server words what no rule words for it: as data, so that
// the plain server and the recorder of the real clients' logins differ in
// nothing else.
type manner struct {
	phrases map[login.Protocol]*phrasebook
	// greetings are what follows the code; %s is the server's name, %l its
	// first label.
	greetings map[login.Protocol]string
	// ehlo and capa are the lines of the lists in their order. Those that
	// depend on the connection stand there as place holders.
	ehlo, capa []string
}

// The place holders.
const (
	placeTLS  = "{tls}"
	placeAuth = "{auth}"
	placeUser = "{user}"
	placeSize = "{size}"
)

var plainManner = manner{
	phrases:   phrasebooks,
	greetings: map[login.Protocol]string{login.SMTP: "220 %s ESMTP mailmatrix", login.POP3: "+OK %s POP3 mailmatrix"},
	ehlo:      []string{"PIPELINING", "8BITMIME", placeTLS, placeAuth, placeSize, "ENHANCEDSTATUSCODES"},
	// AUTH-RESP-CODE is RFC 3206 6.
	capa: []string{"TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER",
		placeUser, placeAuth, placeTLS, "IMPLEMENTATION mailmatrix"},
}

// recorderManner is "The recording server, exactly" in the README of the
// recorded logins.
var recorderManner = manner{
	phrases: map[login.Protocol]*phrasebook{
		login.SMTP: worded(smtpPhrases, map[phrase]string{
			sayWrong:      "535 5.7.8 Authentication credentials invalid",
			sayTLSRefused: "454 4.7.0 TLS not available",
			// STARTTLS that is not offered, for whatever reason.
			sayTLSNone:    "502 5.5.1 STARTTLS not offered",
			sayTLSAlready: "502 5.5.1 STARTTLS not offered",
		}),
		login.POP3: worded(pop3Phrases, map[phrase]string{
			sayWrong:      "-ERR [AUTH] invalid",
			sayTLSRefused: "-ERR TLS not available",
			sayTLSNone:    "-ERR unknown command",
			sayTLSAlready: "-ERR unknown command",
		}),
	},
	greetings: map[login.Protocol]string{login.SMTP: "220 %s ESMTP ready", login.POP3: "+OK %l POP3 ready"},
	ehlo:      []string{"SIZE 10240000", "8BITMIME", "ENHANCEDSTATUSCODES", placeTLS, placeAuth},
	capa:      []string{"TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", placeTLS, placeUser, placeAuth},
}

// worded is a phrasebook with some phrases in other words.
func worded(book phrasebook, other map[phrase]string) *phrasebook {
	for p, text := range other {
		book[p] = text
	}
	return &book
}

func (s *Server) manner() *manner {
	if s.script.Recorder {
		return &recorderManner
	}
	return &plainManner
}

// greeting is the first line, without a timestamp.
func (s *Server) greeting(p login.Protocol) string {
	name := s.greetedAs()
	label, _, _ := strings.Cut(name, ".")
	return strings.ReplaceAll(strings.ReplaceAll(s.manner().greetings[p], "%s", name), "%l", label)
}

// extensions are the lines of EHLO behind the server's name.
func (f *smtpFront) extensions() []string {
	var lines []string
	for _, line := range f.server.manner().ehlo {
		switch line {
		case placeTLS:
			if f.offersTLS() {
				lines = append(lines, "STARTTLS")
			}
		case placeAuth:
			// RFC 4954 4: after a login there is no other, so nothing to list.
			if names := f.server.listed(login.SMTP, f.listedLink()); len(names) > 0 && f.account == "" {
				lines = append(lines, f.server.authLines(names)...)
			}
		case placeSize:
			lines = append(lines, "SIZE "+strconv.FormatInt(f.server.limits.MessageSize, 10))
		default:
			lines = append(lines, line)
		}
	}
	return f.server.malformed(lines)
}

// extensions are the lines of CAPA. What was listed before the login is listed
// after it too (RFC 2449 5), but for STLS, which is not permitted then
// (RFC 2595 4).
func (p *pop3) extensions() []string {
	var lines []string
	link := p.listedLink()
	for _, line := range p.server.manner().capa {
		switch line {
		case placeTLS:
			if p.offersTLS() {
				lines = append(lines, "STLS")
			}
		case placeUser:
			if p.server.lists(login.POP3, login.UserPass, link) {
				lines = append(lines, "USER")
			}
		case placeAuth:
			if names := p.server.listed(login.POP3, link); len(names) > 0 && !p.shrinks() {
				lines = append(lines, "SASL"+string(appendNames(nil, names)))
			}
		default:
			if !p.shrinks() || line != "UIDL" && line != "TOP" {
				lines = append(lines, line)
			}
		}
	}
	return p.server.malformed(lines)
}

// appendNames adds each name with a blank before it.
func appendNames(out []byte, names []login.Mechanism) []byte {
	for _, name := range names {
		out = append(append(out, ' '), name...)
	}
	return out
}
