package policy

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// Explanation is what a policy means for each client: foretold, not measured,
// for a server that has whatever its policy permits and an account with all
// that a mechanism can ask for.
type Explanation struct {
	Clients []Client `json:"clients"`
	// Unseen are protocols that were not looked at: nothing is said of them.
	Unseen []login.Protocol `json:"not_looked_at,omitempty"`
}

// Client is what it means for one.
type Client struct {
	Profile  string   `json:"profile"`
	Title    string   `json:"title"`
	Standing Standing `json:"standing"` // the worst of its protocols
	Access   []Access `json:"access"`
}

// Access is what becomes of a client in one protocol.
type Access struct {
	Protocol login.Protocol `json:"protocol"`
	Standing Standing       `json:"standing"`
	// Ways are the client's transports, as it chooses mechanisms by itself.
	Ways []Way `json:"ways"`
	// Set is what its user has to set, where that is needed.
	Set *Set `json:"set,omitempty"`
	// Middle is what a man in the middle can get of it.
	Middle Middle `json:"middle"`
}

// Way is one transport.
type Way struct {
	Transport login.Transport `json:"transport"`
	// Closed: nobody listens there, and the rest is empty.
	Closed  bool          `json:"closed,omitempty"`
	Outcome login.Outcome `json:"outcome,omitempty"`
	// Why is why the client gets no TLS.
	Why  NoTLS           `json:"why,omitempty"`
	Used login.Mechanism `json:"used,omitempty"`
	// Exposures are what a listener can read, and Anyway those among them that
	// would be there under Deny as well, because the client sends first.
	Exposures []login.Exposure `json:"exposures,omitempty"`
	Anyway    []login.Exposure `json:"anyway,omitempty"`
}

// NoTLS is why a client gets no TLS where the server has it.
type NoTLS string

const (
	NoTLS12     NoTLS = "no-tls-1.2"   // it speaks older versions alone
	BeforeHello NoTLS = "before-hello" // it says STARTTLS before EHLO, which is out of order (RFC 5321 4.1.4)
)

// Set is a setting that lets a client in. Mechanism is "" where the transport
// alone is to be chosen.
type Set struct {
	Transport login.Transport `json:"transport"`
	Mechanism login.Mechanism `json:"mechanism,omitempty"`
}

// Standing is how a client fares under a policy.
type Standing string

const (
	Keeps        Standing = "keeps-working" // on the usual port, with or without STARTTLS
	NeedsSetting Standing = "needs-setting" // its user has to choose another port, or another mechanism
	Lost         Standing = "lost"          // nothing that its user can set lets it in
)

// standings are they, best first.
var standings = []Standing{Keeps, NeedsSetting, Lost}

func worse(a, b Standing) Standing {
	return standings[max(slices.Index(standings, a), slices.Index(standings, b))]
}

// Open says whether a server has a door; nil is one that has all of them.
type Open func(login.Protocol, login.Transport) bool

// Explain says what the policy means for each of the profiles, on a server
// with those doors. described are the clients' manners, for what a man in the
// middle gets; without them the facts of the profiles stand in.
func Explain(p login.Policy, open Open, profiles []clientsim.Profile, described []login.ClientDescription) Explanation {
	var e Explanation
	for _, profile := range profiles {
		e.Clients = append(e.Clients, newSubject(profile, open, described).under(p))
	}
	return e
}

// Without leaves protocols out that were not looked at, and with them the clients
// that have no other.
func (e Explanation) Without(unseen []login.Protocol) Explanation {
	left := Explanation{Unseen: unseen}
	for _, c := range e.Clients {
		c.Access = slices.DeleteFunc(slices.Clone(c.Access), func(a Access) bool { return slices.Contains(unseen, a.Protocol) })
		c.Standing = Keeps
		for _, a := range c.Access {
			c.Standing = worse(c.Standing, a.Standing)
		}
		if len(c.Access) > 0 {
			left.Clients = append(left.Clients, c)
		}
	}
	return left
}

// In is the access in a protocol; ok is false for a client without it.
func (c Client) In(p login.Protocol) (_ Access, ok bool) {
	i := slices.IndexFunc(c.Access, func(a Access) bool { return a.Protocol == p })
	if i < 0 {
		return Access{}, false
	}
	return c.Access[i], true
}

// On is the way over a transport; ok is false where the client, or the server,
// has not got it.
func (a Access) On(t login.Transport) (_ Way, ok bool) {
	i := slices.IndexFunc(a.Ways, func(w Way) bool { return w.Transport == t && !w.Closed })
	if i < 0 {
		return Way{}, false
	}
	return a.Ways[i], true
}

// Encrypted reports whether the client, as installed or as it is to be set,
// gets in inside TLS.
func (a Access) Encrypted() bool {
	if a.Set != nil {
		return a.Set.Transport.Encrypted()
	}
	return slices.ContainsFunc(a.Ways, func(w Way) bool { return w.Transport.Encrypted() && w.Outcome == login.LoggedIn })
}

// subject is a client that many policies are tried on.
type subject struct {
	profile   clientsim.Profile
	facts     login.ClientFacts
	open      Open
	described []login.ClientDescription
}

func newSubject(p clientsim.Profile, open Open, described []login.ClientDescription) subject {
	if open == nil {
		open = func(login.Protocol, login.Transport) bool { return true }
	}
	return subject{p, p.Facts(), open, described}
}

func (s subject) under(p login.Policy) Client {
	c := Client{Profile: s.profile.ID(), Title: s.profile.Title, Standing: Keeps}
	for _, protocol := range login.Protocols() {
		if len(s.profile.Transports(protocol)) == 0 {
			continue
		}
		a := s.access(p, protocol)
		c.Access = append(c.Access, a)
		c.Standing = worse(c.Standing, a.Standing)
	}
	return c
}

func (s subject) access(p login.Policy, protocol login.Protocol) Access {
	a := Access{Protocol: protocol, Standing: Lost}
	transports := s.profile.Transports(protocol)
	for _, t := range transports {
		a.Ways = append(a.Ways, s.way(p, protocol, t))
	}
	in := func(t login.Transport) bool {
		w, ok := a.On(t)
		return ok && w.Outcome == login.LoggedIn
	}
	onlyImplicit := !slices.Contains(transports, login.Plain) && !slices.Contains(transports, login.StartTLS)
	switch {
	case in(login.StartTLS) || in(login.Plain) || in(login.TLS) && onlyImplicit:
		a.Standing = Keeps
	case in(login.TLS):
		a.Standing, a.Set = NeedsSetting, &Set{Transport: login.TLS}
	default:
		if a.Set = s.chosen(p, protocol); a.Set != nil {
			a.Standing = NeedsSetting
		}
	}
	a.Middle = s.middle(a)
	return a
}

// way is how the client fares as it is installed.
func (s subject) way(p login.Policy, protocol login.Protocol, t login.Transport) Way {
	w := Way{Transport: t}
	if !s.open(protocol, t) {
		w.Closed = true
		return w
	}
	e := s.expect(p, s.cell(protocol, t))
	w.Outcome, w.Used, w.Exposures = e.Outcomes[0], e.Used, e.Exposures
	switch {
	case w.Outcome != login.NoTLS:
	case s.facts.NoTLS12:
		w.Why = NoTLS12
	default:
		w.Why = BeforeHello
	}
	for _, x := range w.Exposures {
		if !p.For(protocol, x.Mechanism).Permits(t) && slices.ContainsFunc(s.denied(p, protocol, t, x.Mechanism), func(still login.Exposure) bool {
			return still.Mechanism == x.Mechanism && still.Class >= x.Class
		}) {
			w.Anyway = append(w.Anyway, x)
		}
	}
	return w
}

// denied is what a listener can read once the mechanism is denied.
func (s subject) denied(p login.Policy, protocol login.Protocol, t login.Transport, m login.Mechanism) []login.Exposure {
	return s.expect(with(p, protocol, m, login.Deny), s.cell(protocol, t)).Exposures
}

// cell is the one that `run --policy` makes of it.
func (s subject) cell(protocol login.Protocol, t login.Transport) login.Cell {
	return login.Cell{Flavour: login.Modern, Protocol: protocol, Transport: t, Mechanism: login.Auto, Setting: login.Declared,
		Profile: s.profile.ID(), Database: login.Full, Override: login.NoOverride, Credential: login.WithAccount}
}

func (s subject) expect(p login.Policy, c login.Cell) login.Expectation {
	return login.ByDocument{Policy: p}.Expect(c, s.facts)
}

// chosen is a mechanism that lets the client in where its user chooses it,
// inside TLS before in clear; nil is none. It is one with a password: a ticket,
// a token or a certificate is more than a setting.
func (s subject) chosen(p login.Policy, protocol login.Protocol) *Set {
	for _, t := range []login.Transport{login.StartTLS, login.TLS, login.Plain} {
		if !slices.Contains(s.profile.Transports(protocol), t) || !s.open(protocol, t) {
			continue
		}
		for _, m := range s.profile.Mechanisms(protocol) {
			// The cell of the matrix in which this mechanism has this setting.
			c := s.cell(protocol, t)
			c.Mechanism, c.Setting = m, p.For(protocol, m)
			if withPassword(m) && login.LoggedIn.In(s.expect(p, c).Outcomes) {
				return &Set{Transport: t, Mechanism: m}
			}
		}
	}
	return nil
}

func withPassword(m login.Mechanism) bool {
	impl, ok := mech.Get(m)
	return ok && impl.Presents == login.PresentsPassword
}
