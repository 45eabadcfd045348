// Package judge says what to think of what a server's doors showed: against the
// policy that its administrator declares, or by what must be true of any.
package judge

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/harness/remote/advice"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Evidence is all that it looks at.
type Evidence struct {
	Doors []login.DoorResult
	// Policy is the declared one; nil is none.
	Policy *login.Policy
	// Blind is why nothing can be said of clear links and of relay from here, in
	// a sentence; "" where it can.
	Blind string
	// Unlike are the doors whose other address family says something else: index
	// and what.
	Unlike map[int]string
	// Strangers are the doors that were found by MX alone, at a host that the user
	// has not named: their server may be another company's.
	Strangers map[int]bool
	// Login: the account was to be logged in, and Passwords are how many of what
	// it presented the server has judged.
	Login     bool
	Passwords int
	// Lines finds the conversation of a row.
	Lines func(door int, t login.Transport, m login.Mechanism) []string
}

// Judged is a finding with the lines that show it.
type Judged struct {
	login.ScenarioResult
	Lines []string
}

// All judges. It is pure. The findings come door by door, and then those about
// several doors. What nobody tried makes none.
func All(e Evidence) []Judged {
	j := &judging{Evidence: e, places: places(e.Doors), proven: proven(e.Doors)}
	for i, d := range e.Doors {
		if !d.Speaks() {
			j.silent(i)
			continue
		}
		j.startTLS(i)
		for _, t := range login.Transports() {
			link, ok := d.Transport(t)
			switch {
			case !ok:
			case e.Policy != nil:
				j.declared(i, link)
			default:
				j.cleartext(i, link)
				j.challenges(i, link)
				j.bindings(i, link)
				j.hidden(i, link)
				j.offered(i, link)
			}
		}
		if e.Policy == nil {
			j.shrinks(i)
			j.noLogin(i)
		}
	}
	j.certificates()
	if e.Policy == nil {
		j.alike()
	} else {
		for _, p := range login.Protocols() {
			j.absent(p)
		}
	}
	j.families()
	j.login()
	return j.out
}

// judging is the work in progress.
type judging struct {
	Evidence
	// places name the doors in IDs.
	places []string
	// proven: some login has succeeded, so the credentials are right.
	proven bool
	out    []Judged
}

// finding is what one topic comes to at one door.
type finding struct {
	topic string
	door  int
	// transport is "" where the door as a whole is meant.
	transport login.Transport
	// clear: it rests on a clear link, whichever transport it is about.
	clear bool
	// about are the mechanisms it is about; the conversation of the first shows
	// it.
	about             []login.MechanismResult
	expected, outcome string
	exposure          login.ExposureClass
	ruling            login.Ruling
	refs              []string
	problem           advice.Problem // "" where nothing is to be done
}

// add notes a finding. What rests on a clear link that cannot be seen from here
// is no finding, but the place of one; what is wrong with a stranger is a note,
// because who runs the user's server cannot mend it.
func (j *judging) add(f finding) {
	if j.Blind != "" && (f.clear || f.transport == login.Plain) {
		f.outcome, f.exposure, f.problem, f.about = "", login.ShowsNothing, "", nil
		f.ruling = login.Ruling{Verdict: login.Skip, Why: login.WhyVantage, Reason: j.Blind}
	}
	if v := f.ruling.Verdict; j.Strangers[f.door] && (v == login.Fail || v == login.Warn) {
		f.ruling = login.Ruling{Verdict: login.Pass, Reason: f.ruling.Reason + " (found by MX and not named by you: it may be somebody else's)"}
	}
	d := j.Doors[f.door]
	id := "scenario/" + login.KindDoor + "/" + f.topic + "/" + string(d.Protocol) + "/" + j.places[f.door]
	if f.transport != "" {
		id += "/" + string(f.transport)
	}
	r := Judged{ScenarioResult: login.ScenarioResult{
		ID: id, Kind: login.KindDoor, Protocol: d.Protocol, Transport: f.transport, Expected: []string{f.expected}, Outcome: f.outcome,
		Exposure: f.exposure, Refs: f.refs, Door: &f.door,
	}}
	r.Rule(f.ruling)
	if r.Verdict == login.Fail || r.Verdict == login.Warn {
		if f.problem != "" {
			r.Advice = advice.For(f.problem, j.on(f))
		}
		r.Lines = j.lines(f)
	}
	j.out = append(j.out, r)
}

// on is where the advice is for. What a silent door runs is not known, so its
// software is what greets at another door of the protocol.
func (j *judging) on(f finding) advice.On {
	on := advice.On{Door: j.Doors[f.door], Transport: f.transport}
	if len(f.about) > 0 {
		on.Mechanism = f.about[0].Mechanism
	}
	for i, d := range j.Doors {
		if on.Door.Software == "" && !j.Strangers[i] && !on.Door.Speaks() && d.Protocol == on.Door.Protocol {
			on.Door.Software = d.Software
		}
	}
	return on
}

// lines are those that show it: the line that lists the mechanism where it is
// about a list, the conversation where it is about an attempt.
func (j *judging) lines(f finding) []string {
	if len(f.about) == 0 {
		return nil
	}
	row := f.about[0]
	list := f.outcome == wordOffered || f.outcome == wordNotOffered
	said := row.Reply
	if list {
		said = row.Evidence
	}
	said = strings.TrimSpace(strings.TrimPrefix(said, login.EvidenceInferred))
	if j.Lines != nil && (!list || said == "") {
		if all := j.Lines(f.door, f.transport, row.Mechanism); len(all) > 0 {
			return slices.Clone(all)
		}
	}
	switch {
	case said == "":
		return nil
	case f.transport.Encrypted():
		return []string{"S+ " + said}
	default:
		return []string{"S " + said}
	}
}
