package policy_test

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// small are clients with few mechanisms: all their policies can be tried one by
// one, in the plainest way.
func small(t *rapid.T) []policy.User {
	var few []clientsim.Profile
	for _, c := range clients() {
		if len(passwords([]policy.User{{Profile: c}})) <= 4 {
			few = append(few, c)
		}
	}
	var users []policy.User
	for _, c := range rapid.Permutation(few).Draw(t, "clients")[:rapid.IntRange(1, 4).Draw(t, "how many")] {
		more := append(slices.Clone(users), policy.User{Profile: c, Weight: rapid.Int64Range(1, 9).Draw(t, "weight")})
		if len(passwords(more)) <= 5 {
			users = more
		}
	}
	return users
}

func passwords(users []policy.User) []login.Mechanism {
	var all []login.Mechanism
	for _, u := range users {
		for _, p := range login.Protocols() {
			for _, m := range u.Profile.Mechanisms(p) {
				if slices.Contains([]login.Mechanism{login.PLAIN, login.LOGIN, login.UserPass, login.APOP, login.CRAMMD5, login.NTLM, login.DIGESTMD5,
					login.SCRAMSHA1, login.SCRAMSHA1PLUS, login.SCRAMSHA256, login.SCRAMSHA256PLUS}, m) && !slices.Contains(all, m) {
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// costOf is what a policy costs, by its explanation alone.
func costOf(p login.Policy, users []policy.User) policy.Cost {
	var cost policy.Cost
	for _, u := range users {
		c := policy.Explain(p, nil, []clientsim.Profile{u.Profile}, nil).Clients[0]
		if c.Standing == policy.Lost {
			cost.Lost += u.Weight
		}
		for _, a := range c.Access {
			if a.Standing == policy.Lost {
				continue
			}
			cost.Middle = max(cost.Middle, a.Middle.Gives)
			for _, w := range a.Ways {
				cost.Listener = max(cost.Listener, login.Strongest(w.Exposures))
			}
			if a.Set != nil && a.Set.Transport == login.Plain {
				class := login.ShowsVerifier
				if slices.Contains([]login.Mechanism{login.PLAIN, login.LOGIN, login.UserPass}, a.Set.Mechanism) {
					class = login.ShowsPassword
				}
				cost.Listener = max(cost.Listener, class)
			}
		}
	}
	return cost
}

// every calls yield with each policy of these mechanisms.
func every(ms []login.Mechanism, p map[login.Mechanism]login.Setting, yield func(login.Policy)) {
	if len(ms) == 0 {
		yield(login.Policy{Common: p})
		return
	}
	for _, s := range login.Settings() {
		p[ms[0]] = s
		every(ms[1:], p, yield)
	}
}

// The front is what trying everything finds, and each policy in it costs what
// is said.
func TestRecommendIsExact(t *testing.T) {
	set(t, "rapid.checks", "30")
	rapid.Check(t, func(t *rapid.T) {
		users := small(t)
		all := map[policy.Cost]bool{}
		every(passwords(users), map[login.Mechanism]login.Setting{}, func(p login.Policy) { all[costOf(p, users)] = true })
		var want, got []policy.Cost
		for cost := range all {
			dominated := false
			for other := range all {
				dominated = dominated || other.Dominates(cost)
			}
			if !dominated {
				want = append(want, cost)
			}
		}
		for _, c := range policy.Recommend(users, nil).Choices {
			got = append(got, c.Cost)
			if again := costOf(c.Policy, users); again != c.Cost {
				t.Errorf("%v costs %+v, not %+v", c.Settings, again, c.Cost)
			}
			returns(t, c, users)
		}
		slices.SortFunc(want, func(a, b policy.Cost) int {
			return cmp.Or(cmp.Compare(a.Lost, b.Lost), cmp.Compare(a.Listener, b.Listener), cmp.Compare(a.Middle, b.Middle))
		})
		if !slices.Equal(got, want) {
			t.Errorf("front %+v, want %+v", got, want)
		}
	})
}

// returns holds what brings a client back against what happens then: it is
// back, at that price, and no smaller change does it.
func returns(t *rapid.T, c policy.Choice, users []policy.User) {
	for _, back := range c.Returns {
		i := slices.IndexFunc(users, func(u policy.User) bool { return u.Profile.ID() == back.Profile })
		lost := func(p login.Policy) bool {
			return policy.Explain(p, nil, []clientsim.Profile{users[i].Profile}, nil).Clients[0].Standing == policy.Lost
		}
		if !lost(c.Policy) {
			t.Errorf("%s is not lost under %v", back.Profile, c.Settings)
		}
		if (len(back.Changes) == 0) != (len(back.Still) > 0) {
			t.Errorf("%s: %d changes, and it is still lost in %d protocols", back.Profile, len(back.Changes), len(back.Still))
		}
		if len(back.Changes) == 0 {
			every(passwords(users), map[login.Mechanism]login.Setting{}, func(p login.Policy) {
				if !lost(p) {
					t.Errorf("%s comes back under %v", back.Profile, p)
				}
			})
			continue
		}
		changed := map[login.Mechanism]login.Setting{}
		for m, s := range c.Policy.Common {
			changed[m] = s
		}
		for _, change := range back.Changes {
			if changed[change.Mechanism] != change.From {
				t.Errorf("%s was %s", change.Mechanism, changed[change.Mechanism])
			}
			changed[change.Mechanism] = change.To
		}
		if p := (login.Policy{Common: changed}); lost(p) || costOf(p, users) != back.Cost {
			t.Errorf("%s under %v: lost %v, costs %+v, not %+v", back.Profile, p, lost(p), costOf(p, users), back.Cost)
		}
	}
}

// Nothing in a front dominates another, whoever is to be kept.
func TestRecommendIsAFront(t *testing.T) {
	set(t, "rapid.checks", "10")
	rapid.Check(t, func(t *rapid.T) {
		var users []policy.User
		for _, c := range rapid.Permutation(clients()).Draw(t, "clients")[:3] {
			users = append(users, policy.User{Profile: c, Weight: 1})
		}
		choices := policy.Recommend(users, nil).Choices
		for _, a := range choices {
			for _, b := range choices {
				if a.Dominates(b.Cost) {
					t.Errorf("%+v dominates %+v", a.Cost, b.Cost)
				}
			}
		}
	})
}

// More weight on a client does not make it the one that is lost.
func TestWeightDecides(t *testing.T) {
	users, err := policy.ParseUsers("u", []byte("thunderbird: 5\nphpmailer-pop3: 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := policy.Recommend(users, nil)
	if r.Choices[0].Lost != 0 {
		t.Errorf("%+v", r.Choices[0].Cost)
	}
	for _, c := range r.Choices[1:] {
		if c.Lost != 2 && c.Lost != 7 {
			t.Errorf("loses %d: thunderbird needs nobody lost", c.Lost)
		}
	}
}
