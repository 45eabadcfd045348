package wire

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Answer is what a line of the server says of a login.
type Answer struct {
	Kind AnswerKind
	// Challenge is what a client can answer, decoded; nil where there is none.
	Challenge []byte
}

// AnswerKind is the class of an answer. The zero value decides nothing: a
// challenge, or a line that is no answer to a login.
type AnswerKind uint8

const (
	Undecided AnswerKind = iota
	Yes
	No
)

// AnswerOf reads a line of the server: RFC 4954 4 and 6, RFC 5034 4, RFC 1939 7.
func AnswerOf(p login.Protocol, line []byte) Answer {
	if p == login.POP3 {
		switch {
		case bytes.HasPrefix(line, []byte("-ERR")):
			return Answer{Kind: No}
		case bytes.HasPrefix(line, []byte("+OK")):
			a := Answer{Kind: Yes}
			if stamp := Timestamp(string(line)); stamp != "" {
				a.Challenge = []byte(stamp)
			}
			return a
		case bytes.HasPrefix(line, []byte("+ ")):
			return Answer{Challenge: decode(line[2:])}
		}
		return Answer{}
	}
	switch {
	case bytes.HasPrefix(line, []byte("235")):
		return Answer{Kind: Yes}
	case bytes.HasPrefix(line, []byte("334 ")):
		return Answer{Challenge: decode(line[4:])}
	case len(line) > 3 && (line[0] == '4' || line[0] == '5') && line[3] == ' ':
		return Answer{Kind: No}
	}
	return Answer{}
}

// Said is what a line of the client says of a login.
type Said struct {
	Command string // in upper case
	// Starts is the mechanism that the line begins to use; "" for none.
	Starts login.Mechanism
	// Message is what the line carries of the exchange, decoded; nil for none.
	Message []byte
}

// SaidBy reads a line of the client.
func SaidBy(p login.Protocol, line []byte) Said {
	words := strings.Fields(string(line))
	if len(words) == 0 {
		return Said{}
	}
	s := Said{Command: strings.ToUpper(words[0])}
	switch {
	case s.Command == "AUTH" && len(words) > 1:
		s.Starts = login.Mechanism(strings.ToUpper(words[1]))
		if len(words) > 2 {
			s.Message = decode([]byte(words[2]))
		}
	case p == login.POP3 && s.Command == "APOP":
		s.Starts, s.Message = login.APOP, bytes.TrimSpace(line[len(s.Command):])
	case p == login.POP3 && (s.Command == "USER" || s.Command == "PASS"):
		s.Starts = login.UserPass
	case len(words) == 1:
		s.Message = decode(line)
	}
	return s
}

func decode(b []byte) []byte {
	d, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(b)))
	if err != nil {
		return nil
	}
	return d
}

// Timestamp finds APOP's challenge in a greeting: from the first "<" to the
// next ">", both included (RFC 1939 7); "" if there is none.
func Timestamp(greeting string) string {
	start := strings.IndexByte(greeting, '<')
	if start < 0 {
		return ""
	}
	length := strings.IndexByte(greeting[start:], '>')
	if length < 0 {
		return ""
	}
	return greeting[start : start+length+1]
}

// RejectsCredentials reports whether the code of a refusal says that name or
// password were wrong (RFC 4954 6, RFC 3206 4).
func RejectsCredentials(p login.Protocol, reply string) bool {
	if p == login.POP3 {
		return strings.HasPrefix(reply, "-ERR [AUTH]")
	}
	return strings.HasPrefix(reply, "535")
}

// Temporary reports whether the code of a refusal says that the same login may
// work later, and so nothing of the credentials (RFC 5321 4.2.1, RFC 2449 8.1,
// RFC 3206 3).
func Temporary(p login.Protocol, reply string) bool {
	if p == login.SMTP {
		return strings.HasPrefix(reply, "4")
	}
	for _, code := range []string{"[IN-USE]", "[LOGIN-DELAY]", "[SYS/TEMP]"} {
		if strings.HasPrefix(reply, "-ERR "+code) {
			return true
		}
	}
	return false
}
