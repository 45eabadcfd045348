package judge

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// login: an account was to be logged in, and no login has succeeded though some
// door may take one. Then the question that was asked is open.
func (j *judging) login() {
	if !j.Login || j.proven {
		return
	}
	at := -1
	for i, d := range j.Doors {
		if at < 0 && d.Speaks() && !j.Strangers[i] && mayTake(d) {
			at = i
		}
	}
	if at < 0 {
		return
	}
	reason := "no login was tried, so nobody knows whether the account gets in: what was left out says why"
	switch {
	case j.Passwords > 0 && !j.answered():
		reason = "no login came to an answer, so nobody knows whether the account gets in: look into the server's log for what became of it"
	case j.Passwords > 0:
		reason = "no login of the account has succeeded: check its name and its password, and that the account may log in"
	}
	j.add(finding{topic: login.TopicLogin, door: at, expected: wordAccepted, outcome: wordUndecided, refs: []string{auth(j.Doors[at].Protocol)},
		ruling: login.Ruling{Verdict: login.Skip, Why: login.WhyInconclusive, Reason: reason}})
}

// answered: the server has answered a login, or may have: a refusal of what was
// only probed cannot be told from one of a login.
func (j *judging) answered() bool {
	return slices.ContainsFunc(j.own(), func(d login.DoorResult) bool {
		return slices.ContainsFunc(d.Transports, func(t login.TransportResult) bool {
			return slices.ContainsFunc(t.Mechanisms, func(r login.MechanismResult) bool {
				refused := strings.HasPrefix(r.Reply, "-") || strings.HasPrefix(r.Reply, "4") || strings.HasPrefix(r.Reply, "5")
				return r.Completes != nil && r.Evidence != login.EvidenceInferred || refused && !not(r.Starts)
			})
		})
	})
}

// mayTake: the door has a way to log in, or nobody knows that it has none.
func mayTake(d login.DoorResult) bool {
	return slices.ContainsFunc(d.Transports, func(t login.TransportResult) bool {
		return slices.ContainsFunc(t.Mechanisms, func(r login.MechanismResult) bool {
			return is(r.Starts) || r.Starts == nil && !not(r.Offered)
		})
	})
}
