package remote

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/harness/remote/ledger"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// Estimate is what a check costs a server at most.
type Estimate struct {
	// Doors are those that are tried: those named, and the usual ports of names.
	Doors []string `json:"doors"`
	// Names are looked up: their addresses, their services, who takes their mail.
	// The hosts that come of it are looked at as well, and not in the figures.
	Names []string `json:"names"`
	// Cases are the requirements that are decided.
	Cases int `json:"cases"`
	// Most is what the server is asked to do. Passwords are those that it
	// refuses; Logins are those with the right one, and Clients those of them
	// that simulated clients make.
	Most    login.Effort `json:"most"`
	Logins  int          `json:"logins"`
	Clients int          `json:"clients"`
	// Mail: messages are sent, read and deleted.
	Mail bool `json:"mail"`

	probe, login bool
}

// Plan says what a check would cost, before anything is sent: not even a name is
// looked up.
func Plan(asked discover.Asked, o Options) (Estimate, error) {
	o = o.withDefaults()
	o.Login = o.Login || o.Lab // whoever it will be
	e := Estimate{Names: asked.Names, Mail: o.Lab, probe: o.Probe, login: o.Login}
	doors := asked.Doors
	for _, name := range asked.Names {
		doors = append(doors, discover.Usual(name)...)
		e.Most.Connections += seenOnly
	}
	groups := map[login.Protocol]int{}
	for _, d := range doors {
		e.Doors = append(e.Doors, d.Address())
		groups[d.Protocol] = 1
		if d.Protocol == login.SMTP && len(asked.Names) > 0 {
			groups[d.Protocol] = 2 // port 25 is one of its own
		}
	}
	e.Most.Connections += 2 * len(doors) // both families of addresses
	if err := e.cases(o, groups); err != nil {
		return e, err
	}
	asking := ledger.Cost(ledger.Config{Looks: invented(doors), Budget: budget.New(o.Limits, o.Now), Probe: o.Probe, Login: o.Login,
		Account: o.Account, Cleartext: o.Cleartext, Everything: o.Lab})
	e.Most.Connections += asking.Connections
	e.Most.Auths += asking.Auths
	if o.Login {
		e.Logins, e.Most.Passwords = asking.Passwords, asking.Passwords
		if !o.Limits.None {
			e.Most.Passwords = min(asking.Passwords, o.Limits.Passwords)
		}
		e.Clients = clientsAlike * len(doors)
		e.Most.Connections += e.Clients
	}
	return e, nil
}

const (
	// seenOnly are the ports of IMAP, which are tried for an open port.
	seenOnly = 2
	// clientsAlike is how many different ways to log in the clients have at a
	// door, about.
	clientsAlike = 12
)

// cases adds what the requirements cost.
func (e *Estimate) cases(o Options, groups map[login.Protocol]int) error {
	for _, p := range login.Protocols() {
		if groups[p] == 0 {
			continue
		}
		plan, err := harness.NewPlan(harness.Grid{Cases: o.selection(), Protocols: []login.Protocol{p}})
		if err != nil {
			return err
		}
		for _, j := range plan.Jobs {
			if j.Case == nil || !o.wants(j.Case.ID) {
				continue
			}
			cost := j.Case.CostOver(p)
			e.Cases++
			e.Most.Connections += groups[p] * cost.Connections
			e.Most.Passwords += groups[p] * cost.Passwords
			e.Most.Auths += groups[p] * cost.Auths
			e.Most.Recipients += groups[p] * cost.Recipients
		}
	}
	return nil
}

// invented are looks at doors that offer everything there is.
func invented(doors []reach.Door) []reach.Look {
	looks := make([]reach.Look, len(doors))
	for i, d := range doors {
		looks[i] = reach.Look{Door: d, Links: map[login.Transport]reach.Link{}}
		for _, t := range d.Transports() {
			looks[i].Links[t] = reach.Link{Open: true, Verified: t.Encrypted(), Mechanisms: mech.Names(), Capabilities: []string{}}
		}
	}
	return looks
}

// String is for people.
func (e Estimate) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	line := func(what, cost string) { _, _ = fmt.Fprintf(w, "%s\t%s\n", what, cost) }
	line("doors tried", strings.Join(e.Doors, "  "))
	connections := "at most " + strconv.Itoa(e.Most.Connections)
	if len(e.Names) > 0 {
		line("asked of DNS", "addresses, services (SRV) and MX of "+strings.Join(e.Names, ", "))
		connections += ", and about as many again for each host that DNS names besides"
	}
	line("connections", connections)
	line("requirements decided", "at most "+strconv.Itoa(e.Cases))
	line("AUTH refused or cancelled", atMost(e.Most.Auths, e.probe || e.login, "--probe asks what is hidden"))
	line("passwords refused", atMost(e.Most.Passwords, e.login, "--login --authorized tries an account"))
	if e.login {
		line("logins with the right one", fmt.Sprintf("at most %d, and about %d by simulated clients", e.Logins, e.Clients))
	}
	line("recipients refused", atMost(e.Most.Recipients, false, "no message is begun"))
	line("mail sent, read or deleted", map[bool]string{true: "yes: the server is there to be thrown away (--lab)", false: "none"}[e.Mail])
	_ = w.Flush()
	return b.String()
}

func atMost(n int, asked bool, why string) string {
	if !asked && n == 0 {
		return "none (" + why + ")"
	}
	return fmt.Sprintf("at most %d", n)
}
