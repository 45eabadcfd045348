package login

import (
	"fmt"
	"slices"
	"strings"
)

// Observation is what was seen in one experiment. It holds no opinion.
type Observation struct {
	// Offered is what this client saw of the mechanism; nil where it did not
	// look.
	Offered   *bool
	Attempted bool
	// Used is the mechanism of the last attempt.
	Used      Mechanism
	Outcome   Outcome
	Exposures []Exposure
	// Stranger: it was somebody whom the server does not know who was let in,
	// such as the user of the Windows session.
	Stranger bool
	// Reply is the server's last answer to the login, as it came.
	Reply string
	// Detail says what went wrong below the protocol, or in the harness.
	Detail string
}

// Expectation is what an oracle foretells of one experiment. The zero value
// expects nothing, and everything is then unjudged.
type Expectation struct {
	Outcomes []Outcome
	// Offered is whether the mechanism must be in the list that the client
	// reads; nil leaves it open.
	Offered *bool
	// Used is the mechanism that the client must choose; "" leaves it open.
	Used Mechanism
	// Exposures are exactly what a listener can read, in any order; nil leaves
	// it open, and an empty slice is nothing at all.
	Exposures []Exposure
	// Replies are the exact codes of the answers, by outcome: what the answer
	// begins with.
	Replies map[Outcome]ReplyForm
	Refs    []string
}

// ReplyForm is the machine-readable head of a reply.
type ReplyForm struct {
	Begins string
	// Without is what must not follow: POP3's refusals by policy carry no
	// response code.
	Without string
}

func (f ReplyForm) matches(reply string) bool {
	rest, ok := strings.CutPrefix(reply, f.Begins)
	return ok && (f.Without == "" || !strings.HasPrefix(strings.TrimLeft(rest, " "), f.Without))
}

// Judge compares what was expected with what was seen. It looks at nothing
// else.
func (e Expectation) Judge(o Observation) Ruling {
	switch {
	case o.Outcome == Error || o.Outcome == "":
		return Ruling{Verdict: Broken, Reason: "the harness failed: " + o.Detail}
	case len(e.Outcomes) == 0:
		return Ruling{Verdict: Unjudged, Reason: "nothing is expected here"}
	case o.Stranger:
		return Ruling{Verdict: Fail, WronglyAccepted: true, Reason: "the server let in the Windows user, whom it does not know"}
	case !o.Outcome.In(e.Outcomes):
		return Ruling{
			Verdict: Fail,
			Reason:  fmt.Sprintf("expected %s, saw %s%s", join(e.Outcomes), o.Outcome, detail(o)),
			// Who got in although nobody should, is a hole; who should have got
			// in and did not, is locked out.
			WronglyAccepted: o.Outcome == LoggedIn,
			WronglyRefused:  o.Outcome != LoggedIn && LoggedIn.In(e.Outcomes),
		}
	case e.Used != "" && o.Used != e.Used:
		return Ruling{Verdict: Fail, Reason: fmt.Sprintf("expected the client to choose %s, it used %q", e.Used, o.Used)}
	case e.Offered != nil && o.Offered == nil:
		return Ruling{Verdict: Broken, Reason: "the client did not look at what is offered"}
	case e.Offered != nil && *e.Offered != *o.Offered:
		return Ruling{Verdict: Fail, Reason: offeredReason(*o.Offered), WronglyRefused: !*o.Offered}
	}
	if e.Exposures != nil {
		for _, x := range o.Exposures {
			if !slices.Contains(e.Exposures, x) {
				return Ruling{Verdict: Fail, Reason: fmt.Sprintf("a listener can read more than expected: %s", x)}
			}
		}
		for _, x := range e.Exposures {
			if !slices.Contains(o.Exposures, x) {
				// A measurement that misses what must be there proves nothing.
				return Ruling{Verdict: Broken, Reason: fmt.Sprintf("the tap missed what must be readable: %s", x)}
			}
		}
	}
	if form, ok := e.Replies[o.Outcome]; ok && o.Reply != "" && !form.matches(o.Reply) {
		return Ruling{Verdict: Warn, Reason: fmt.Sprintf("right refusal, wrong code: expected %q, got %q", form, o.Reply)}
	}
	return Ruling{Verdict: Pass}
}

func (f ReplyForm) String() string {
	if f.Without != "" {
		return f.Begins + " without a response code"
	}
	return f.Begins
}

func offeredReason(offered bool) string {
	if offered {
		return "offered, although this connection would refuse it"
	}
	return "not offered, although this connection would accept it"
}

func detail(o Observation) string {
	switch {
	case o.Reply != "":
		return ": " + o.Reply
	case o.Detail != "":
		return ": " + o.Detail
	default:
		return ""
	}
}

func join(all []Outcome) string {
	names := make([]string, len(all))
	for i, o := range all {
		names[i] = string(o)
	}
	return strings.Join(names, " or ")
}
