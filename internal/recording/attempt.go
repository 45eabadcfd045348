package recording

import (
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// attempt is one under way. The rules below are read off the recordings.
type attempt struct {
	Attempt
	challenged bool   // the next line answers a challenge
	cancelled  bool   // by "*" (RFC 4954 4)
	said       int    // messages with something in them, the initial response included
	last       string // the last of them
	ended      bool
}

// begin reads the command that starts an attempt. USER and APOP bring what
// they have in the command itself, so they count as with initial response.
func begin(verb, arg string, conn int, ch string) *attempt {
	a := &attempt{Attempt: Attempt{Mech: verb, IR: true, Conn: conn, Ch: ch}}
	if verb == "AUTH" {
		name, initial, has := strings.Cut(strings.TrimLeft(arg, " "), " ")
		a.Mech, a.IR = strings.ToUpper(name), has
		if has && initial != "=" { // RFC 4954 4: an empty one
			a.message(initial)
		}
	}
	return a
}

func (a *attempt) message(text string) {
	if text != "" {
		a.said++
		a.last = text
	}
}

func (a *attempt) wantsResponse() bool { return a != nil && a.challenged }

// respond takes the answer to a challenge.
func (a *attempt) respond(line string) {
	a.challenged = false
	if line == "*" {
		a.cancelled = true
		return
	}
	a.message(line)
}

// reply takes a line of the server's. Between attempts it means nothing.
func (c *connection) reply(e login.Event) {
	a := c.tried
	if a == nil || a.ended {
		return
	}
	switch text := e.Text; {
	case isChallenge(e):
		a.Steps++
		a.challenged = true
	case a.Mech == User && !a.Pass && strings.HasPrefix(text, "+OK"):
		// PASS is to come
	default:
		a.Res, a.ended = result(e), true
		if a.cancelled {
			a.Res = ResAborted
		}
		c.logged = c.logged || a.Res == ResOK
	}
}

// isChallenge: RFC 4954 4, RFC 5034 4.
func isChallenge(e login.Event) bool {
	if e.Protocol == login.POP3 {
		return e.Text == "+" || strings.HasPrefix(e.Text, "+ ")
	}
	return strings.HasPrefix(e.Text, "334")
}

// result is how the recordings name a server's last word.
func result(e login.Event) string {
	switch {
	case e.Protocol == login.POP3 && strings.HasPrefix(e.Text, "+OK"), strings.HasPrefix(e.Text, "235"):
		return ResOK
	case e.Protocol == login.POP3:
		return ResERR
	default:
		return e.Text[:min(3, len(e.Text))]
	}
}

// pass takes PASS. Who sends it although USER was refused shows his password
// all the same.
func (c *connection) pass() {
	if a := c.tried; a != nil && a.Mech == User && !a.Pass {
		a.Pass = true
	}
}

// abandon ends what is under way: the client said something else, or has gone.
func (c *connection) abandon() {
	if a := c.tried; a != nil && !a.ended {
		a.Res, a.ended = ResAborted, true
	}
	c.tried = nil
}

// showsPassword: the password itself was sent, whatever came of it.
func (a *attempt) showsPassword() bool {
	switch login.Mechanism(a.Mech) {
	case login.PLAIN:
		return a.said > 0
	case login.LOGIN: // a name, then the password
		return a.said > 1
	case User:
		return a.Pass
	default:
		return false
	}
}

// showsHash: the recorder counted the attempt, even where the command was
// refused and nothing had been shown yet (claws-mail under S10).
func (a *attempt) showsHash() bool {
	switch m := login.Mechanism(a.Mech); m {
	case login.CRAMMD5, login.NTLM, login.APOP, login.DIGESTMD5:
		return true
	default: // assumed: nobody tried SCRAM in clear
		return strings.HasPrefix(a.Mech, "SCRAM-")
	}
}

// judgeNTLM says which kind of response it was, and whether it was right where
// the server's word tells that: one that rejects everything says nothing.
func (a *attempt) judgeNTLM(rejects map[string]string) {
	if login.Mechanism(a.Mech) != login.NTLM {
		return
	}
	if a.NTLM = ntlmKind(a.last); a.NTLM == "" {
		return
	}
	rejected := rejects["*"] != "" || rejects[a.Mech] != ""
	if right := a.Res == ResOK; right || !rejected && a.Res != ResAborted {
		a.Verify = &right
	}
}

// ntlmKind tells the kinds apart by the lengths of the responses (MS-NLMP
// 2.2.1.3, 2.2.2.3 to 2.2.2.8); "" is no AUTHENTICATE_MESSAGE.
func ntlmKind(message string) string {
	b, err := base64.StdEncoding.DecodeString(message)
	if err != nil || len(b) < 64 || string(b[:8]) != "NTLMSSP\x00" || binary.LittleEndian.Uint32(b[8:]) != 3 {
		return ""
	}
	nt := int(binary.LittleEndian.Uint16(b[20:]))
	switch {
	case nt > 24:
		return "NTLMv2"
	case nt == 0:
		return "LM"
	case session(b):
		return "NTLM2-session"
	default:
		return "NTLMv1"
	}
}

// session reports a response with extended session security: its LM response
// is a challenge of the client's, 8 octets, and zeros (MS-NLMP 3.3.1).
func session(b []byte) bool {
	length, at := int(binary.LittleEndian.Uint16(b[12:])), int(binary.LittleEndian.Uint32(b[16:]))
	if length != 24 || at < 0 || at > len(b)-24 {
		return false
	}
	return string(b[at+8:at+24]) == string(make([]byte, 16))
}
