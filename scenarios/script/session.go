package script

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// usualPatience is that of a session that has none of its own.
const usualPatience = 3 * time.Second

// patience is how long a server is listened to that should say nothing.
func (p *Play) patience() time.Duration { return min(p.Limit, cmp.Or(p.Patience, usualPatience)) }

// local is the account's address.
func (p *Play) local() string {
	if strings.Contains(p.Secrets.Name, "@") {
		return p.Secrets.Name
	}
	return p.Secrets.Name + "@" + p.domain()
}

// domain is one that the server delivers to.
func (p *Play) domain() string { return cmp.Or(p.Domain, login.DefaultDomain) }

// Protocol is the one over which the case is played.
func (p *Play) Protocol() login.Protocol { return p.protocol }

// otherProtocol is the one over which it is not.
func (p *Play) otherProtocol() login.Protocol {
	if p.protocol == login.SMTP {
		return login.POP3
	}
	return login.SMTP
}

// Transport is the link that the steps take place on.
func (p *Play) Transport() login.Transport { return p.transport }

// StartCommand is the command that asks for TLS: STARTTLS or STLS.
func (p *Play) StartCommand() string { return scenarios.StartCommand(p.protocol) }

// With is the mechanism that the case is being played with; "" is none.
func (p *Play) With() login.Mechanism { return p.mechanism }

// Talk is the current connection; nil is none.
func (p *Play) Talk() *scenarios.Talk { return p.talks[p.current] }

// On is the connection of that name; nil is none.
func (p *Play) On(name string) *scenarios.Talk { return p.talks[name] }

// List is what was collected under a name.
func (p *Play) List(name string) []string { return p.lists[name] }

// Value is what was kept under a name.
func (p *Play) Value(name string) string { return p.kept[name] }

// Survey is what the server's doors offer.
func (p *Play) Survey() *Survey { return p.survey }

// Lines are the capabilities of the current connection: EHLO's keywords with
// their arguments, or CAPA's.
func (p *Play) Lines() []string {
	t := p.Talk()
	if t == nil {
		return nil
	}
	return capabilities(t)
}

// Setting is what the policy says of a mechanism; ok is false where nobody has
// said it.
func (p *Play) Setting(m login.Mechanism) (_ login.Setting, ok bool) {
	if p.Policy == nil {
		return login.Deny, false
	}
	return p.Policy.For(p.protocol, m), true
}

var varying = []*regexp.Regexp{
	regexp.MustCompile(`<[^ >]+>`),
	regexp.MustCompile(`\d{6,}`),
	regexp.MustCompile(`\d\d:\d\d:\d\d`),
}

// normalised takes out of an answer what may differ between two that say the
// same: names, numbers, times and challenges.
func (p *Play) normalised(line string) string {
	if rest, asked := strings.CutPrefix(line, "334 "); asked && rest != "" {
		return "334 <challenge>"
	}
	if rest, asked := strings.CutPrefix(line, "+ "); asked && rest != "" {
		return "+ <challenge>"
	}
	line = strings.ToLower(line)
	for _, name := range []string{p.Secrets.Name, p.ghost(), p.Other.Name, p.Name()} {
		if name != "" {
			line = strings.ReplaceAll(line, strings.ToLower(name), "<name>")
		}
	}
	for _, v := range varying {
		line = v.ReplaceAllString(line, "<varies>")
	}
	return strings.Join(strings.Fields(line), " ")
}

// capabilities are without the server's own name, which EHLO's first line has.
func capabilities(t *scenarios.Talk) []string {
	if t.Protocol == login.SMTP && len(t.Capabilities) > 0 {
		return slices.Clone(t.Capabilities[1:])
	}
	return slices.Clone(t.Capabilities)
}

// Wire is what the server sent on the connection that was opened last, as it
// crossed the wire: ciphertext, once TLS is up.
func (p *Play) Wire() []byte {
	seen := p.Seen()
	if len(seen) == 0 {
		return nil
	}
	return seen[len(seen)-1].Tap.Octets(true)
}
