package remote

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// Estimate is what a check costs a server at most.
type Estimate struct {
	// Doors are those that are tried: of a name, its usual ports, and one more
	// for each host that takes its mail.
	Doors []string
	// Questions are those to DNS, Cases the requirements that are decided.
	Questions, Cases int
	// Most is what the server is asked to do; Trips are not counted.
	Most login.Effort
	// Probe, Login and Lab are how it is asked.
	Probe, Login, Lab bool
}

// usual are the ports of a name.
var usual = map[login.Protocol][]string{login.SMTP: {"25", "587", "465"}, login.POP3: {"110", "995"}}

// Plan says what a check would cost, before anything is sent: not even a name is
// looked up. What a host that takes the mail of a domain costs besides is not in
// it.
func Plan(asked discover.Asked, o Options) (Estimate, error) {
	o = o.withDefaults()
	e := Estimate{Probe: o.Probe, Login: o.Login, Lab: o.Lab}
	doors := map[login.Protocol]int{}
	for _, d := range asked.Doors {
		e.Doors = append(e.Doors, d.Address())
		doors[d.Protocol]++
	}
	for _, name := range asked.Names {
		for _, p := range login.Protocols() {
			for _, port := range usual[p] {
				e.Doors = append(e.Doors, net.JoinHostPort(name, port))
				doors[p]++
			}
		}
		e.Questions += namesAsked
		e.Most.Connections += seenOnly
	}
	e.Most.Connections += 2 * len(e.Doors) // both families
	for _, p := range login.Protocols() {
		if doors[p] == 0 {
			continue
		}
		plan, err := harness.NewPlan(harness.Grid{Cases: o.selection(), Protocols: []login.Protocol{p}})
		if err != nil {
			return e, err
		}
		groups := 1
		if p == login.SMTP && len(asked.Names) > 0 {
			groups++ // port 25 is one of its own
		}
		for _, j := range plan.Jobs {
			if j.Case == nil || !o.wants(j.Case.ID) {
				continue
			}
			cost := j.Case.CostOver(p)
			e.Cases++
			e.Most.Connections += groups * cost.Connections
			e.Most.Passwords += groups * cost.Passwords
			e.Most.Auths += groups * cost.Auths
			e.Most.Recipients += groups * cost.Recipients
		}
		ways := len(slices.DeleteFunc(mech.All(), func(m mech.Impl) bool { return !m.In(p) }))
		if o.Login {
			e.Most.Connections += ways * doors[p]
		}
		if o.Lab {
			e.Most.Auths += 2 * (ways + 1) * doors[p]
			e.Most.Passwords += 2 * ways * doors[p]
			e.Most.Connections += 2 * (ways + 1) * doors[p]
		}
	}
	if o.Probe && !o.Lab {
		e.Most.Auths += o.Limits.Auths
		e.Most.Connections += 2 * o.Limits.Auths
	}
	if o.Login && !o.Lab {
		e.Most.Passwords += o.Limits.Passwords
	}
	return e, nil
}

const (
	// namesAsked are a name's own addresses, those of services (RFC 6186,
	// RFC 8314 5.1), and who takes its mail.
	namesAsked = 9
	// seenOnly are the ports of IMAP, which are tried for an open port.
	seenOnly = 2
)

// String is for people.
func (e Estimate) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	line := func(what, cost string) { _, _ = fmt.Fprintf(w, "%s\t%s\n", what, cost) }
	line("doors tried", strings.Join(e.Doors, "  "))
	if e.Questions > 0 {
		line("questions to DNS", fmt.Sprint(e.Questions))
	}
	line("connections", fmt.Sprintf("at most %d: most doors that are guessed will not be there", e.Most.Connections))
	line("requirements decided", fmt.Sprintf("at most %d", e.Cases))
	line("AUTH refused or cancelled", note(e.Most.Auths, e.Probe, "--probe asks what is hidden"))
	line("passwords refused", note(e.Most.Passwords, e.Login, "--login --authorized tries an account"))
	line("RCPT refused", fmt.Sprintf("at most %d", e.Most.Recipients))
	line("mail sent, read or deleted", mail(e.Lab))
	_ = w.Flush()
	return b.String()
}

func note(n int, asked bool, flag string) string {
	if !asked && n == 0 {
		return "none (" + flag + ")"
	}
	return fmt.Sprintf("at most %d", n)
}

func mail(lab bool) string {
	if lab {
		return "yes: the server is there to be thrown away (--lab)"
	}
	return "none"
}
