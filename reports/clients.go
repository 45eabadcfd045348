package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// subjects are the clients that the sentences are about: the document's and
// their releases, or everybody where none of these was run.
func (b *book) subjects() []string {
	of := documentClients()
	for _, r := range releases {
		of = append(of, r.source)
	}
	clients := b.clients()
	subjects := slices.DeleteFunc(slices.Clone(clients), func(name string) bool { return !slices.Contains(of, name) })
	if len(subjects) == 0 {
		return clients
	}
	return subjects
}

// others are the clients beside them.
func (b *book) others() []string {
	subjects := b.subjects()
	return slices.DeleteFunc(b.clients(), func(name string) bool { return slices.Contains(subjects, name) })
}

// standing is how a client fares where a password is taken inside TLS only.
type standing uint8

const (
	standsWell    standing = iota // it logs in as it is installed
	needsSetting                  // it logs in if its user chooses another way
	mayLeak                       // it logs in, and elsewhere goes on without TLS
	standsOutside                 // it does not log in
)

// standing of a client: the worst of its protocols.
func (b *book) standing(client string) standing {
	worst := standsWell
	for _, p := range login.Protocols() {
		auto, any := false, false
		speaks := false
		for i := range b.report.Cells {
			c := &b.report.Cells[i]
			if c.Protocol != p || c.ClientName() != client || !plain(c) || c.Flavour != login.Modern {
				continue
			}
			speaks = true
			if c.Setting == login.Secure && c.Outcome == login.LoggedIn {
				any = true
				auto = auto || c.Mechanism == login.Auto
			}
		}
		switch {
		case !speaks:
		case !any:
			worst = max(worst, standsOutside)
		case b.leaks(client, p):
			worst = max(worst, mayLeak)
		case !auto:
			worst = max(worst, needsSetting)
		}
	}
	return worst
}

// leaks: with its setting "if available" the client gives something up in
// clear to a server from which STARTTLS was taken.
func (b *book) leaks(client string, p login.Protocol) bool {
	m := b.manners(client, p)
	return m != nil && m.Floors[login.EncryptIfAvailable].Gives > login.ShowsIdentity &&
		m.Floors[login.EncryptIfAvailable].Rung != login.RungCertificate
}

// looksAtManners: it is known how clients behave where a server goes wrong.
func (b *book) looksAtManners() bool {
	return slices.ContainsFunc(b.report.Clients, func(c login.ClientDescription) bool { return len(c.Protocols) > 0 })
}

func (b *book) manners(client string, p login.Protocol) *login.ClientManners {
	for i := range b.report.Clients {
		c := &b.report.Clients[i]
		for j := range c.Protocols {
			if c.Profile == client && c.Protocols[j].Protocol == p {
				return &c.Protocols[j]
			}
		}
	}
	return nil
}

// more sums up the other clients, in one line; "" where there are none.
func (b *book) more() (heading, text string) {
	others := b.others()
	if len(others) == 0 || len(others) == len(b.clients()) || b.narrowed() {
		return "", ""
	}
	n := map[standing]int{}
	for _, client := range others {
		n[b.standing(client)]++
	}
	parts := []string{fmt.Sprintf("%d log in under secure", n[standsWell])}
	for _, s := range []struct {
		standing standing
		text     string
	}{
		{needsSetting, "%d need a setting"},
		{mayLeak, "%d may leak (TLS \"if available\")"},
		{standsOutside, "%d stay outside"},
	} {
		if n[s.standing] > 0 {
			parts = append(parts, fmt.Sprintf(s.text, n[s.standing]))
		}
	}
	return count(len(others)) + " MORE CLIENTS", strings.Join(parts, ", ")
}

// factsKnown says how well the clients are known.
func (b *book) factsKnown() string {
	n, all := map[login.Confidence]int{}, 0
	for _, c := range b.report.Clients {
		for confidence, k := range c.Facts {
			n[confidence] += k
			all += k
		}
	}
	if all == 0 {
		return ""
	}
	percent := func(k int) string { return fmt.Sprintf("%.0f%%", 100*float64(k)/float64(all)) }
	return fmt.Sprintf("%s facts: %s observed or read in source, %s vendor or report, %s assumed (?)", count(all),
		percent(n[login.Observed]+n[login.Source]), percent(n[login.Vendor]+n[login.Reported]), percent(n[login.Assumed]))
}

// floor is a client's credential floor, as an entry of a table.
func floor(m login.ClientManners, e login.Encryption) string {
	f, has := m.Floors[e]
	switch {
	case !has:
		return "--"
	case f.Rung == "":
		return f.Word()
	default:
		return f.Word() + ": " + f.Gives.String()
	}
}

// denials groups the clients of a protocol by what they do about each
// refusal: a sentence for each manner, with its codes.
func (b *book) denials(p login.Protocol) []string {
	type group struct{ does, codes string }
	members := map[group][]string{}
	var order []group
	answers := slices.DeleteFunc(login.Denials(p), func(answer string) bool { return answer == login.AnswerSilence })
	for _, c := range b.report.Clients {
		m := b.manners(c.Profile, p)
		if m == nil {
			continue
		}
		for _, g := range mannersByAnswer(*m, answers) {
			key := group{string(g.does), strings.Join(g.answers, ", ")}
			if members[key] == nil {
				order = append(order, key)
			}
			members[key] = append(members[key], c.Profile)
		}
	}
	slices.SortStableFunc(order, func(a, b group) int { return len(members[b]) - len(members[a]) })
	var all []string
	for _, key := range order {
		all = append(all, fmt.Sprintf("%s on %s: %s", key.does, key.codes, list(members[key])))
	}
	return all
}

type answered struct {
	does    login.DenialManner
	answers []string
}

// mannersByAnswer are the manners of one client, each with the answers that
// bring it about.
func mannersByAnswer(m login.ClientManners, answers []string) []answered {
	var all []answered
	for _, answer := range answers {
		does := m.Denials[answer].Does
		if i := slices.IndexFunc(all, func(a answered) bool { return a.does == does }); i >= 0 {
			all[i].answers = append(all[i].answers, answer)
		} else {
			all = append(all, answered{does, []string{answer}})
		}
	}
	return all
}
