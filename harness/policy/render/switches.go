package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// A server's configuration is a set of controls. Each governs some cells at
// once, and a cell is as strict as the strictest control that governs it: what
// a server cannot express is what its controls cannot tell apart. Settings
// compare as they are numbered: the smaller lets in less.

// control is one of them.
type control struct {
	cells []Cell
	// can are what it can be set to, the strictest first. [login.Allow] does not
	// restrict; a control that can only be [login.Deny] is something that the
	// server does not have.
	can []login.Setting
	// why is the reason why its cells go together, as a sentence without its end.
	why string

	value login.Setting
	// because are the cells for whose sake it is stricter than others of its
	// cells want it.
	because []Cell
}

// What controls can be set to.
var (
	never      = []login.Setting{login.Deny}
	onOff      = []login.Setting{login.Deny, login.Allow}
	clearOrTLS = []login.Setting{login.Secure, login.Allow}
	anySetting = []login.Setting{login.Deny, login.Secure, login.Allow}
)

// machine makes a server's controls, those first by which a cell is to be made
// stricter first.
type machine func() []*control

// solution is a machine set for a policy.
type solution struct {
	machine  machine
	policy   login.Policy
	controls []*control
}

// solve sets the controls so that no cell is looser than the policy. First what
// is to be denied is denied, then what is to be secure is bound to TLS, each by
// the first control that can.
func solve(m machine, p login.Policy) solution {
	s := solution{m, p, m()}
	s.relax(s.wanted)
	s.tighten(login.Deny)
	s.relax(s.alive)
	s.tighten(login.Secure)
	s.relax(s.effective)
	return s
}

// relax sets each control as strict as it can be without making a cell stricter
// than it is wanted. What was tightened stays.
func (s solution) relax(wanted func(Cell) login.Setting) {
	for _, c := range s.controls {
		if len(c.because) > 0 {
			continue
		}
		most := login.Deny
		for _, cell := range c.cells {
			most = max(most, wanted(cell))
		}
		c.value = c.can[len(c.can)-1]
		if i := slices.IndexFunc(c.can, func(can login.Setting) bool { return can >= most }); i >= 0 {
			c.value = c.can[i]
		}
	}
}

// tighten looks after the cells that are to be so, and are not. What needs TLS
// to exist is secure by itself.
func (s solution) tighten(to login.Setting) {
	looser := slices.DeleteFunc(cells(), func(c Cell) bool {
		return s.wanted(c) != to || s.effective(c) <= to || to == login.Secure && needsTLS(c.Mechanism)
	})
	for _, cell := range looser {
		governing := s.governing(cell)
		if i := slices.IndexFunc(governing, func(c *control) bool { return slices.Contains(c.can, to) }); i >= 0 {
			c := governing[i]
			c.value, c.because = to, append(c.because, cell)
		}
	}
}

// wanted is the policy's setting. What needs TLS to exist cannot be had in
// clear, so that allow is no more than secure.
func (s solution) wanted(c Cell) login.Setting {
	w := s.policy.For(c.Protocol, c.Mechanism)
	if needsTLS(c.Mechanism) {
		return min(w, login.Secure)
	}
	return w
}

// alive is wanted, but for what some control denies.
func (s solution) alive(c Cell) login.Setting {
	if s.effective(c) == login.Deny {
		return login.Deny
	}
	return s.wanted(c)
}

// effective is what the controls make of a cell. One that no control governs
// does not exist.
func (s solution) effective(c Cell) login.Setting {
	governing := s.governing(c)
	if len(governing) == 0 {
		return login.Deny
	}
	e := login.Allow
	for _, g := range governing {
		e = min(e, g.value)
	}
	return e
}

func (s solution) governing(c Cell) []*control {
	var all []*control
	for _, g := range s.controls {
		if slices.Contains(g.cells, c) {
			all = append(all, g)
		}
	}
	return all
}

// spelled is effective in the policy's own word: where a mechanism needs TLS,
// secure and allow mean the same.
func (s solution) spelled(c Cell) login.Setting {
	e := s.effective(c)
	if needsTLS(c.Mechanism) && e != login.Deny {
		return max(login.Secure, s.policy.For(c.Protocol, c.Mechanism))
	}
	return e
}

// listed are the mechanisms that a protocol lets anybody in by.
func (s solution) listed(p login.Protocol) []login.Mechanism {
	return slices.DeleteFunc(mech.In(p), func(m login.Mechanism) bool { return s.effective(Cell{p, m}) == login.Deny })
}

// anywhere reports whether the mechanism lets anybody in.
func (s solution) anywhere(m login.Mechanism) bool {
	return slices.ContainsFunc(login.Protocols(), func(p login.Protocol) bool { return s.effective(Cell{p, m}) != login.Deny })
}

// rendered is the solution as it is reported. vain says of cells why they are
// offered or taken up where nobody gets in.
func (s solution) rendered(vain map[Cell]string, notes []string, pieces ...Piece) Rendered {
	r := Rendered{Pieces: pieces, Notes: notes, Effective: login.Policy{Own: map[login.Protocol]map[login.Mechanism]login.Setting{}}}
	for _, p := range login.Protocols() {
		r.Effective.Own[p] = map[login.Mechanism]login.Setting{}
	}
	for _, c := range cells() {
		asked, got := s.policy.For(c.Protocol, c.Mechanism), s.spelled(c)
		r.Effective.Own[c.Protocol][c.Mechanism] = got
		why, inVain := vain[c]
		switch {
		case got != asked:
			r.Cannot = append(r.Cannot, s.explain(c))
		case inVain:
			r.Cannot = append(r.Cannot, Cannot{Cell: c, Wanted: asked, Why: why, Stricter: got, Looser: got, Chosen: got, InVain: true})
		}
	}
	return r
}

// explain says why a cell is stricter than it was asked for, and what the other
// choice would cost.
func (s solution) explain(c Cell) Cannot {
	e := Cannot{Cell: c, Wanted: s.policy.For(c.Protocol, c.Mechanism), Chosen: s.spelled(c)}
	e.Stricter, e.Looser = e.Chosen, e.Chosen
	if lack := s.lack(c); lack != nil {
		e.Why = lack.why
		return e
	}
	var why []string
	for _, b := range s.blamed(c) {
		why = append(why, fmt.Sprintf("%s; %s", b.why, s.demands(b.because)))
	}
	e.Why = strings.Join(why, ". Besides, ")
	loose := s.loosened(c)
	e.Looser = loose.spelled(c)
	var price []string
	for _, other := range cells() {
		if got := loose.spelled(other); got > s.policy.For(other.Protocol, other.Mechanism) {
			price = append(price, fmt.Sprintf("%s is %s", other, participle[got]))
		}
	}
	e.Price = strings.Join(price, ", ")
	return e
}

// lack is the control that a cell can only be denied by; nil is none.
func (s solution) lack(c Cell) *control {
	for _, g := range s.governing(c) {
		if len(g.can) == 1 {
			return g
		}
	}
	return nil
}

// blamed are the controls that make a cell stricter than it is wanted.
func (s solution) blamed(c Cell) []*control {
	return slices.DeleteFunc(s.governing(c), func(g *control) bool { return g.value >= s.wanted(c) || len(g.because) == 0 })
}

// loosened gives way, cell by cell, until the cell is as it is wanted, or
// nothing more gives.
func (s solution) loosened(c Cell) solution {
	policy := login.Policy{Common: s.policy.Common, Own: map[login.Protocol]map[login.Mechanism]login.Setting{}}
	for _, p := range login.Protocols() {
		policy.Own[p] = maps.Clone(s.policy.Own[p])
		if policy.Own[p] == nil {
			policy.Own[p] = map[login.Mechanism]login.Setting{}
		}
	}
	loose := s
	for loose.effective(c) < s.wanted(c) {
		blamed := loose.blamed(c)
		if len(blamed) == 0 {
			break
		}
		for _, b := range blamed {
			for _, other := range b.because {
				policy.Own[other.Protocol][other.Mechanism] = s.wanted(c)
			}
		}
		loose = solve(s.machine, policy)
	}
	return loose
}

// demands says what is wanted of cells.
func (s solution) demands(all []Cell) string {
	words := make([]string, len(all))
	for i, c := range all {
		words[i] = fmt.Sprintf("%s is to be %s", c, participle[s.policy.For(c.Protocol, c.Mechanism)])
	}
	return strings.Join(words, ", ")
}

// participle is a setting in a sentence.
var participle = map[login.Setting]string{login.Deny: "denied", login.Secure: "secure", login.Allow: "allowed"}

// cells are all that there are, in the order of reports.
func cells() []Cell {
	var all []Cell
	for _, p := range login.Protocols() {
		all = append(all, cellsOf(p, mech.In(p)...)...)
	}
	return all
}

// cellsOf are those of some mechanisms in a protocol.
func cellsOf(p login.Protocol, ms ...login.Mechanism) []Cell {
	var all []Cell
	for _, m := range ms {
		if impl, _ := mech.Get(m); impl.In(p) {
			all = append(all, Cell{p, m})
		}
	}
	return all
}

func needsTLS(m login.Mechanism) bool {
	impl, _ := mech.Get(m)
	return impl.NeedsTLS
}

// lacking puts before a server's controls those of what it does not have: the
// cells of mechanisms that are not in has, and of protocols that no control
// governs.
func lacking(controls []*control, has []login.Mechanism, why func(Cell) string) []*control {
	have := solution{controls: controls}
	var all []*control
	for _, c := range cells() {
		known := c.Mechanism == login.UserPass || slices.Contains(has, c.Mechanism)
		if !known || len(have.governing(c)) == 0 {
			all = append(all, &control{cells: []Cell{c}, can: never, why: why(c)})
		}
	}
	return append(all, controls...)
}
