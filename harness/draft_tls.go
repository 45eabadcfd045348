package harness

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// transports are those that the client was configured for.
func (s *spoken) transports() section {
	cases := map[login.Transport][]string{}
	for _, r := range s.runs {
		switch {
		case r.ClientTLS == recording.Off:
			cases[login.Plain] = append(cases[login.Plain], r.Case)
		case r.ClientTLS == recording.Implicit:
			cases[login.TLS] = append(cases[login.TLS], r.Case)
		case r.StartTLSSent > 0:
			cases[login.StartTLS] = append(cases[login.StartTLS], r.Case)
		}
	}
	var all section
	for _, t := range login.Transports() {
		if len(cases[t]) > 0 {
			f := s.shown(nil, cases[t]...)
			f.label = ""
			all.add(string(t), f)
		}
	}
	return all
}

// encryption is how it goes about STARTTLS and STLS.
func (s *spoken) encryption() section {
	var all section
	var asks []string
	for _, r := range s.runs {
		if r.ClientTLS == recording.Opportunistic && r.StartTLSSent > 0 {
			asks = append(asks, r.Case)
		}
	}
	if len(asks) > 0 {
		all.add("opportunistic", s.shown(true, asks...))
	}
	if blind := s.blind(); len(blind) > 0 {
		all.add("blind", s.shown(true, blind...))
	}
	all.add("required", s.failures(recording.Required))
	if len(asks) > 0 {
		all.add("if-available", s.failures(recording.Opportunistic))
	}
	if cases := s.silentInside(); len(cases) > 0 {
		all.add("says-again", s.shown(false, cases...))
	}
	if s.protocol == login.SMTP {
		if cases := s.looksLate(); len(cases) > 0 {
			all.add("looks-after-hello", s.shown(true, cases...))
		}
	}
	if cases := s.forgetsTimestamp(); len(cases) > 0 {
		all.add("keeps-timestamp", s.shown(false, cases...))
	}
	if cases := s.unchecked(); len(cases) > 0 {
		all.add("unchecked", s.shown(true, cases...))
	}
	return all
}

// blind: it must encrypt, and sends the command although it was not offered.
func (s *spoken) blind() (cases []string) {
	for _, r := range s.runs {
		if r.ClientTLS == recording.Required && r.StartTLSSent > 0 && (r.Offer.TLS == "" || r.Offer.TLS == "none") {
			cases = append(cases, r.Case)
		}
	}
	return cases
}

// failures are its reactions to TLS that is not to be had.
func (s *spoken) failures(mode recording.Mode) section {
	var unoffered, refused, failed, untrusted votes
	for _, r := range s.runs {
		if r.ClientTLS != mode {
			continue
		}
		asked := max(r.index("STARTTLS", 0), r.index("STLS", 0))
		switch {
		case asked < 0:
			if r.Offer.TLS == "" || r.Offer.TLS == "none" {
				unoffered.add(r.afterOffer(), r.Case)
			}
		case r.Offer.TLS == "starttls-refused":
			refused.add(r.afterTLS(asked+1, r.said[asked].conn), r.Case)
		case r.Offer.TLS == "starttls-broken":
			if at := r.index(tlsFailed, asked); at >= 0 {
				failed.add(r.afterTLS(at+1, r.said[at].conn), r.Case)
			}
		case !good(r.Offer) && !r.logsInEncrypted():
			if at := max(r.index(tlsFailed, asked), r.index(tlsUp, asked)); at >= 0 {
				for r.said[at].verb == tlsUp && at+1 < len(r.said) && r.said[at+1].encrypted && r.said[at+1].verb != "QUIT" {
					at++ // what it says before it looks
				}
				untrusted.add(r.afterTLS(at+1, r.said[at].conn), r.Case)
			}
		}
	}
	var all section
	all.add("unoffered", unoffered.fact(s.deriver))
	all.add("refused", refused.fact(s.deriver))
	all.add("failed", failed.fact(s.deriver))
	if f := untrusted.fact(s.deriver); f != nil {
		if same := failed.fact(s.deriver); same == nil || same.value != f.value {
			all.add("untrusted", f)
		}
	}
	return all
}

// afterOffer is what it does once it has seen that TLS is not offered.
func (c conversation) afterOffer() string {
	for i, l := range c.said {
		if !slices.Contains([]string{"EHLO", "HELO", "CAPA"}, l.verb) && !c.bareAt(i) {
			return c.afterTLS(i, c.said[0].conn)
		}
	}
	return c.afterTLS(len(c.said), 1)
}

func (c conversation) bareAt(i int) bool { return c.said[i].verb == "AUTH" && !c.said[i].begins }

func (c conversation) logsInEncrypted() bool {
	return slices.ContainsFunc(c.tries, func(t try) bool { return t.encrypted })
}

// silentInside are the cases in which it did not ask again inside TLS. In
// POP3 who asks for STLS alone has no reason to.
func (s *spoken) silentInside() (cases []string) {
	for _, r := range s.runs {
		up := r.index(tlsUp, 0)
		if r.StartTLSSent == 0 || up < 0 || up+1 == len(r.said) || s.protocol == login.POP3 && !s.asksAlways() {
			continue
		}
		if !slices.Contains([]string{"EHLO", "HELO", "CAPA", "QUIT"}, r.said[up+1].verb) {
			cases = append(cases, r.Case)
		}
	}
	return cases
}

// looksLate are the cases in which it said EHLO inside TLS before it refused
// the certificate.
func (s *spoken) looksLate() (cases []string) {
	for _, r := range s.runs {
		up := r.index(tlsUp, 0)
		if r.StartTLSSent > 0 && up >= 0 && !good(r.Offer) && r.Trust == recording.TrustDefault && len(r.tries) == 0 && len(r.UnauthCommands) == 0 &&
			r.index("EHLO", up) >= 0 {
			cases = append(cases, r.Case)
		}
	}
	return cases
}

// forgetsTimestamp are the cases in which it passed APOP by after STLS for what
// elsewhere comes after it.
func (s *spoken) forgetsTimestamp() (cases []string) {
	before := s.prefers("")
	for _, r := range s.runs {
		if r.StartTLSSent > 0 && r.TLSUp && r.Offer.APOP && len(r.tries) > 0 && before[[2]login.Mechanism{login.APOP, r.tries[0].mechanism}] != "" {
			cases = append(cases, r.Case)
		}
	}
	return cases
}

// unchecked are the cases in which it took, after STARTTLS, what it refuses on
// a port of its own.
func (s *spoken) unchecked() (cases []string) {
	refuses := false
	for _, r := range s.runs {
		if r.Trust != recording.TrustDefault || good(r.Offer) {
			continue
		}
		if r.ClientTLS == recording.Implicit {
			refuses = refuses || r.refusal() != ""
		} else if r.StartTLSSent > 0 && r.refusal() == "" && r.TLSUp {
			cases = append(cases, r.Case)
		}
	}
	if !refuses {
		return nil
	}
	return cases
}

// refusal is how the client showed that it refuses a certificate; "" is not
// at all.
func (c conversation) refusal() string {
	switch {
	case len(c.tries) > 0 && c.logsInEncrypted() || c.encryptedLogin() && len(c.UnauthCommands) > 0:
		return ""
	case c.CertFail != nil && (strings.Contains(*c.CertFail, "EOF") || strings.Contains(*c.CertFail, "reset")):
		return "silent"
	case c.index(tlsFailed, 0) >= 0:
		return "handshake"
	case c.TLSUp:
		return "connected"
	default:
		return ""
	}
}

// tlsOf is the section tls, which is nobody's protocol.
func tlsOf(speaks []*spoken) section {
	var runs []conversation
	encrypted := false
	for _, s := range speaks {
		runs = append(runs, s.runs...)
		for _, t := range s.transports() {
			encrypted = encrypted || login.Transport(t.key).Encrypted()
		}
	}
	if !encrypted {
		return nil
	}
	d := speaks[0].deriver
	// Which check a case puts to the test: trust, then kind of certificate.
	demands := func(trust recording.Trust, kind string) (manner string, cases []string) {
		var v votes
		for _, r := range runs {
			if r.Trust == trust && r.Offer.Cert == kind && r.ClientTLS == recording.Implicit {
				v.add("saw "+r.refusal(), r.Case)
			}
		}
		if f := v.fact(d); f != nil {
			manner = f.value.(string)
			cases = v.cases[manner]
		}
		return manner, cases
	}
	chain, chainCases := demands(recording.TrustDefault, "self")
	if chain == "" { // no implicit TLS: STARTTLS shows it as well
		chain, chainCases = afterStartTLS(d, runs)
	}
	dates, dateCases := demands(recording.TrustAuthority, "expired")
	names, nameCases := demands(recording.TrustAuthority, "wrongname")

	var all section
	all.add("versions", assumed([]string{"1.2", "1.3"}))
	all.add("sni", assumed(true))
	add := func(checks *section, check, manner string) {
		if manner = strings.TrimPrefix(manner, "saw "); manner != "" {
			checks.add(check, manner)
		}
	}
	// With an authority, whoever looks at anything looks at the chain.
	withAuthority, weakest := section{}, login.Observed
	if looked := strings.TrimPrefix(dates, "saw ") + strings.TrimPrefix(names, "saw "); looked != "" {
		manner := chain
		if strings.TrimPrefix(chain, "saw ") == "" {
			manner, weakest = dates, login.Assumed
			if strings.TrimPrefix(dates, "saw ") == "" {
				manner = names
			}
		}
		add(&withAuthority, "chain", manner)
	}
	add(&withAuthority, "dates", dates)
	add(&withAuthority, "name", names)
	trusted := append(slices.Clone(dateCases), nameCases...)
	switch {
	case chain == "saw ": // it takes anything as it is installed
		all.add("checks", d.shown(section{}, chainCases...))
		if len(trusted) > 0 {
			f := d.shown(withAuthority, trusted...)
			if f.confidence = weakest; weakest == login.Assumed {
				f.source += "; the chain is not seen, but who looks at the rest looks at it"
			}
			all.add("checks-with-authority", f)
		}
	case chain != "":
		all.add("checks", d.shown(withChain(withAuthority, chain), append(chainCases, trusted...)...))
	default:
		all.add("checks", assumed(withAuthority))
	}
	if names == "saw " {
		all.add("names", d.shown("none", nameCases...))
	} else {
		all.add("names", assumed("one-label"))
	}
	all.add("can-trust", canTrust(d, runs))
	return all
}

// withChain makes sure that the chain is among the checks.
func withChain(checks section, chain string) section {
	if len(checks) == 0 {
		checks.add("chain", strings.TrimPrefix(chain, "saw "))
	}
	return checks
}

func afterStartTLS(d *deriver, runs []conversation) (string, []string) {
	var v votes
	for _, r := range runs {
		if r.Trust == recording.TrustDefault && r.Offer.Cert == "self" && r.StartTLSSent > 0 {
			v.add("saw "+r.refusal(), r.Case)
		}
	}
	if f := v.fact(d); f != nil {
		return f.value.(string), v.cases[f.value.(string)]
	}
	return "", nil
}

// canTrust: with its checks off, it takes what it would refuse.
func canTrust(d *deriver, runs []conversation) *fact {
	var v votes
	for _, r := range runs {
		if r.Trust != recording.TrustAnything || good(r.Offer) {
			continue
		}
		if r.TLSUp && r.refusal() == "" {
			v.add("true", r.Case)
		} else {
			v.add("false", r.Case)
		}
	}
	f := v.fact(d)
	if f == nil {
		return assumed(true)
	}
	f.value = f.value == "true"
	return f
}
