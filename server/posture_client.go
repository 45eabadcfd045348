package server

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"io"
	"regexp"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What a script has a server do that no server does which means well: see what
// a client does then.

// greetsOtherwise says the script's greeting, if it has one.
func (s *session) greetsOtherwise() bool {
	for _, line := range s.server.script.Greets {
		s.reply(line)
	}
	return len(s.server.script.Greets) > 0
}

// timestamp is what POP3's greeting shows of the one that APOP is checked with.
func (s *Server) timestamp(real []byte) string {
	if s.script.Timestamp != "" {
		return s.script.Timestamp
	}
	return string(real)
}

// encryptsPort reports whether the port for TLS from the first octet is one.
func (s *Server) encryptsPort() bool { return !s.script.ClearPort }

// answersOtherwise says what the script answers to a verb, if it does.
func (s *session) answersOtherwise(verb string) bool {
	lines := s.server.script.Answers[verb]
	for _, line := range lines {
		s.reply(line)
	}
	return len(lines) > 0
}

// hearsTLS reads one TLS record that comes where nobody encrypts, and answers
// a hello in clear. It is for a script that lets clients think that TLS begins.
func (s *session) hearsTLS() bool {
	script := &s.server.script
	if s.encrypted || !script.ClearPort && script.Answers["STARTTLS"] == nil && script.Answers["STLS"] == nil {
		return false
	}
	s.flush()
	kind, err := s.in.Peek(1)
	if err != nil || kind[0] < recordFirst || kind[0] > recordLast {
		return false
	}
	var header [5]byte // RFC 8446 5.1: type, version, length
	if _, err := io.ReadFull(s.in, header[:]); err != nil {
		return false
	}
	if _, err := io.CopyN(io.Discard, s.in, int64(binary.BigEndian.Uint16(header[3:]))); err != nil {
		return false
	}
	if header[0] == recordHandshake {
		s.tlsFailed("a hello where nobody encrypts")
		s.reply(map[login.Protocol]string{login.SMTP: "250 2.0.0 still here", login.POP3: "+OK still here"}[s.protocol])
	}
	return true
}

// Types of TLS records (RFC 8446 5.1).
const (
	recordFirst     = 20
	recordHandshake = 22
	recordLast      = 23
)

// inject puts the script's lines behind the answer to STARTTLS.
func (s *session) inject() {
	for _, line := range s.server.script.Injects {
		s.reply(line)
	}
}

// spoken is the configuration with the versions of the script.
func (s *Server) spoken(config *tls.Config) *tls.Config {
	newest, ok := tlsVersions[s.script.NewestTLS]
	if !ok {
		return config
	}
	config = config.Clone()
	config.MinVersion, config.MaxVersion = tls.VersionTLS10, newest
	config.CipherSuites = append(modernSuites[:len(modernSuites):len(modernSuites)], oldSuites...)
	return config
}

var tlsVersions = map[login.TLSVersion]uint16{
	login.TLS10: tls.VersionTLS10, login.TLS11: tls.VersionTLS11, login.TLS12: tls.VersionTLS12, login.TLS13: tls.VersionTLS13,
}

// keepsSignature: the server's proof is due, and the script leaves it out.
func (a *attempt) keepsSignature(challenge []byte) bool {
	return a.bend() == login.NoSignature && strings.HasPrefix(string(challenge), "v=")
}

func (a *attempt) bend() login.Bend { return a.session.server.script.Bends[a.mechanism] }

// challengesOtherwise sends what the script makes of a challenge, if it does.
func (s *session) challengesOtherwise(a *attempt, challenge []byte) bool {
	text := string(challenge)
	switch a.bend() {
	case login.NotBase64:
		s.sendChallenge("!!!notbase64")
		return true
	case login.LongChallenge:
		s.sendChallenge(strings.Repeat("A", longChallenge))
		return true
	case login.NoBrackets:
		text = strings.Trim(text, "<>")
	case login.ForeignNonce:
		text = nonceOf.ReplaceAllString(text, "r=nobody-said-this")
	case login.OneRound:
		text = roundsOf.ReplaceAllString(text, ",i=1")
	case login.WrongSignature:
		if signature, is := strings.CutPrefix(text, "v="); is {
			right, _ := base64.StdEncoding.DecodeString(signature)
			text = "v=" + base64.StdEncoding.EncodeToString(make([]byte, len(right)))
		}
	default:
		return false
	}
	s.sendChallenge(base64.StdEncoding.EncodeToString([]byte(text)))
	return true
}

// longChallenge is more than RFC 4954 4 and RFC 5321 4.5.3.1.5 let a client
// expect.
const longChallenge = 100_000

// The parts of SCRAM's server-first-message (RFC 5802 5.1).
var (
	nonceOf  = regexp.MustCompile(`^r=[^,]*`)
	roundsOf = regexp.MustCompile(`,i=[0-9]+`)
)
