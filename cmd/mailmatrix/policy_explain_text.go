package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// policyWidth is how wide the screens of policies are.
const policyWidth = 100

// policyPage is such a screen in the making.
type policyPage struct {
	b strings.Builder
	// verbose names every client; where it is not set, more is how to see them.
	verbose bool
	more    string
}

func (p *policyPage) line(format string, args ...any) {
	p.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// flow writes words behind lead, further lines indented below the first.
func (p *policyPage) flow(lead, text string) {
	line := lead
	empty := true
	for _, word := range strings.Fields(text) {
		if !empty && len(line)+1+len(word) > policyWidth {
			p.line("%s", line)
			line, empty = strings.Repeat(" ", len(lead)), true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	p.line("%s", line)
}

// list names clients behind lead: all of them, or as many as one line holds.
func (p *policyPage) list(lead string, names []string) {
	if p.verbose {
		p.flow(lead, strings.Join(names, ", "))
		return
	}
	text := strings.Join(names, ", ")
	for n := len(names); len(lead)+len(text) > policyWidth && n > 1; {
		n--
		text = fmt.Sprintf("%s and %d more (%s)", strings.Join(names[:n], ", "), len(names)-n, p.more)
	}
	p.line("%s%s", lead, text)
}

// writeExplained writes the screen: who breaks and what to do first, then what
// is given away.
func writeExplained(w io.Writer, e explained, manners []login.ClientDescription, verbose bool) error {
	p := &policyPage{verbose: verbose, more: "-v"}
	standing := map[policy.Standing][]policy.Client{}
	for _, c := range e.Clients {
		standing[c.Standing] = append(standing[c.Standing], c)
	}
	on := ""
	if e.On != "" {
		on = " on the doors of " + e.On
	}
	p.flow("", fmt.Sprintf("policy %s%s", e.Policy, on))
	p.line("%s: %s, %s, %s", several(len(e.Clients), "client", "clients"), several(len(standing[policy.Keeps]), "keeps working", "keep working"),
		several(len(standing[policy.NeedsSetting]), "needs a setting", "need a setting"), several(len(standing[policy.Lost]), "is lost", "are lost"))
	for _, protocol := range e.Unseen {
		p.line("%s was not looked at: name a door of it as well, such as --on %s://HOST", protocolWord(protocol), protocol)
	}
	if lost := standing[policy.Lost]; len(lost) > 0 {
		p.line("")
		p.line("LOST, AND TO WHAT")
		p.groups(lost, policy.Lost)
	}
	if slices.ContainsFunc(e.Clients, needs) {
		p.line("")
		also := ""
		if slices.ContainsFunc(standing[policy.Lost], needs) {
			also = "   with those who are lost in the other protocol alone"
		}
		p.line("NEED A SETTING%s", also)
		p.groups(e.Clients, policy.NeedsSetting)
	}
	p.line("")
	p.keeping(standing[policy.Keeps])
	p.listener(e.Clients)
	p.middle(e, manners)
	p.line("")
	p.line("Foretold from the profiles, for a server that has what the policy permits; nothing was measured.")
	p.line("NEXT   mailmatrix run --policy %s   the same, measured on the reference server", e.Policy)
	if lost := standing[policy.Lost]; len(lost) > 0 {
		p.line("       mailmatrix policy recommend --keep %s   what would bring it back, and its price", lost[0].Profile)
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// several writes "1 client", "2 clients".
func several[T int | int64](n T, one, more string) string {
	if n == 1 {
		more = one
	}
	return fmt.Sprintf("%d %s", n, more)
}

func needs(c policy.Client) bool {
	return slices.ContainsFunc(c.Access, func(a policy.Access) bool { return a.Standing == policy.NeedsSetting })
}

// groups names together the clients of which the same is to be said.
func (p *policyPage) groups(clients []policy.Client, s policy.Standing) {
	said := newGrouped()
	for _, c := range clients {
		for _, a := range c.Access {
			if a.Standing == s {
				said.add(fmt.Sprintf("%s: %s", protocolWord(a.Protocol), fate(a)), c.Profile)
			}
		}
	}
	p.allNamed(said)
}

// allNamed names those who have to do something, every one of them while they
// are few.
func (p *policyPage) allNamed(g *grouped) {
	verbose := p.verbose
	for _, what := range g.order {
		p.verbose = verbose || len(g.members[what]) <= few
		p.grouped(&grouped{order: []string{what}, members: g.members})
	}
	p.verbose = verbose
}

// few are so many clients that a screen has room for their names.
const few = 9

func (p *policyPage) grouped(g *grouped) {
	const column = 48
	for _, what := range g.order {
		lead := " " + what + "   "
		if len(lead) < column {
			lead += strings.Repeat(" ", column-len(lead))
		}
		p.list(lead, g.members[what])
	}
}

// grouped are clients by what is said of them.
type grouped struct {
	order   []string
	members map[string][]string
}

func newGrouped() *grouped { return &grouped{members: map[string][]string{}} }

func (g *grouped) add(what, client string) {
	if g.members[what] == nil {
		g.order = append(g.order, what)
	}
	if !slices.Contains(g.members[what], client) {
		g.members[what] = append(g.members[what], client)
	}
}

// fate is what becomes of a client in a protocol, in words.
func fate(a policy.Access) string {
	if a.Set != nil {
		return setting(a.Protocol, *a.Set)
	}
	// What came inside TLS says more than what came in clear.
	clear, encrypted, closed, shut := "", "", true, ""
	for _, w := range a.Ways {
		switch {
		case w.Closed && w.Transport.Encrypted():
			shut = "TLS is closed to it"
		case w.Closed:
		case !w.Transport.Encrypted():
			clear = outcomeWords(w)
		case encrypted == "" || w.Outcome != login.NoTLS:
			encrypted = outcomeWords(w)
		}
		closed = closed && w.Closed
	}
	switch {
	case closed:
		return "its ports are closed"
	case encrypted != "":
		return encrypted
	case shut != "":
		return shut + ", and in clear " + clear
	default:
		return "in clear alone: " + clear
	}
}

func outcomeWords(w policy.Way) string {
	switch w.Outcome {
	case login.NoTLS:
		if w.Why == policy.BeforeHello {
			return "says STARTTLS before EHLO"
		}
		return "has no TLS 1.2"
	case login.NotOffered:
		return "nothing offered that it uses"
	case login.RefusedPolicy:
		return string(w.Used) + " is refused"
	case login.RefusedCredentials:
		if w.Used == login.NTLM {
			return "its NTLM is older than NTLMv2"
		}
		return "its " + string(w.Used) + " is never right"
	default:
		return string(w.Used) + ": " + string(w.Outcome)
	}
}

// setting is what the user has to choose.
func setting(p login.Protocol, s policy.Set) string {
	where := map[login.Transport]string{login.Plain: "no encryption", login.StartTLS: "STARTTLS", login.TLS: "SSL, port 465"}[s.Transport]
	switch {
	case p == login.POP3 && s.Transport == login.StartTLS:
		where = "STLS"
	case p == login.POP3 && s.Transport == login.TLS:
		where = "SSL, port 995"
	}
	if s.Mechanism == "" {
		return "set " + where
	}
	return fmt.Sprintf("choose %s, with %s", s.Mechanism, where)
}

func protocolWord(p login.Protocol) string { return strings.ToUpper(string(p)) }

// keeping are those who need not do anything, but for those who have encryption
// off.
func (p *policyPage) keeping(keep []policy.Client) {
	var names []string
	clear := 0
	for _, c := range keep {
		names = append(names, c.Profile)
		if slices.ContainsFunc(c.Access, func(a policy.Access) bool {
			w, ok := a.On(login.Plain)
			return ok && w.Outcome != login.LoggedIn
		}) {
			clear++
		}
	}
	if len(names) == 0 {
		p.line("KEEP WORKING  nobody")
		return
	}
	p.list("KEEP WORKING  ", names)
	if clear > 0 {
		p.line("              who has encryption off must switch it on: %d of them", clear)
	}
}

// listener is what can be read on a clear link, by those who have encryption
// off, and where Deny would not help.
func (p *policyPage) listener(clients []policy.Client) {
	logins, refused, first := newGrouped(), newGrouped(), newGrouped()
	for _, c := range clients {
		for _, a := range c.Access {
			w, ok := a.On(login.Plain)
			if !ok {
				continue
			}
			for _, x := range w.Exposures {
				what := fmt.Sprintf("%s: %s", protocolWord(a.Protocol), classWord(x.Class))
				switch {
				case x.Class < login.Strongest(w.Exposures): // the name beside a hash or password
				case slices.Contains(w.Anyway, x):
					first.add(what, c.Profile)
				case x.When == login.OnSuccess:
					logins.add(what, c.Profile)
				default:
					refused.add(what, c.Profile)
				}
			}
		}
	}
	p.line("")
	p.line("A LISTENER LEARNS   of those who have encryption off")
	if len(logins.order)+len(refused.order)+len(first.order) == 0 {
		p.line(" nothing but who they are")
	}
	p.grouped(logins)
	if len(refused.order) > 0 {
		p.line(" of logins that fail, which Deny would stop:")
		p.grouped(refused)
	}
	if len(first.order) > 0 {
		p.line(" of logins that are refused; Deny cannot help, for the client sends first:")
		p.grouped(first)
	}
}

// classWord is what is learnt.
func classWord(c login.ExposureClass) string {
	switch c {
	case login.ShowsPassword:
		return "the PASSWORD"
	case login.ShowsToken:
		return "the TOKEN"
	case login.ShowsVerifier:
		return "a hash to crack"
	case login.ShowsIdentity:
		return "the name"
	default:
		return "nothing"
	}
}

// middle is what a man in the middle learns, who takes STARTTLS away or shows
// a certificate of his own: from those set as the policy wants, and from those
// with TLS "if available".
func (p *policyPage) middle(e explained, manners []login.ClientDescription) {
	set, available := newGrouped(), newGrouped()
	for _, c := range e.Clients {
		for _, a := range c.Access {
			if a.Standing != policy.Lost && a.Middle.Gives > login.ShowsIdentity {
				set.add(classWord(a.Middle.Gives)+", required", c.Profile)
			}
		}
	}
	for _, c := range manners {
		for _, m := range c.Protocols {
			f, has := m.Floors[login.EncryptIfAvailable]
			if has && !slices.Contains(e.Unseen, m.Protocol) && f.Gives > login.ShowsIdentity && f.Rung != login.RungCertificate {
				available.add(classWord(f.Gives)+", if available", c.Profile)
			}
		}
	}
	p.line("")
	p.line("A MAN IN THE MIDDLE LEARNS   whatever the policy, of those who have TLS")
	if len(set.order)+len(available.order) == 0 {
		p.line(" nothing but who they are")
	}
	p.grouped(set)
	p.grouped(available)
}
