package mech

import (
	"fmt"
	"slices"
	"strings"
)

// directives are what every message of DIGEST-MD5 lists (RFC 2831 7): by name
// in lower case, the values unquoted and in the order in which they came.
type directives map[string][]string

// value is a directive's value, or what it is taken for where it is absent.
func (d directives) value(name, absent string) string {
	if values := d[name]; values != nil {
		return values[0]
	}
	return absent
}

// digestForm is what tells one kind of message from another.
type digestForm struct {
	limit int      // a message is shorter than this
	once  []string // what may not appear twice; anything else may
}

var (
	// RFC 2831 2.1.1: several realms may be offered.
	challengeForm = digestForm{2048, []string{"nonce", "qop", "stale", "maxbuf", "charset", "algorithm", "cipher"}}
	// RFC 2831 2.1.2.
	responseForm = digestForm{4096, []string{"username", "realm", "nonce", "cnonce", "nc", "qop", "digest-uri",
		"response", "maxbuf", "charset", "cipher", "authzid"}}
	// RFC 2831 2.1.3 sets no limit: a challenge's will do.
	responseAuthForm = digestForm{2048, []string{"rspauth"}}
)

// parse takes a message apart. What it does not know it keeps, for the callers
// not to look at (RFC 2831 2.1.1, auth-param). Errors repeat nothing of what
// was sent: it may be a secret in the wrong place.
func (f digestForm) parse(message []byte) (directives, error) {
	if len(message) >= f.limit {
		return nil, fmt.Errorf("%w: not under %d octets", ErrMalformed, f.limit)
	}
	list, rest := directives{}, digestScanner(message)
	for rest.skipSpace(); rest != ""; rest.skipSpace() {
		if rest.take(',') { // RFC 2831 7.1, #rule: elements may be empty
			continue
		}
		name, value, ok := rest.directive()
		if !ok {
			return nil, fmt.Errorf("%w: no directive %d octets before the end", ErrMalformed, len(rest))
		}
		if rest.skipSpace(); rest != "" && rest[0] != ',' {
			return nil, fmt.Errorf("%w: no comma %d octets before the end", ErrMalformed, len(rest))
		}
		if list[name] != nil && slices.Contains(f.once, name) {
			return nil, fmt.Errorf("%w: %s twice", ErrMalformed, name)
		}
		list[name] = append(list[name], value)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: no directives", ErrMalformed)
	}
	return list, nil
}

// digestScanner is what is left of a message.
type digestScanner string

// directive is token "=" ( token | quoted-string ), with white space between
// the words (RFC 2831 7.1, implied *LWS). Each directive is to be written in
// one of the two forms, but curl quotes nc, and Dovecot charset and algorithm;
// a value means the same in both, so both are read.
func (s *digestScanner) directive() (name, value string, ok bool) {
	name = strings.ToLower(s.token())
	s.skipSpace()
	if name == "" || !s.take('=') {
		return "", "", false
	}
	s.skipSpace()
	if s.take('"') {
		value, ok = s.untilQuote()
	} else {
		value = s.token()
		ok = value != ""
	}
	return name, value, ok
}

func (s *digestScanner) take(c byte) bool {
	if *s == "" || (*s)[0] != c {
		return false
	}
	*s = (*s)[1:]
	return true
}

// skipSpace passes over linear white space: blanks, and the end of a line
// where a blank begins the next (RFC 2831 7.2, LWS).
func (s *digestScanner) skipSpace() {
	for {
		line := strings.TrimPrefix(string(*s), "\r\n")
		blanks := strings.TrimLeft(line, " \t")
		if len(blanks) == len(line) {
			return
		}
		*s = digestScanner(blanks)
	}
}

// token is the longest that begins here, "" if none does.
func (s *digestScanner) token() string {
	n := 0
	for n < len(*s) && isTokenOctet((*s)[n]) {
		n++
	}
	token := string((*s)[:n])
	*s = (*s)[n:]
	return token
}

// untilQuote is the value of a quoted-string whose first quotation mark is
// taken already (RFC 2831 7.2).
func (s *digestScanner) untilQuote() (string, bool) {
	var value []byte
	for *s != "" {
		c := (*s)[0]
		switch {
		case s.take('"'):
			return string(value), true
		case s.take('\\'):
			if *s == "" || (*s)[0] >= 0x80 { // quoted-pair = "\" CHAR
				return "", false
			}
			value = append(value, (*s)[0])
			*s = (*s)[1:]
		case c == '\r': // only in a folded line, which stands for one space
			before := len(*s)
			if s.skipSpace(); len(*s) == before {
				return "", false
			}
			value = append(value, ' ')
		case isCTL(c) && c != '\t':
			return "", false
		default:
			value = append(value, c)
			*s = (*s)[1:]
		}
	}
	return "", false
}

// digestQuote makes a quoted-string. A control character may only stand in one
// behind a backslash.
func digestQuote(text string) string {
	quoted := []byte{'"'}
	for _, c := range []byte(text) {
		if c == '"' || c == '\\' || isCTL(c) {
			quoted = append(quoted, '\\')
		}
		quoted = append(quoted, c)
	}
	return string(append(quoted, '"'))
}

func isCTL(c byte) bool { return c < ' ' || c == 0x7f }

func isTokenOctet(c byte) bool {
	return c > ' ' && c < 0x7f && !strings.ContainsRune(`()<>@,;:\"/[]?={}`, rune(c))
}
