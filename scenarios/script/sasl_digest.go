package script

import (
	"context"
	"crypto/md5" //nolint:gosec // the protocol demands it
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Digesting is the step that goes through an exchange of DIGEST-MD5 by hand, so
// that each directive of its response can be another one and the proof is right
// all the same.
type Digesting struct {
	response func(*Play, DigestResponse) string
	expects  expects
}

// Digest goes through the exchange as the account and with its password
// (RFC 2831 2.1). A login that the server confirms without proving itself is a
// failure where a login is what is wanted (RFC 2831 2.1.3).
func Digest() *Digesting { return &Digesting{} }

// Response makes another response.
func (d *Digesting) Response(of func(*Play, DigestResponse) string) *Digesting {
	d.response = of
	return d
}

// Pass, Warn and Fail are about the answer that decides the exchange, as in
// [Saying].
func (d *Digesting) Pass(patterns ...string) *Digesting { return d.expect(login.Pass, patterns) }
func (d *Digesting) Warn(patterns ...string) *Digesting { return d.expect(login.Warn, patterns) }
func (d *Digesting) Fail(patterns ...string) *Digesting { return d.expect(login.Fail, patterns) }

// Because says of the expectation before it what it would mean.
func (d *Digesting) Because(why string) *Digesting {
	d.expects[len(d.expects)-1].because = why
	return d
}

func (d *Digesting) expect(v login.Verdict, patterns []string) *Digesting {
	d.expects = append(d.expects, expected{patterns: patterns, verdict: v})
	return d
}

func (d *Digesting) bill(b *Bill) { b.judged() }

func (d *Digesting) run(_ context.Context, p *Play) error {
	t, err := p.talk()
	if err != nil {
		return err
	}
	if err := p.mayCross(t); err != nil {
		return err
	}
	start := "AUTH " + string(login.DIGESTMD5)
	p.said[p.current] = start
	a := p.ask(t, start, start, d.expects)
	if !a.matches(Asked) {
		return skipping(login.WhyInconclusive, "%s was answered by %s", start, a)
	}
	first, err := challengeOf(t, a)
	r, ok := p.digestResponse(first)
	if err != nil || !ok {
		return p.find(login.Ruling{Verdict: login.Fail, Reason: "the challenge is none of DIGEST-MD5"})
	}
	message := r.Message()
	if d.response != nil {
		message = d.response(p, r)
	}
	a = p.ask(t, b64([]byte(message)), "<digest-response>", d.expects)
	proven := "not"
	if a.matches(Asked) {
		proof, err := challengeOf(t, a)
		if proven = "wrongly"; err == nil && proof == "rspauth="+r.proof("") {
			proven = "rightly"
		}
		a = p.ask(t, "", "", d.expects) // RFC 4422 3.6: the protocol has no other place for it
	}
	if found, ok := d.expects.find(a); ok && found.verdict == login.Pass && a.matches(In) && proven != "rightly" {
		return p.find(login.Ruling{Verdict: login.Fail,
			Reason: "the login is confirmed, and the server has " + proven + " proved that it has the password"})
	}
	return p.judge("an exchange of DIGEST-MD5", a, d.expects)
}

// Directive is one of a message of DIGEST-MD5 (RFC 2831 7.1).
type Directive struct {
	Name, Value string
	Quoted      bool
}

// Directives takes a message apart; ok is false where it is none.
func Directives(message string) (all []Directive, ok bool) {
	for rest := message; ; {
		rest = strings.TrimLeft(rest, " \t\r\n,") // RFC 2831 7.1: an element may be empty
		if rest == "" {
			return all, len(all) > 0
		}
		name, value, found := strings.Cut(rest, "=")
		name = strings.TrimRight(name, " \t\r\n")
		if !found || name == "" || strings.ContainsAny(name, `", `) {
			return nil, false
		}
		d := Directive{Name: strings.ToLower(name)}
		if d.Value, d.Quoted, rest, ok = directiveValue(strings.TrimLeft(value, " \t\r\n")); !ok {
			return nil, false
		}
		if rest = strings.TrimLeft(rest, " \t\r\n"); rest != "" && rest[0] != ',' {
			return nil, false
		}
		all = append(all, d)
	}
}

func directiveValue(text string) (value string, quoted bool, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text+",", ", \t\r\n")
		return text[:end], false, text[end:], end > 0
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return b.String(), true, text[i+1:], true
		case text[i] == '\\' && i+1 < len(text):
			i++
		}
		b.WriteByte(text[i])
	}
	return "", true, "", false
}

// DigestResponse is a digest-response (RFC 2831 2.1.2), without the proof.
type DigestResponse struct {
	directives []Directive
	password   string
}

// digestResponse answers a challenge.
func (p *Play) digestResponse(challenge string) (r DigestResponse, ok bool) {
	offered, ok := Directives(challenge)
	if !ok {
		return r, false
	}
	asked := func(name string) (string, bool) {
		for _, d := range offered {
			if d.Name == name {
				return d.Value, true
			}
		}
		return "", false
	}
	service := "smtp"
	if p.protocol == login.POP3 {
		service = "pop"
	}
	r.password = p.Secrets.Password
	if _, utf8 := asked("charset"); utf8 {
		r = r.With("charset", "utf-8")
	}
	r = r.With("username", p.Secrets.Name)
	if realm, ok := asked("realm"); ok {
		r = r.With("realm", realm)
	}
	nonce, ok := asked("nonce")
	return r.With("nonce", nonce).With("nc", "00000001").With("cnonce", p.word("cnonce")).With("qop", "auth").
		With("digest-uri", service+"/"+p.Name()), ok
}

// bareDirectives are those that are tokens; the others are quoted strings
// (RFC 2831 2.1.2).
var bareDirectives = []string{"nc", "qop", "response", "maxbuf", "charset", "cipher"}

// With has another value of a directive, or one more.
func (r DigestResponse) With(name, value string) DigestResponse {
	d := Directive{name, value, value == "" || !slices.Contains(bareDirectives, name)}
	r.directives = slices.Clone(r.directives)
	at := slices.IndexFunc(r.directives, func(d Directive) bool { return d.Name == name })
	if at < 0 {
		r.directives = append(r.directives, d)
	} else {
		r.directives[at] = d
	}
	return r
}

// Without leaves a directive out.
func (r DigestResponse) Without(name string) DigestResponse {
	r.directives = slices.DeleteFunc(slices.Clone(r.directives), func(d Directive) bool { return d.Name == name })
	return r
}

// Twice has a directive once more.
func (r DigestResponse) Twice(name string) DigestResponse {
	all := slices.Clone(r.directives)
	for _, d := range r.directives {
		if d.Name == name {
			all = append(all, d)
		}
	}
	r.directives = all
	return r
}

// Value is that of a directive, "" where it is absent.
func (r DigestResponse) Value(name string) string {
	for _, d := range r.directives {
		if d.Name == name {
			return d.Value
		}
	}
	return ""
}

// Message is the response with the right proof for what it says.
func (r DigestResponse) Message() string { return r.Unproven() + ",response=" + r.Proof() }

// Unproven is the response without the proof.
func (r DigestResponse) Unproven() string {
	var all []string
	for _, d := range r.directives {
		value := d.Value
		if d.Quoted {
			value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
		}
		all = append(all, d.Name+"="+value)
	}
	return strings.Join(all, ",")
}

// Proof is the client's response-value (RFC 2831 2.1.2.1).
func (r DigestResponse) Proof() string { return r.proof("AUTHENTICATE") }

// proof is the client's, or the server's, whose A2 begins with nothing
// (RFC 2831 2.1.3).
func (r DigestResponse) proof(whose string) string {
	sum := func(text string) string { s := md5.Sum([]byte(text)); return hex.EncodeToString(s[:]) }
	secret := md5.Sum([]byte(latin1(r.Value("username")) + ":" + r.Value("realm") + ":" + latin1(r.password)))
	a1 := string(secret[:]) + ":" + r.Value("nonce") + ":" + r.Value("cnonce")
	if authzid := r.Value("authzid"); authzid != "" {
		a1 += ":" + authzid
	}
	a2 := whose + ":" + r.Value("digest-uri")
	if strings.HasPrefix(r.Value("qop"), "auth-") {
		a2 += fmt.Sprintf(":%032d", 0)
	}
	return sum(strings.Join([]string{sum(a1), r.Value("nonce"), r.Value("nc"), r.Value("cnonce"), r.Value("qop"), sum(a2)}, ":"))
}

// latin1 is a name or a password as it is hashed: in ISO 8859-1, if all of it
// fits (RFC 2831 2.1.2.1).
func latin1(text string) string {
	octets := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return text
		}
		octets = append(octets, byte(r))
	}
	return string(octets)
}
