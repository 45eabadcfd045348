package recording

import (
	"regexp"
	"strings"
)

// How a client's lines were normalised. See "Normalisation of commands" in the
// README; the recordings make it exact.
var (
	// A base64 word of 16 or more characters at the end of the line. Padding is
	// not counted: the password of the account is 15 and "=", and stays. The
	// digest of APOP is such a word too: the README says <md5>, the
	// recordings say <b64>.
	longWord = regexp.MustCompile(`(^| )[A-Za-z0-9+/]{16,}={0,2}$`)
	// In capitals only: Python's "size=23" stays.
	size = regexp.MustCompile(`\bSIZE=[0-9]+`)
)

// Normalise is a client's line as a record has it. host is the name of the
// client's machine, which some say in EHLO; "" is none.
func Normalise(line, host string) string {
	if verb, name, ok := strings.Cut(line, " "); ok && host != "" && isHello(verb) && name == host {
		return verb + " " + Machine
	}
	line = longWord.ReplaceAllString(line, "${1}<b64>")
	return size.ReplaceAllString(line, "SIZE=<n>")
}

func isHello(verb string) bool {
	return strings.EqualFold(verb, "EHLO") || strings.EqualFold(verb, "HELO")
}

// What two recordings of one client may differ in.
var (
	noted   = regexp.MustCompile(`<b64[^<>]*>|<md5>`)
	anySize = regexp.MustCompile(`(?i)\b(size)=(?:[0-9]+|<n>)`)
)

// comparably takes out of a normalised command what says nothing about the
// client: notes on a payload, which the README allows, the two names of a
// digest, and the size of a message, in whatever letters.
func comparably(command string) string {
	return anySize.ReplaceAllString(noted.ReplaceAllString(command, "<b64>"), "$1=<n>")
}
