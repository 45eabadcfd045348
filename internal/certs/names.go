package certs

import (
	"fmt"
	"net"
	"strings"
)

const (
	maxCommonName = 64  // RFC 5280 appendix A.1, ub-common-name
	maxHostName   = 253 // RFC 1035 s2.3.4: 255 octets on the wire
	maxLabel      = 63  // RFC 1035 s2.3.4
)

// nameError says what is wrong with a name that was asked for.
type nameError struct{ name, wrong string }

func (e *nameError) Error() string { return fmt.Sprintf("name %q: %s", e.name, e.wrong) }

// CheckHostName says what is wrong with a name that one machine is to go by, and that may stand in its certificate: a host name
// (RFC 1123 s2.1) or an IP address. A wildcard is the name of many.
func CheckHostName(name string) error {
	if strings.HasPrefix(name, "*") {
		return &nameError{name, "a wildcard names no single machine"}
	}
	return checkName(name)
}

// checkName accepts an IP address, a host name (RFC 1123 s2.1; a single label such as WorkPC1 too), and a host name with a wildcard
// for its whole leftmost label (RFC 9525 s6.3).
func checkName(name string) error {
	if net.ParseIP(name) != nil {
		return nil
	}
	if len(name) > maxHostName {
		return &nameError{name, "longer than the 253 characters of a host name"}
	}
	host, wildcard := strings.CutPrefix(name, "*.")
	if name == "*" || wildcard && host == "" {
		return &nameError{name, "a wildcard needs a domain, as in *.example.test"}
	}
	for label := range strings.SplitSeq(host, ".") {
		if wrong := checkLabel(label); wrong != "" {
			return &nameError{name, wrong}
		}
	}
	return nil
}

// checkLabel returns what is wrong with one label, or nothing.
func checkLabel(label string) string {
	switch {
	case label == "":
		return "a label is empty"
	case len(label) > maxLabel:
		return "a label is longer than 63 characters"
	case strings.Contains(label, "*"):
		return "a wildcard may only be the whole leftmost label, as in *.example.test"
	case label[0] == '-' || label[len(label)-1] == '-':
		return "a label begins or ends with a hyphen"
	}
	for _, c := range label {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
		case c > 0x7f:
			return fmt.Sprintf("%q is not ASCII; write the label in its xn-- form", c)
		default:
			return fmt.Sprintf("%q does not occur in host names", c)
		}
	}
	return ""
}
