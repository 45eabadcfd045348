package clientsim

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// linter holds a sheet against what it must be.
type linter struct {
	*source
	sheet *sheet
	// state is the path of the settings state in the file, whose own words come
	// before those of the client as installed.
	state []string
	found []*FileError
}

// lint returns everything that is wrong with a sheet, by line.
func lint(s *sheet, from *source, state []string) []*FileError {
	l := &linter{source: from, sheet: s, state: state}
	l.names()
	if s.SMTP == nil && s.POP3 == nil {
		l.add(nil, "neither smtp nor pop3: a client speaks one of them")
	}
	for _, protocol := range login.Protocols() {
		if p := s.in(protocol); p != nil {
			l.protocol(protocol, p)
		}
	}
	among(l, []string{"login-name"}, l.sheet.LoginName, userForms)
	l.ntlm()
	l.tls()
	slices.SortStableFunc(l.found, func(a, b *FileError) int { return cmp.Compare(a.Line, b.Line) })
	return l.found
}

func (l *linter) add(path []string, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if l.state == nil {
		l.found = append(l.found, l.wrong(l.line(path...), what))
		return
	}
	l.found = append(l.found, l.wrong(l.line(append(slices.Clone(l.state), path...)...), "variant "+l.state[1]+": "+what))
}

// properName: a "+" divides a profile from its variant and a "/" the parts of
// an ID.
var properName = regexp.MustCompile(`^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$`)

func (l *linter) names() {
	if !properName.MatchString(l.sheet.Name) {
		l.add([]string{"name"}, "name %q: letters, digits and hyphens are wanted", l.sheet.Name)
	}
	if l.sheet.Title == "" {
		l.add([]string{"title"}, "title is missing")
	}
	if l.sheet.Family == "" {
		l.add([]string{"family"}, "family is missing: who shares this client's code")
	}
}

// sourced is the law of the house: no fact without a source.
func (l *linter) sourced(path []string, c login.Confidence, source string) {
	if !slices.Contains(login.Confidences(), c) {
		l.add(path, "%s: confidence %q is none of %v", path[len(path)-1], c, login.Confidences())
	}
	if source == "" {
		l.add(path, "%s: a fact without a source", path[len(path)-1])
	}
}

func (l *linter) protocol(protocol login.Protocol, p *protocolSheet) {
	at := func(path ...string) []string { return append([]string{string(protocol)}, path...) }

	if len(p.Transports) == 0 {
		l.add(at("transports"), "no transports")
	}
	for _, t := range slices.Sorted(maps.Keys(p.Transports)) {
		l.sourced(at("transports", string(t)), p.Transports[t].Confidence, p.Transports[t].Source)
		oneOf(l, at("transports", string(t)), "transport", t, login.Transports())
	}
	l.mechanisms(protocol, p, at)
	l.manners(protocol, p, at)
}

func (l *linter) mechanisms(protocol login.Protocol, p *protocolSheet, at func(...string) []string) {
	if l.sheet.Probe {
		if p.Mechanisms != nil || p.Choice.Value != nil {
			l.add(at("mechanisms"), "a probe has every mechanism and no choice of its own")
		}
	} else {
		if len(p.Mechanisms) == 0 {
			l.add(at("mechanisms"), "no mechanisms")
		}
		l.sourced(at("choice"), p.Choice.Confidence, p.Choice.Source)
		if len(p.Choice.Value) == 0 && len(p.Mechanisms) > 0 && l.state == nil {
			l.add(at("choice", "value"), "no choice: name what the client takes as it is installed")
		}
		l.has(at("choice", "value"), p.Choice.Value, p)
	}
	for _, m := range slices.Sorted(maps.Keys(p.Mechanisms)) {
		l.mechanism(protocol, m, p.Mechanisms[m], at("mechanisms", string(m)))
	}

	l.sourced(at("initial"), p.Initial.Confidence, p.Initial.Source)
	l.has(at("initial", "value"), p.Initial.Value, p)
	for _, m := range p.Initial.Value {
		if !speaksFirst(m) {
			l.add(at("initial", "value"), "%s has no initial response", m)
		}
	}
	l.sourced(at("after-refusal"), p.AfterRefusal.Confidence, p.AfterRefusal.Source)
	l.has(at("after-refusal", "value"), p.AfterRefusal.Value, p)
	for _, m := range p.AfterRefusal.Value {
		if messages[m] == 0 && m != login.UserPass {
			l.add(at("after-refusal", "value"), "%s: what comes next depends on a challenge that does not come", m)
		}
	}
}

func (l *linter) mechanism(protocol login.Protocol, m login.Mechanism, said mechanismSheet, path []string) {
	l.sourced(path, said.Confidence, said.Source)
	oneOf(l, path, "mechanism", m, mech.Names())
	if i, ok := mech.Get(m); ok && !i.In(protocol) {
		l.add(path, "%s does not exist in %s", m, protocol)
	}
	oneOf(l, append(path, "looks"), "place to look", said.Looks, looks[protocol])
	if (said.Looks == lookTimestamp) != (m == login.APOP) && (m != login.APOP || said.Looks != nowhere) {
		l.add(append(path, "looks"), "the timestamp is for APOP, and APOP looks for nothing else")
	}
}

// has: what a list names, the client must have, and names once.
func (l *linter) has(path []string, named []login.Mechanism, p *protocolSheet) {
	for i, m := range named {
		if _, ok := p.Mechanisms[m]; !ok {
			l.add(path, "names %q, which is not among this client's mechanisms", m)
		}
		if slices.Contains(named[:i], m) {
			l.add(path, "names %s twice", m)
		}
	}
}

// speaksFirst: the client's first message waits for no challenge, and goes
// into an AUTH command.
func speaksFirst(m login.Mechanism) bool {
	i, _ := mech.Get(m)
	return i.ClientFirst
}

func (l *linter) ntlm() {
	n := l.sheet.NTLM
	needed := l.sheet.Probe
	for _, protocol := range login.Protocols() {
		if p := l.sheet.in(protocol); p != nil {
			_, has := p.Mechanisms[login.NTLM]
			needed = needed || has
		}
	}
	if (n != nil) != needed {
		l.add([]string{"ntlm"}, "a section ntlm and the mechanism NTLM go together")
	}
	if n == nil {
		return
	}
	l.sourced([]string{"ntlm", "kind"}, n.Kind.Confidence, n.Kind.Source)
	oneOf(l, []string{"ntlm", "kind", "value"}, "kind of NTLM", n.Kind.Value, login.NTLMKinds())
	l.sourced([]string{"ntlm", "windows-user-first"}, n.WindowsUserFirst.Confidence, n.WindowsUserFirst.Source)
}

func (l *linter) tls() {
	t := l.sheet.TLS
	needed := false
	for _, protocol := range login.Protocols() {
		if p := l.sheet.in(protocol); p != nil {
			needed = needed || p.Encryption != nil && p.Encryption.Opportunistic.or(false) ||
				slices.Contains(slices.Collect(maps.Values(p.Codes.or(nil))), encrypting)
			for transport := range p.Transports {
				needed = needed || transport.Encrypted()
			}
		}
	}
	if (t != nil) != needed {
		l.add([]string{"tls"}, "a section tls and an encrypted transport go together")
	}
	if t == nil {
		return
	}
	at := func(path ...string) []string { return append([]string{"tls"}, path...) }

	l.sourced(at("versions"), t.Versions.Confidence, t.Versions.Source)
	if !isRun(t.Versions.Value) {
		l.add(at("versions", "value"), "versions must be a run out of %v", tlsVersions)
	}
	if t.Suites != nil {
		l.sourced(at("suites"), t.Suites.Confidence, t.Suites.Source)
		for _, name := range t.Suites.Value {
			oneOf(l, at("suites", "value"), "cipher suite", name, slices.Sorted(maps.Keys(cipherSuites())))
		}
	}
	l.sourced(at("sni"), t.SNI.Confidence, t.SNI.Source)
	l.checks(at("checks"), &t.Checks)
	l.checks(at("checks-with-authority"), t.WithAuthority)
	l.sourced(at("names"), t.Names.Confidence, t.Names.Source)
	oneOf(l, at("names", "value"), "rule for names", t.Names.Value, nameRules)
	l.sourced(at("can-trust"), t.CanTrust.Confidence, t.CanTrust.Source)
}

var (
	tlsVersions = []string{"1.0", "1.1", "1.2", "1.3"}
	tlsNumbers  = []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13}
)

// isRun: versions stand in order and without a gap, as crypto/tls has them.
func isRun(versions []string) bool {
	if len(versions) == 0 {
		return false
	}
	from := slices.Index(tlsVersions, versions[0])
	return from >= 0 && from+len(versions) <= len(tlsVersions) &&
		slices.Equal(versions, tlsVersions[from:from+len(versions)])
}

// oneOf: a file uses the exact spelling, so that it can be searched.
func oneOf[T ~string](l *linter, path []string, what string, v T, all []T) {
	if slices.Contains(all, v) {
		return
	}
	name, err := login.ParseName(what, string(v), all)
	if err != nil {
		l.add(path, "%s", err)
		return
	}
	l.add(path, "%s %q is spelled %q", what, v, name)
}
