package discover

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// patience is how long DNS and each of the services by HTTPS are waited for.
const patience = 5 * time.Second

// Find looks for the doors of the names: SRV (RFC 6186, RFC 8314 5), MX, and the
// usual ports. The named doors come first, as they are; the others by how they
// were found. It connects to none of them. The error says of which name there is
// nothing.
func Find(ctx context.Context, asked Asked, o Options) (Found, error) {
	s := &search{Options: o, typed: slices.Clone(asked.Names)}
	for _, d := range asked.Doors {
		s.typed = append(s.typed, d.Host)
	}
	heard := make([]answer, len(asked.Names))
	var searching sync.WaitGroup
	for i, name := range asked.Names {
		searching.Go(func() { heard[i] = s.of(ctx, name) })
	}
	searching.Wait()
	all := answer{doors: slices.Clone(asked.Doors)}
	var nothing []error
	for i, a := range heard {
		if len(a.doors)+len(a.elsewhere) == 0 {
			nothing = append(nothing, nothingOf(asked.Names[i], a.notes))
		}
		all.add(a)
	}
	doors, notes := merged(all.doors)
	return Found{Doors: doors, Elsewhere: unique(all.elsewhere), Notes: unique(append(all.notes, notes...))}, errors.Join(nothing...)
}

func nothingOf(name string, notes []string) error {
	if len(notes) > 0 {
		return fmt.Errorf("%s: nothing to check: %s", name, strings.Join(notes, "; "))
	}
	return fmt.Errorf("%s: it has no address, no MX and no SRV record for mail: check the spelling", name)
}

// search is a Find that is under way.
type search struct {
	Options
	// typed are the hosts that the user has typed.
	typed []string
}

// answer is what one question brought.
type answer struct {
	doors     []reach.Door
	elsewhere []Elsewhere
	notes     []string
	failures  []failure
}

func (a *answer) add(b answer) {
	a.doors = append(a.doors, b.doors...)
	a.elsewhere = append(a.elsewhere, b.elsewhere...)
	a.notes = append(a.notes, b.notes...)
	a.failures = append(a.failures, b.failures...)
}

func (a *answer) note(format string, args ...any) {
	a.notes = append(a.notes, fmt.Sprintf(format, args...))
}

// of asks everything about a name at once.
func (s *search) of(ctx context.Context, name string) answer {
	// RFC 6761 6.3: nobody is asked for localhost.
	if _, err := netip.ParseAddr(name); err == nil || name == "localhost" {
		return s.usualPorts(name)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	questions := []func(context.Context, string) answer{s.mx, s.address}
	for _, service := range services {
		questions = append(questions, func(ctx context.Context, name string) answer { return s.srv(ctx, name, service) })
	}
	if s.Autoconfig {
		questions = append(questions, s.autoconfig, s.autodiscover)
	}
	heard := make([]answer, len(questions))
	var asking sync.WaitGroup
	for i, ask := range questions {
		asking.Go(func() { heard[i] = ask(ctx, name) })
	}
	asking.Wait()
	var all answer
	for _, a := range heard {
		all.add(a)
	}
	all.noteFailures()
	return all
}

// door is one that was found.
func (s *search) door(p login.Protocol, implicit bool, host string, port uint16, found login.Found) reach.Door {
	return reach.Door{Protocol: p, Implicit: implicit, Host: host, Port: port, Found: found, Typed: slices.Contains(s.typed, host)}
}

// usualPorts are those that a mail server of that name may have.
func (s *search) usualPorts(host string) answer {
	doors := Usual(host)
	for i := range doors {
		doors[i].Typed = slices.Contains(s.typed, host)
	}
	return answer{doors: doors, elsewhere: []Elsewhere{{"imap", host, 143}, {"imaps", host, 993}}}
}

// Usual are the doors of a host that are tried because mail servers have them.
// The user has typed its name.
func Usual(host string) []reach.Door {
	door := func(p login.Protocol, implicit bool, port uint16) reach.Door {
		return reach.Door{Protocol: p, Implicit: implicit, Host: host, Port: port, Found: login.FoundPort, Typed: true}
	}
	return []reach.Door{
		door(login.SMTP, false, 25), door(login.SMTP, false, 587), door(login.SMTP, true, 465),
		door(login.POP3, false, 110), door(login.POP3, true, 995),
	}
}

// trust is how much the ways of finding are worth: what was said of the very
// door before what was guessed. RFC 8314 5.1 lets SRV say where clients go.
var trust = []login.Found{login.FoundNamed, login.FoundSRV, login.FoundAutoconfig, login.FoundAutodiscover, login.FoundMX, login.FoundPort}

// merged has each door once, as the best source has it, the best first. The
// notes say where two sources disagree.
func merged(doors []reach.Door) (all []reach.Door, notes []string) {
	sorted := slices.Clone(doors)
	slices.SortStableFunc(sorted, func(a, b reach.Door) int { return slices.Index(trust, a.Found) - slices.Index(trust, b.Found) })
	for _, d := range sorted {
		i := slices.IndexFunc(all, func(o reach.Door) bool {
			return o.Protocol == d.Protocol && o.Host == d.Host && o.Port == d.Port
		})
		switch {
		case i < 0:
			all = append(all, d)
		case all[i].Implicit != d.Implicit && d.Found != login.FoundPort:
			notes = append(notes, fmt.Sprintf("%s begins %s by %s, and %s by %s: the first is believed", d.Address(),
				begins(all[i]), sources[all[i].Found], begins(d), sources[d.Found]))
		}
	}
	return all, notes
}

// sources are as the notes name them.
var sources = map[login.Found]string{
	login.FoundNamed: "your own word", login.FoundSRV: "SRV", login.FoundAutoconfig: "autoconfig",
	login.FoundAutodiscover: "autodiscover", login.FoundMX: "MX", login.FoundPort: "its number",
}

func begins(d reach.Door) string {
	if d.Implicit {
		return "inside TLS"
	}
	return "in clear"
}

func unique[T comparable](all []T) []T {
	var once []T
	for _, v := range all {
		if !slices.Contains(once, v) {
			once = append(once, v)
		}
	}
	return once
}
