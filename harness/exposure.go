package harness

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// eavesdropper reads what crossed the wire below TLS, knowing what to look
// for: the canaries of the run.
type eavesdropper struct {
	search *wire.Searcher
	// whose names the secret behind each canary, by the needle's name.
	whose map[string]sighting
	// guesses are the passwords to try against every proof.
	guesses []guess
}

type sighting struct {
	class  login.ExposureClass
	secret login.SecretName
}

type guess struct {
	secret   login.SecretName
	password string
}

func newEavesdropper(s login.Secrets) *eavesdropper {
	e := &eavesdropper{
		whose: map[string]sighting{},
		guesses: []guess{
			{login.SecretAccount, s.Password}, {login.SecretOverride, s.Override},
			{login.SecretWrong, s.Wrong}, {login.SecretWindowsUser, s.WindowsPassword},
		},
	}
	needles := []wire.Needle{{Name: "name", Text: s.Name}, {Name: "windows", Text: s.WindowsUser}}
	e.whose["name"] = sighting{login.ShowsIdentity, login.SecretAccount}
	e.whose["windows"] = sighting{login.ShowsIdentity, login.SecretWindowsUser}
	for _, g := range e.guesses {
		needles = append(needles, wire.Needle{Name: string(g.secret), Text: g.password})
		e.whose[string(g.secret)] = sighting{login.ShowsPassword, g.secret}
	}
	e.search = wire.NewSearcher(needles...)
	return e
}

// hearing is what the eavesdropper knows in the middle of a connection.
type hearing struct {
	protocol   login.Protocol
	transport  login.Transport
	attempt    login.Mechanism // "" outside of a login
	refused    bool            // the server has said no to the attempt
	named      bool            // USER was the last command: its +OK ends nothing
	challenges [][]byte
	found      []login.Exposure
	open       int // found[open:] wait for the server's answer
}

// Listen returns what can be read in the lines that crossed the wire.
func (e *eavesdropper) Listen(lines []wire.Heard, p login.Protocol, t login.Transport) []login.Exposure {
	h := &hearing{protocol: p, transport: t}
	for _, l := range lines {
		if l.Server {
			h.fromServer(l.Line)
		} else {
			e.fromClient(h, l.Line)
		}
	}
	h.answered(login.BeforeRefusal) // cut off without an answer
	return h.found
}

func (h *hearing) fromServer(line []byte) {
	a := answerOf(h.protocol, line)
	if a.challenge != nil {
		h.challenges = append(h.challenges, a.challenge)
	}
	if h.attempt == "" {
		return
	}
	switch {
	case a.kind == answerNo:
		h.answered(login.BeforeRefusal)
		h.refused = true
	case a.kind == answerYes && !h.named:
		h.answered(login.OnSuccess)
		h.attempt = ""
	}
}

// answered settles when the findings crossed that waited for an answer.
func (h *hearing) answered(when login.When) {
	for i := range h.found[h.open:] {
		h.found[h.open+i].When = when
	}
	h.open = len(h.found)
}

func (e *eavesdropper) fromClient(h *hearing, line []byte) {
	command, started, message := attemptOf(h.protocol, line)
	h.named = command == "USER"
	if started != "" && !(command == "PASS" && h.attempt == login.UserPass) {
		h.answered(login.BeforeRefusal)
		h.attempt, h.refused = started, false
	}
	for _, n := range e.search.Find(line) {
		s := e.whose[n.Name]
		h.add(s.class, s.secret)
	}
	impl, ok := mech.Get(h.attempt)
	if !ok || impl.Cracks == nil || len(h.challenges) == 0 || len(message) == 0 {
		return
	}
	for _, g := range e.guesses {
		if g.password != "" && impl.Cracks(h.challenges, message, g.password) {
			h.add(login.ShowsVerifier, g.secret)
		}
	}
}

// add notes a finding once for each attempt.
func (h *hearing) add(class login.ExposureClass, secret login.SecretName) {
	x := login.Exposure{Class: class, Mechanism: h.attempt, Transport: h.transport, Secret: secret}
	if h.refused {
		x.When = login.AfterRefusal
		if !slices.Contains(h.found, x) {
			h.found = slices.Insert(h.found, h.open, x)
			h.open++
		}
		return
	}
	if !slices.Contains(h.found[h.open:], x) {
		h.found = append(h.found, x)
	}
}

type answerKind uint8

const (
	answerNone answerKind = iota // a challenge, or a step on the way
	answerYes
	answerNo
)

type answer struct {
	kind      answerKind
	challenge []byte
}

// answerOf reads a line of the server for what it says of a login: RFC 4954 4
// and 6, RFC 5034 4, RFC 1939 7.
func answerOf(p login.Protocol, line []byte) answer {
	if p == login.POP3 {
		switch {
		case bytes.HasPrefix(line, []byte("-ERR")):
			return answer{kind: answerNo}
		case bytes.HasPrefix(line, []byte("+OK")):
			return answer{kind: answerYes, challenge: mech.Timestamp(string(line))}
		case bytes.HasPrefix(line, []byte("+ ")):
			return answer{challenge: decode(line[2:])}
		}
		return answer{}
	}
	switch {
	case bytes.HasPrefix(line, []byte("235")):
		return answer{kind: answerYes}
	case bytes.HasPrefix(line, []byte("334 ")):
		return answer{challenge: decode(line[4:])}
	case len(line) > 3 && (line[0] == '4' || line[0] == '5') && line[3] == ' ':
		return answer{kind: answerNo}
	}
	return answer{}
}

// attemptOf reads a line of the client: its command, the mechanism that it
// starts, if it starts one, and the message it carries.
func attemptOf(p login.Protocol, line []byte) (command string, started login.Mechanism, message []byte) {
	words := strings.Fields(string(line))
	if len(words) == 0 {
		return "", "", nil
	}
	command = strings.ToUpper(words[0])
	switch {
	case command == "AUTH" && len(words) > 1:
		return command, login.Mechanism(strings.ToUpper(words[1])), decode([]byte(words[len(words)-1]))
	case p == login.POP3 && command == "APOP":
		return command, login.APOP, bytes.TrimSpace(line[len(command):])
	case p == login.POP3 && (command == "USER" || command == "PASS"):
		return command, login.UserPass, nil
	case len(words) == 1:
		return command, "", decode(line)
	default:
		return command, "", nil
	}
}

func decode(b []byte) []byte {
	d, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(b)))
	if err != nil {
		return nil
	}
	return d
}
