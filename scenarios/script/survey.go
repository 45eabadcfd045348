package script

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// Survey is what a server offers on each of its links, for one protocol.
type Survey struct {
	Links map[login.Transport]Offer
}

// Offer is what is offered on one link. The zero value is a link that there is
// not.
type Offer struct {
	// Open: the link came about; Why says why not.
	Open     bool
	Why      string
	Greeting string
	// Capabilities are EHLO's keywords with their arguments, or CAPA's; nil
	// where there is no list.
	Capabilities []string
	Mechanisms   []login.Mechanism
}

// surveyOf asks every link of the protocol what it offers. It costs a connection
// each.
func surveyOf(ctx context.Context, s *scenarios.Session, protocol login.Protocol) *Survey {
	found := &Survey{Links: map[login.Transport]Offer{}}
	for _, t := range login.Transports() {
		found.Links[t] = look(ctx, s, protocol, t)
	}
	return found
}

// surveyed is what is known, or what is found by asking.
func (p *Play) surveyed(ctx context.Context, protocol login.Protocol) *Survey {
	if known := p.Known[protocol]; known != nil {
		return known
	}
	return surveyOf(ctx, p.Session.Session, protocol)
}

func look(ctx context.Context, s *scenarios.Session, protocol login.Protocol, t login.Transport) Offer {
	talk, err := s.Open(ctx, protocol, t)
	if err != nil {
		return Offer{Why: err.Error()}
	}
	defer talk.Quit()
	return Offer{Open: true, Greeting: talk.Greeting, Capabilities: capabilities(talk), Mechanisms: Offered(talk)}
}

// Offered are the mechanisms that a connection lists: EHLO's AUTH (RFC 4954
// 3), CAPA's SASL and USER (RFC 2449 6, RFC 5034 3), and APOP by the timestamp
// of the greeting (RFC 1939 7).
func Offered(t *scenarios.Talk) []login.Mechanism {
	var all []login.Mechanism
	list := "AUTH"
	if t.Protocol == login.POP3 {
		list = "SASL"
		if t.Offers("USER") {
			all = append(all, login.UserPass)
		}
		if wire.Timestamp(t.Greeting) != "" {
			all = append(all, login.APOP)
		}
	}
	for _, line := range capabilities(t) {
		words := strings.Fields(line)
		if len(words) > 0 && strings.EqualFold(words[0], list) {
			for _, name := range words[1:] {
				all = append(all, login.Mechanism(strings.ToUpper(name)))
			}
		}
	}
	return all
}

// prepare looks at the server and says whether the case applies.
func (p *Play) prepare(ctx context.Context) error {
	needs := p.Case.Needs
	p.survey = p.surveyed(ctx, p.protocol)
	switch {
	case needs.Policy && p.Policy == nil:
		return skipping(login.WhyNotApplicable, "nobody has said what the policy is")
	case needs.Account && p.NoAccount:
		return skipping(login.WhyNoCredentials, "it needs an account")
	case needs.Issued && p.Issue == nil:
		return skipping(login.WhyNoCredentials, "it needs what is given out in place of a password")
	}
	return nil
}

// choice is a mechanism and the link on which it is played.
type choice struct {
	mechanism login.Mechanism
	transport login.Transport
}

// choose finds the link, and the mechanisms that the case is to be played with;
// none of them for a case that is not about mechanisms.
func (p *Play) choose() ([]choice, error) {
	needs := p.Case.Needs
	links := p.links()
	if len(links) == 0 {
		return nil, skipping(login.WhyNotApplicable, "%s", p.noLink())
	}
	p.transport = links[0]
	var found []choice
	for _, m := range needs.Mechanisms {
		for _, t := range links {
			if slices.Contains(p.survey.Links[t].Mechanisms, m) {
				found = append(found, choice{m, t})
				break
			}
		}
	}
	switch {
	case len(needs.Mechanisms) > 0 && len(found) == 0:
		return nil, skipping(login.WhyNotApplicable, "%s is not offered", list(needs.Mechanisms))
	case needs.AnyMechanism && len(found) > 1:
		found = found[:1]
	}
	return found, nil
}

// links are those of the case that are open and offer what it needs.
func (p *Play) links() []login.Transport {
	return slices.DeleteFunc(slices.Clone(transportsOf[p.Case.Needs.Link]), func(t login.Transport) bool {
		offer := p.survey.Links[t]
		return !offer.Open || slices.ContainsFunc(p.Case.Needs.Offers, func(k string) bool { return !offer.Has(k) })
	})
}

func (p *Play) noLink() string {
	var why []string
	for _, t := range transportsOf[p.Case.Needs.Link] {
		offer := p.survey.Links[t]
		reason := offer.Why
		if offer.Open {
			reason = strings.Join(p.Case.Needs.Offers, ", ") + " is not offered"
		}
		why = append(why, fmt.Sprintf("%s: %s", t, reason))
	}
	return strings.Join(why, "; ")
}

// Has reports whether a capability is offered, with arguments or without.
func (o Offer) Has(keyword string) bool {
	return slices.ContainsFunc(o.Capabilities, func(line string) bool {
		first, _, _ := strings.Cut(line, " ")
		return strings.EqualFold(first, keyword)
	})
}

func list(ms []login.Mechanism) string {
	names := make([]string, len(ms))
	for i, m := range ms {
		names[i] = string(m)
	}
	return strings.Join(names, ", ")
}
