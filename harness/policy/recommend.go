package policy

import (
	"cmp"
	"maps"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// Recommendation is the policies for the given users of which none is worse
// than another in every respect.
type Recommendation struct {
	// Choices are the Pareto front, the fewest lost users first.
	Choices []Choice `json:"choices"`
	// Mechanisms are those that were searched; every other is denied.
	Mechanisms []login.Mechanism `json:"mechanisms"`
	// Tried counts the policies: all that these mechanisms allow.
	Tried int `json:"tried"`
}

// Choice is one policy and what it costs.
type Choice struct {
	Cost
	Policy login.Policy `json:"-"`
	// Settings are the policy's; what is not named is denied.
	Settings map[login.Mechanism]login.Setting `json:"settings"`
	Clients  []Client                          `json:"clients"`
	// Returns says, for each lost client, what would bring it back.
	Returns []Return `json:"returns,omitempty"`
}

// Cost is what policies are compared by: less is better.
type Cost struct {
	Lost     int64               `json:"lost"`     // users whose client cannot log in
	Listener login.ExposureClass `json:"listener"` // the most that one of the others shows a listener in clear
	Middle   login.ExposureClass `json:"middle"`   // the most that one of them gives a man in the middle
}

// Dominates: nowhere worse, and somewhere better.
func (c Cost) Dominates(d Cost) bool {
	return c != d && c.Lost <= d.Lost && c.Listener <= d.Listener && c.Middle <= d.Middle
}

func (c Cost) compare(d Cost) int {
	return cmp.Or(cmp.Compare(c.Lost, d.Lost), cmp.Compare(c.Listener, d.Listener), cmp.Compare(c.Middle, d.Middle))
}

// Return is the smallest change that brings a lost client back.
type Return struct {
	Profile string `json:"profile"`
	// Changes are at most two; none is that nothing brings it back.
	Changes []Change `json:"changes"`
	// Still is where the client is lost even with all of it allowed, where
	// nothing brings it back.
	Still []Access `json:"still,omitempty"`
	// Cost is what the policy would cost then.
	Cost Cost `json:"cost"`
}

// Change is another setting for one mechanism.
type Change struct {
	Mechanism login.Mechanism `json:"mechanism"`
	From      login.Setting   `json:"from"`
	To        login.Setting   `json:"to"`
}

// Recommend searches the settings of the mechanisms that the users' clients
// have, all of them: those with a password are eleven, of which two exist inside
// TLS alone, and so there are 78,732 policies at most. What wants a ticket, a
// token or a certificate is denied, because nobody can tell who has one.
// described are the clients' manners, for their floors; without them the facts
// of the profiles stand in.
func Recommend(users []User, described []login.ClientDescription) Recommendation {
	s := newSearch(users, described)
	s.all(0)
	r := Recommendation{Mechanisms: s.mechanisms}
	r.Tried = s.tried
	for _, found := range s.front() {
		p := s.policy(found.settings)
		c := Choice{Cost: found.cost, Policy: p, Settings: permitted(p)}
		for i, u := range users {
			client := s.subjects[i].under(p)
			c.Clients = append(c.Clients, client)
			if client.Standing == Lost {
				c.Returns = append(c.Returns, s.bringBack(i, u, found.settings))
			}
		}
		r.Choices = append(r.Choices, c)
	}
	return r
}

func permitted(p login.Policy) map[login.Mechanism]login.Setting {
	settings := maps.Clone(p.Common)
	maps.DeleteFunc(settings, func(_ login.Mechanism, s login.Setting) bool { return s == login.Deny })
	return settings
}

// search is a search under way.
type search struct {
	users      []User
	subjects   []subject
	mechanisms []login.Mechanism
	choices    [][]login.Setting // by mechanism, strictest first
	current    []login.Setting
	memories   []map[string]fare // by subject
	concerns   [][]int           // by subject, the mechanisms on which its fare rests
	best       map[Cost]found
	tried      int
}

// fare is how one client does under a policy.
type fare struct {
	standing         Standing
	listener, middle login.ExposureClass
}

// found is a policy, and what decides between those of the same cost.
type found struct {
	settings  []login.Setting
	cost      Cost
	needs     int64 // users who have to set something
	permitted int   // the sum of the settings
	outmoded  int   // permitted mechanisms that the modern policy denies
}

func newSearch(users []User, described []login.ClientDescription) *search {
	s := &search{users: users, best: map[Cost]found{}}
	for _, m := range mech.All() {
		if withPassword(m.Name) && slices.ContainsFunc(users, func(u User) bool { return has(u, m.Name) }) {
			s.mechanisms = append(s.mechanisms, m.Name)
			choices := []login.Setting{login.Deny, login.Secure, login.Allow}
			if m.NeedsTLS { // then Allow is no other than Secure
				choices = choices[:2]
			}
			s.choices = append(s.choices, choices)
		}
	}
	s.current = make([]login.Setting, len(s.mechanisms))
	for _, u := range users {
		subject := newSubject(u.Profile, nil, described)
		s.subjects = append(s.subjects, subject)
		s.memories = append(s.memories, map[string]fare{})
		var concern []int
		for i, m := range s.mechanisms {
			if has(u, m) || subject.minds() {
				concern = append(concern, i)
			}
		}
		s.concerns = append(s.concerns, concern)
	}
	return s
}

func has(u User, m login.Mechanism) bool {
	return slices.ContainsFunc(login.Protocols(), func(p login.Protocol) bool { return slices.Contains(u.Profile.Mechanisms(p), m) })
}

// minds: what the client does rests on mechanisms that it does not know, too.
func (s subject) minds() bool {
	return slices.ContainsFunc(login.Protocols(), func(p login.Protocol) bool { return s.facts.Protocols[p].Unlisted != "" })
}

// all tries every setting of the mechanisms from the nth on.
func (s *search) all(n int) {
	if n == len(s.mechanisms) {
		s.try(s.current)
		return
	}
	for _, setting := range s.choices[n] {
		s.current[n] = setting
		s.all(n + 1)
	}
}

// neighbours calls yield with every change of at most n settings.
func neighbours(at []login.Setting, choices [][]login.Setting, n int, yield func([]login.Setting)) {
	var from func(int, int)
	changed := slices.Clone(at)
	from = func(i, left int) {
		for ; i < len(at) && left > 0; i++ {
			for _, setting := range choices[i] {
				if setting != at[i] {
					changed[i] = setting
					yield(changed)
					from(i+1, left-1)
				}
			}
			changed[i] = at[i]
		}
	}
	from(0, n)
}

// try weighs a policy, and keeps it if it is the best of its cost.
func (s *search) try(settings []login.Setting) {
	s.tried++
	f := s.weigh(settings)
	if best, ok := s.best[f.cost]; !ok || f.compare(best) < 0 {
		f.settings = slices.Clone(settings)
		s.best[f.cost] = f
	}
}

func (s *search) weigh(settings []login.Setting) found {
	f := found{}
	for i, u := range s.users {
		fare := s.fare(i, settings)
		switch fare.standing {
		case Lost:
			f.cost.Lost += u.Weight
		case NeedsSetting:
			f.needs += u.Weight
		}
		f.cost.Listener = max(f.cost.Listener, fare.listener)
		f.cost.Middle = max(f.cost.Middle, fare.middle)
	}
	for i, setting := range settings {
		f.permitted += int(setting)
		if _, modern := modern()[s.mechanisms[i]]; setting != login.Deny && !modern {
			f.outmoded++
		}
	}
	return f
}

func (f found) compare(g found) int {
	return cmp.Or(f.cost.compare(g.cost), cmp.Compare(f.needs, g.needs), cmp.Compare(f.permitted, g.permitted), cmp.Compare(f.outmoded, g.outmoded))
}

// fare asks each client once for each setting of what concerns it.
func (s *search) fare(i int, settings []login.Setting) fare {
	key := make([]byte, 0, 16)
	for _, at := range s.concerns[i] {
		key = append(key, byte(settings[at]))
	}
	if known, ok := s.memories[i][string(key)]; ok {
		return known
	}
	client := s.subjects[i].under(s.policy(settings))
	f := fareOf(client)
	s.memories[i][string(key)] = f
	return f
}

func fareOf(client Client) fare {
	f := fare{standing: client.Standing}
	for _, a := range client.Access {
		if a.Standing == Lost {
			continue
		}
		for _, w := range a.Ways {
			f.listener = max(f.listener, login.Strongest(w.Exposures))
		}
		if a.Set != nil && a.Set.Transport == login.Plain {
			impl, _ := mech.Get(a.Set.Mechanism)
			f.listener = max(f.listener, impl.Class)
		}
		f.middle = max(f.middle, a.Middle.Gives)
	}
	return f
}

func (s *search) policy(settings []login.Setting) login.Policy {
	p := login.Policy{Common: map[login.Mechanism]login.Setting{}}
	for i, m := range s.mechanisms {
		p.Common[m] = settings[i]
	}
	return p
}

// front are the policies that none dominates.
func (s *search) front() []found {
	var front []found
	for cost, f := range s.best {
		dominated := false
		for other := range s.best {
			dominated = dominated || other.Dominates(cost)
		}
		if !dominated {
			front = append(front, f)
		}
	}
	slices.SortFunc(front, found.compare)
	return front
}

// bringBack looks for the smallest change after which a lost client logs in: one
// mechanism before two (each protocol wants one), the one that permits the
// least, the cheapest of these.
func (s *search) bringBack(lost int, u User, settings []login.Setting) Return {
	r := Return{Profile: u.Profile.ID()}
	smaller := func(f, g found) bool {
		return cmp.Or(cmp.Compare(f.permitted, g.permitted), f.compare(g)) < 0
	}
	for n := 1; n <= len(login.Protocols()) && r.Changes == nil; n++ {
		var best found
		neighbours(settings, s.choices, n, func(changed []login.Setting) {
			if s.fare(lost, changed).standing == Lost {
				return
			}
			if f := s.weigh(changed); best.settings == nil || smaller(f, best) {
				best = f
				best.settings = slices.Clone(changed)
			}
		})
		r.Cost = best.cost
		for i, setting := range best.settings {
			if setting != settings[i] {
				r.Changes = append(r.Changes, Change{s.mechanisms[i], settings[i], setting})
			}
		}
	}
	if r.Changes == nil {
		r.Still = slices.DeleteFunc(s.subjects[lost].under(login.Every(s.mechanisms, login.Allow)).Access,
			func(a Access) bool { return a.Standing != Lost })
	}
	return r
}
