package server

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// A posture's script is consulted here and nowhere else. The rest of the
// server asks these functions what it would otherwise do by itself.

// scripted is the list that the script has for a connection, if it has one.
func (s *Server) scripted(l link) (list []login.Mechanism, ok bool) {
	list = s.script.Lists
	if l.transport.Encrypted() && s.script.ListsTLS != nil {
		list = s.script.ListsTLS
	}
	return list, list != nil
}

// postured is what the posture makes of a mechanism's command, before anybody
// looks at the policy; ok is false where it makes nothing of it.
func (s *Server) postured(m login.Mechanism, l link) (v verdict, ok bool) {
	list, scripted := s.scripted(l)
	switch {
	case s.setup.Posture.OfferedRefused:
		return verdict{refusal: login.ByPolicy, reason: "posture: offered, then refused"}, true
	case replyFor(s.script.Refuses, m) != "":
		return verdict{refusal: login.ByPolicy, reason: "posture: refused at the command"}, true
	case scripted && isSASL(m) && !slices.Contains(list, m):
		return verdict{refusal: login.ByPolicy, reason: "posture: not listed"}, true
	default:
		return verdict{}, false
	}
}

func replyFor(replies map[login.Mechanism]string, m login.Mechanism) string {
	if reply, ok := replies[m]; ok {
		return reply
	}
	return replies[login.AnyMechanism]
}

// refuseCommand answers a command that decide refuses.
func (s *session) refuseCommand(rec login.Record) {
	if reply := replyFor(s.server.script.Refuses, rec.Mechanism); reply != "" {
		s.write(rec)
		switch reply {
		case login.AnswerClose:
			s.over = true
		default:
			s.reply(reply)
		}
		return
	}
	s.refuse(rec, sayNotPermitted)
}

// rejecting makes every credential a wrong one where the script rejects the
// mechanism, so that the exchange runs and ends as it does with those: the
// recorder's did (DIGEST-MD5 without the server's proof, XOAUTH2 and
// OAUTHBEARER with their error result).
func (a *attempt) rejecting(c mech.ServerConfig) mech.ServerConfig {
	if replyFor(a.session.server.script.Rejects, a.mechanism) == "" {
		return c
	}
	lookup, keys := c.Lookup, c.Keys
	c.Lookup = func(name string) (string, bool) { password, _ := lookup(name); return password, false }
	c.Keys = func(name string, hash mech.Hash) (mech.StoredKeys, bool) {
		stored, _ := keys(name, hash)
		return stored, false
	}
	c.Check = func(name, password string) bool { a.check(name, password); return false }
	c.Known = func(name string) bool { a.known(name); return false }
	verify := c.Token
	c.Token = func(token string) (string, error) {
		account, err := verify(token)
		if err == nil {
			err = fmt.Errorf("%w: posture", mech.ErrCredentials)
		}
		return account, err
	}
	return c
}

// rejects answers an exchange that came to its end, right or wrong, where the
// script rejects the mechanism. Who broke it off gets what he always gets.
func (s *session) rejects(a *attempt, err error) bool {
	reply := replyFor(s.server.script.Rejects, a.mechanism)
	if reply == "" || errors.Is(err, errLost) || err != nil && !errors.Is(err, mech.ErrCredentials) && a.refused() == nil {
		return false
	}
	s.write(login.Record{Mechanism: a.mechanism, Refusal: login.ByCredentials, Reason: "posture: rejected"})
	s.reply(reply)
	return true
}

// demandsLogin reports whether MAIL has to wait for a login (RFC 4954 6).
func (f *smtpFront) demandsLogin() bool {
	return f.server.script.LoginBeforeMail && f.account == "" && len(f.server.listed(login.SMTP, f.link())) > 0
}

// anyOrder: an extension is taken from who never asked for the extensions.
func (s *Server) anyOrder() bool { return s.script.Recorder }

// sharesMailboxes: several sessions may have one, against RFC 1939 4. Only QUIT
// deletes, so none harms another.
func (s *Server) sharesMailboxes() bool { return s.script.Recorder }

// within reports whether a line is not too long for its verb.
func (s *session) within(line []byte, verb string) bool {
	return s.server.script.Recorder || len(line) <= s.dialect.longest(verb)
}

// answersEHLO and answersCAPA report whether the command exists.
func (s *Server) answersEHLO() bool { return !s.script.NoEHLO }
func (s *Server) answersCAPA() bool { return !s.script.NoCAPA }

// answersBareAuth reports whether AUTH without an argument lists.
func (s *Server) answersBareAuth() bool {
	switch s.script.BareAuth {
	case login.BareAuthLists:
		return true
	case login.BareAuthRefused:
		return false
	default:
		return s.answersCAPA()
	}
}

// authLines is the list of mechanisms as EHLO has it.
func (s *Server) authLines(names []login.Mechanism) []string {
	keyword, list := "AUTH", appendNames(nil, names)
	if s.script.LowerCase {
		keyword, list = strings.ToLower(keyword), []byte(strings.ToLower(string(list)))
	}
	standard, legacy := keyword+string(list), keyword+"="+string(list[1:])
	switch s.script.LegacyAuth {
	case login.LegacyToo:
		return []string{standard, legacy}
	case login.LegacyOnly:
		return []string{legacy}
	default:
		return []string{standard}
	}
}

// brokenByServer is what the recorder noted of such a handshake.
const brokenByServer = "alert handshake failure (sent by the server)"

// breakHandshake answers the client's hello with a fatal alert
// handshake_failure (RFC 8446 6.2) and ends the session. The hello is read
// first: what is left unread when a connection closes can cost the peer the
// alert.
func (s *session) breakHandshake() {
	s.over = true
	s.allow(s.server.limits.Handshake)
	var header [5]byte // RFC 8446 5.1: type, version, length
	if _, err := io.ReadFull(s.in, header[:]); err == nil {
		_, _ = io.CopyN(io.Discard, s.in, int64(binary.BigEndian.Uint16(header[3:])))
	}
	_, _ = s.conn.Write([]byte{21, 3, 1, 0, 2, 2, 40})
	s.tlsFailed(brokenByServer)
}
