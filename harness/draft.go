package harness

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// Draft is a profile that was derived from records.
type Draft struct {
	YAML []byte
	// Observed are the facts that a record shows, Assumed those that the format
	// demands and none shows. What else is not known is left out.
	Observed, Assumed int
}

// DraftProfile derives what the records of one client, in one settings state,
// show of it.
func DraftProfile(records []recording.Record) (Draft, error) {
	if len(records) == 0 {
		return Draft{}, errors.New("no records: nothing to derive a profile from")
	}
	first := records[0]
	d := deriver{name: draftName(first), by: "recorded: " + release(first)}
	if first.Variant != "" {
		d.by += " with " + first.Variant
	}
	head := section{{"name", d.name}, {"title", clientName(first)}, {"family", d.name}}
	if first.Version != "" {
		head.add("version", quotedText(first.Version))
	}
	var speaks []*spoken
	for _, p := range login.Protocols() {
		s := newSpoken(&d, p, records)
		if len(s.known) == 0 {
			continue
		}
		speaks = append(speaks, s)
		head.add(string(p), s.section())
	}
	if len(speaks) == 0 {
		return Draft{}, errors.New("it never tried to log in by a mechanism that is known here: nothing to derive a profile from")
	}
	head.add("login-name", loginName(speaks))
	head.add("ntlm", ntlmOf(speaks))
	head.add("tls", tlsOf(speaks))

	var b strings.Builder
	fmt.Fprintf(&b, "# A draft, made by `mailmatrix observe` from %d records. What no posture showed is left out,\n"+
		"# or assumed where the format demands it.\n", len(records))
	head.write(&b, "")
	draft := Draft{YAML: []byte(b.String())}
	draft.Observed, draft.Assumed = head.count()
	return draft, nil
}

// release is the client with its version, without what some say behind it.
func release(r recording.Record) string {
	version, _, _ := strings.Cut(r.Version, " (")
	if version == r.Client || strings.HasPrefix(version, r.Client+" ") {
		return version
	}
	return strings.TrimSpace(r.Client + " " + version)
}

// quotedText is written in quotes, whatever it looks like.
type quotedText string

var notOfAName = regexp.MustCompile(`[^a-z0-9]+`)

// draftName is the client's, as the names of profiles are written.
func draftName(r recording.Record) string {
	name := strings.Trim(notOfAName.ReplaceAllString(strings.ToLower(clientName(r)), "-"), "-")
	if name == "" {
		return "client"
	}
	return name
}

// deriver is what every part of a draft has in common.
type deriver struct{ name, by string }

const notSeen = "not seen"

// shown is a fact that the cases show.
func (d *deriver) shown(value any, cases ...string) *fact {
	return &fact{"value", value, login.Observed, d.source(cases)}
}

// source names no more cases than somebody would look up.
func (d *deriver) source(cases []string) string {
	slices.SortFunc(cases, recording.CompareCases)
	cases = slices.Compact(cases)
	if len(cases) > 4 {
		return d.by + ", " + strings.Join(cases[:4], ", ") + " and others"
	}
	return d.by + ", " + strings.Join(cases, ", ")
}

func assumed(value any) *fact { return &fact{"value", value, login.Assumed, notSeen} }

// spoken is what is known of a client in one protocol.
type spoken struct {
	*deriver
	protocol login.Protocol
	runs     []conversation
	known    []login.Mechanism // which it has tried, in the order of reports
}

func newSpoken(d *deriver, p login.Protocol, records []recording.Record) *spoken {
	s := &spoken{deriver: d, protocol: p}
	for _, r := range records {
		if r.Proto == p && r.Conns > 0 {
			s.runs = append(s.runs, converse(r))
		}
	}
	slices.SortStableFunc(s.runs, func(a, b conversation) int { return recording.CompareCases(a.Case, b.Case) })
	s.known = s.mechanismsTried()
	return s
}

// section is the protocol's part of the file.
func (s *spoken) section() section {
	var all section
	if s.protocol == login.SMTP {
		all.add("hello", s.hello())
	} else {
		all.add("lists", s.lists())
	}
	all.add("transports", s.transports())
	all.add("encryption", s.encryption())
	all.add("mechanisms", s.mechanisms())
	s.addChoice(&all)
	s.addManners(&all)
	s.addSession(&all)
	return all
}

// votes are what several records say of one thing.
type votes struct {
	values []string // in the order in which they came
	cases  map[string][]string
}

func (v *votes) add(value, name string) {
	if value == "" {
		return
	}
	if v.cases == nil {
		v.cases = map[string][]string{}
	}
	if len(v.cases[value]) == 0 {
		v.values = append(v.values, value)
	}
	v.cases[value] = append(v.cases[value], name)
}

// fact is what most of them say; nil where none says anything. Who says
// otherwise is named.
func (v *votes) fact(d *deriver) *fact {
	best := ""
	for _, value := range v.values {
		if len(v.cases[value]) > len(v.cases[best]) {
			best = value
		}
	}
	if best == "" {
		return nil
	}
	f := d.shown(best, v.cases[best]...)
	for _, value := range v.values {
		if value != best {
			f.source += fmt.Sprintf("; but %s in %s", value, strings.Join(v.cases[value], ", "))
		}
	}
	return f
}
