package mech

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// The grammar of RFC 5802 7. The library reads the same messages and forgives
// much that is not in it, so they are read here first.

// What is wrong with a message, in the words of server-error-value.
var (
	errInvalidEncoding  = errors.New("invalid-encoding")
	errExtension        = errors.New("extensions-not-supported")
	errUsernameEncoding = errors.New("invalid-username-encoding")
)

// scramFirst is a client-first-message.
type scramFirst struct {
	flag              string        // "n", "y" or "p"
	binding           login.Binding // named after "p="
	authzid, username string        // decoded, not prepared; no authzid is ""
	bare              string        // what comes after the gs2-header
}

func parseScramFirst(message string) (scramFirst, error) {
	flag, rest, _ := strings.Cut(message, ",")
	authzid, bare, ok := strings.Cut(rest, ",")
	if !ok {
		return scramFirst{}, errInvalidEncoding
	}
	m := scramFirst{flag: flag, bare: bare}
	if name, found := strings.CutPrefix(flag, "p="); found && name != "" && strings.IndexFunc(name, notInBindingName) < 0 {
		m.flag, m.binding = "p", login.Binding(name)
	} else if flag != "n" && flag != "y" {
		return scramFirst{}, errInvalidEncoding
	}
	if authzid != "" {
		values, err := attributes(authzid, "a")
		if err != nil {
			return scramFirst{}, err
		}
		if m.authzid, ok = decodeName(values[0]); !ok {
			return scramFirst{}, errInvalidEncoding
		}
	}
	values, err := attributes(bare, "nr")
	if err != nil {
		return scramFirst{}, err
	}
	if m.username, ok = decodeName(values[0]); !ok {
		return scramFirst{}, errUsernameEncoding
	}
	return m, printable(values[1])
}

// scramChallenge is a server-first-message.
type scramChallenge struct {
	nonce  string
	salt   []byte
	rounds int
}

// mostRounds is about a second's work. A server that asks for more can keep a
// client busy for as long as it likes (RFC 5802 9).
const mostRounds = 5_000_000

func parseScramChallenge(message string) (scramChallenge, error) {
	values, err := attributes(message, "rsi")
	if err != nil {
		return scramChallenge{}, err
	}
	m := scramChallenge{nonce: values[0]}
	if m.salt, err = decodeBase64(values[1]); err != nil {
		return scramChallenge{}, err
	}
	// posit-number has neither sign nor leading zero.
	if m.rounds, err = strconv.Atoi(values[2]); err != nil || values[2][0] < '1' || values[2][0] > '9' {
		return scramChallenge{}, errInvalidEncoding
	}
	if m.rounds > mostRounds {
		return scramChallenge{}, errors.New("too many iterations")
	}
	return m, printable(m.nonce)
}

// scramFinal is a client-final-message.
type scramFinal struct {
	proof        []byte
	withoutProof string
}

func parseScramFinal(message string) (scramFinal, error) {
	at := strings.LastIndexByte(message, ',') // the proof comes last
	if at < 0 {
		return scramFinal{}, errInvalidEncoding
	}
	values, err := attributes(message[:at], "cr")
	if err != nil {
		return scramFinal{}, err
	}
	last, err := attributes(message[at+1:], "p")
	if err != nil {
		return scramFinal{}, err
	}
	if _, err := decodeBase64(values[0]); err != nil {
		return scramFinal{}, err
	}
	proof, err := decodeBase64(last[0])
	if err != nil {
		return scramFinal{}, err
	}
	return scramFinal{proof: proof, withoutProof: message[:at]}, printable(values[1])
}

// attributes reads the values of a message whose first attributes have these
// letters, in this order. Others may follow; RFC 5802 5.1 has all but "m"
// ignored, which must make a login fail wherever it stands.
func attributes(message, letters string) ([]string, error) {
	if !utf8.ValidString(message) || strings.Contains(message, "\x00") {
		return nil, errInvalidEncoding
	}
	var values []string
	for i, field := range strings.Split(message, ",") {
		letter, value, _ := strings.Cut(field, "=")
		switch {
		case letter == "m":
			return nil, errExtension
		case len(letter) != 1 || !isLetter(letter[0]) || value == "",
			i < len(letters) && letter != letters[i:i+1]:
			return nil, errInvalidEncoding
		}
		values = append(values, value)
	}
	if len(values) < len(letters) {
		return nil, errInvalidEncoding
	}
	return values[:len(letters)], nil
}

// decodeName undoes the quoting of a name, in which "=" begins "=2C" or "=3D"
// and nothing else (RFC 5802 5.1).
func decodeName(quoted string) (name string, ok bool) {
	if strings.Count(quoted, "=") != strings.Count(quoted, "=2C")+strings.Count(quoted, "=3D") {
		return "", false
	}
	return strings.NewReplacer("=2C", ",", "=3D", "=").Replace(quoted), true
}

// decodeBase64 takes one spelling only (RFC 4648 3.5); the package forgives
// line ends inside.
func decodeBase64(text string) ([]byte, error) {
	decoded, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, errInvalidEncoding
	}
	return decoded, nil
}

// printable is what a nonce is made of; a comma cannot be in it any more.
func printable(nonce string) error {
	if strings.IndexFunc(nonce, func(r rune) bool { return r < '!' || r > '~' }) >= 0 {
		return errInvalidEncoding
	}
	return nil
}

func notInBindingName(r rune) bool {
	return r > '~' || !isLetter(byte(r)) && (r < '0' || r > '9') && r != '.' && r != '-'
}

func isLetter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }
