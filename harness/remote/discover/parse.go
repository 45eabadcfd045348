package discover

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// scheme is what may stand before "://".
type scheme struct {
	protocol login.Protocol
	implicit bool
	port     uint16 // the usual one
}

// Mail is handed in on 587 (RFC 6409 3.1), and 465 (RFC 8314 3.3).
var schemes = map[string]scheme{
	"smtp":  {login.SMTP, false, 587},
	"smtps": {login.SMTP, true, 465},
	"pop3":  {login.POP3, false, 110},
	"pop3s": {login.POP3, true, 995},
}

const example = "smtp://mail.example.com:587, pop3s://mail.example.com or mail.example.com"

// Parse understands the arguments of a check: smtp://, smtps://, pop3:// and
// pop3s:// with a host and perhaps a port, or bare names. All of them are one
// server's. The error says what is wrong with which, and what to write; it never
// shows what stands before an "@", where a password may be.
func Parse(args []string) (Asked, error) {
	var asked Asked
	var wrong []error
	if len(args) == 0 {
		return asked, errors.New("no server is named: write " + example)
	}
	for _, arg := range args {
		if err := asked.add(arg); err != nil {
			wrong = append(wrong, err)
		}
	}
	return asked, errors.Join(wrong...)
}

func (a *Asked) add(arg string) error {
	shown := veiled(arg)
	if arg == "" || strings.ContainsFunc(arg, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return fmt.Errorf("%s: a server's name is not empty and has no spaces in it: write %s", shown, example)
	}
	before, rest, isURL := strings.Cut(arg, "://")
	if !isURL {
		return a.addName(arg, shown)
	}
	s, known := schemes[strings.ToLower(before)]
	switch {
	case strings.HasPrefix(strings.ToLower(before), "imap"):
		return fmt.Errorf("%s: IMAP is not judged: write smtp://, smtps://, pop3:// or pop3s://", shown)
	case !known:
		return fmt.Errorf("%s: no mail protocol that is judged: write smtp://, smtps://, pop3:// or pop3s://", shown)
	case strings.Contains(rest, "@"):
		return fmt.Errorf("%s: leave out what is before the @: the account comes from MAILMATRIX_USER and MAILMATRIX_PASSWORD, or from --account-file", shown)
	}
	rest = strings.TrimSuffix(rest, "/")
	if strings.ContainsAny(rest, "/?#") {
		return fmt.Errorf("%s: leave out what follows the host and the port", shown)
	}
	host, port, err := hostAndPort(rest, s.port)
	if err != nil {
		return fmt.Errorf("%s: %w", shown, err)
	}
	d := reach.Door{Protocol: s.protocol, Implicit: s.implicit, Host: host, Port: port, Found: login.FoundNamed, Typed: true}
	if !slices.Contains(a.Doors, d) {
		a.Doors = append(a.Doors, d)
	}
	return nil
}

// addName takes a host, an address, or a mail address, which means its domain.
func (a *Asked) addName(arg, shown string) error {
	if at := strings.LastIndexByte(arg, '@'); at >= 0 {
		if strings.Contains(arg[:at], ":") {
			return fmt.Errorf("%s: leave out what is before the @: the account comes from MAILMATRIX_USER and MAILMATRIX_PASSWORD, or from --account-file", shown)
		}
		arg = arg[at+1:]
	}
	if strings.ContainsAny(arg, "/?#") {
		return fmt.Errorf("%s: leave out what follows the name", shown)
	}
	bare := arg
	if strings.HasPrefix(arg, "[") && strings.HasSuffix(arg, "]") {
		bare = arg[1 : len(arg)-1]
	} else if strings.Count(arg, ":") == 1 {
		return fmt.Errorf("%s: nobody knows what is spoken on a bare port: write smtp://, smtps://, pop3:// or pop3s:// before it", shown)
	}
	host, err := hostName(bare)
	if err != nil {
		return fmt.Errorf("%s: %w", shown, err)
	}
	if !slices.Contains(a.Names, host) {
		a.Names = append(a.Names, host)
	}
	return nil
}

// veiled is an argument as an error may show it.
func veiled(arg string) string {
	at := strings.LastIndexByte(arg, '@')
	if at < 0 {
		return fmt.Sprintf("%.80q", arg)
	}
	before, _, isURL := strings.Cut(arg[:at], "://")
	if !isURL {
		return fmt.Sprintf("%.80q", "..."+arg[at:])
	}
	return fmt.Sprintf("%.80q", before+"://..."+arg[at:])
}

func hostAndPort(s string, usual uint16) (string, uint16, error) {
	host, port := s, ""
	switch {
	case strings.HasPrefix(s, "["):
		end := strings.IndexByte(s, ']')
		if end < 0 || end+1 < len(s) && s[end+1] != ':' {
			return "", 0, errors.New("an IPv6 address is written as [2001:db8::1], and a port as [2001:db8::1]:587")
		}
		host, port = s[1:end], s[end+1:]
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() {
			return "", 0, errors.New("what stands in brackets is no IPv6 address")
		}
	case strings.Count(s, ":") > 1:
		return "", 0, errors.New("an IPv6 address needs brackets here: [2001:db8::1]")
	case strings.Contains(s, ":"):
		i := strings.IndexByte(s, ':')
		host, port = s[:i], s[i:]
	}
	number := usual
	if port != "" {
		n, err := strconv.ParseUint(port[1:], 10, 16)
		if err != nil || n == 0 {
			return "", 0, errors.New("a port is a number from 1 to 65535")
		}
		number = uint16(n)
	}
	host, err := hostName(host)
	return host, number, err
}

// The limits of DNS (RFC 1035 2.3.4), without the final dot.
const (
	longestName  = 253
	longestLabel = 63
)

// hostName is an address or a name in the form that DNS takes: lower case,
// without a final dot, names of other scripts in their ASCII form (RFC 5890).
func hostName(s string) (string, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.String(), nil
	}
	name := strings.TrimSuffix(s, ".")
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", errors.New("this is no host name: write it in its ASCII form, with xn--")
		}
		name = ascii
	}
	name = strings.ToLower(name)
	if name == "" {
		return "", errors.New("the host is missing")
	}
	if len(name) > longestName {
		return "", fmt.Errorf("a host name has at most %d characters", longestName)
	}
	for label := range strings.SplitSeq(name, ".") {
		if !isLabel(label) {
			return "", errors.New("this is no host name: it is made of letters, digits and hyphens, with dots between")
		}
	}
	if last := name[strings.LastIndexByte(name, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return "", errors.New("this is neither a host name nor an address")
	}
	return name, nil
}

// isLabel takes the underscore too, which is in use though no host name may have
// it (RFC 1123 2.1).
func isLabel(s string) bool {
	return s != "" && len(s) <= longestLabel && s[0] != '-' && s[len(s)-1] != '-' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
