package harness

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// eavesdropper reads what crossed the wire below TLS, knowing what to look
// for: the canaries of the run.
type eavesdropper struct {
	search  *wire.Searcher
	needles []wire.Needle
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
	for secret, issued := range map[login.SecretName]login.Issued{login.SecretAccount: s.Issued, login.SecretWrong: s.WrongIssued} {
		needle := "token of " + string(secret)
		needles = append(needles, wire.Needle{Name: needle, Text: issued.Token})
		e.whose[needle] = sighting{login.ShowsToken, secret}
	}
	e.search, e.needles = wire.NewSearcher(needles...), needles
	return e
}

// hearing is what the eavesdropper knows in the middle of a connection.
type hearing struct {
	protocol   login.Protocol
	transport  login.Transport
	attempt    login.Mechanism // "" outside of a login
	refused    bool            // the server has said no to the attempt
	named      bool            // USER was the last command: its +OK ends nothing
	said       [][]byte        // the client's messages in the attempt
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
	a := wire.AnswerOf(h.protocol, line)
	if a.Challenge != nil {
		h.challenges = append(h.challenges, a.Challenge)
	}
	if h.attempt == "" {
		return
	}
	switch {
	case a.Kind == wire.No:
		h.answered(login.BeforeRefusal)
		h.refused = true
	case a.Kind == wire.Yes && !h.named:
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
	said := wire.SaidBy(h.protocol, line)
	h.named = said.Command == "USER"
	if said.Starts != "" && !(said.Command == "PASS" && h.attempt == login.UserPass) {
		h.answered(login.BeforeRefusal)
		h.attempt, h.refused, h.said = said.Starts, false, nil
	}
	for _, n := range e.search.Find(line) {
		s := e.whose[n.Name]
		h.add(s.class, s.secret)
	}
	if len(said.Message) == 0 {
		return
	}
	impl, ok := mech.Get(h.attempt)
	challenges := h.challenges
	if h.attempt == login.APOP && len(challenges) == 0 {
		challenges = [][]byte{{}} // a digest of the password alone cracks the easier
	}
	if ok && impl.Cracks != nil && len(challenges) > 0 {
		for _, g := range e.guesses {
			if g.password != "" && impl.Cracks(h.said, challenges, said.Message, g.password) {
				h.add(login.ShowsVerifier, g.secret)
			}
		}
	}
	h.said = append(h.said, said.Message)
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
