package ledger

import (
	"cmp"
	"slices"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// questions are those that the probe has, those first whose answers are worth
// most: a hole is where a password is shown to who listens, and nobody knows.
// APOP has no start: it is one command that holds the proof. EXTERNAL is not
// asked for inside TLS: see [startsFor].
func questions(c Config, doors []login.DoorResult) []question {
	var all []question
	each(doors, func(q question, _ *login.MechanismResult) {
		switch {
		case q.mechanism == login.APOP:
		case q.mechanism == login.EXTERNAL && q.link.Encrypted() && !c.Everything:
		default:
			all = append(all, q)
		}
	})
	if c.Everything {
		return all // by door and link, which spares connections
	}
	worth := func(q question) int {
		offered, class := offeredAt(doors, q), classOf(q.mechanism)
		switch {
		case !offered && q.link == login.Plain && class == login.ShowsPassword:
			return 0
		case !offered && q.link == login.Plain:
			return 1
		case !offered:
			return 2
		case q.link == login.Plain:
			return 3
		default:
			return 4
		}
	}
	slices.SortStableFunc(all, func(a, b question) int {
		return cmp.Or(cmp.Compare(worth(a), worth(b)), cmp.Compare(late(c.Looks, a), late(c.Looks, b)),
			cmp.Compare(a.door, b.door), cmp.Compare(classOf(b.mechanism), classOf(a.mechanism)))
	})
	return all
}

// late is how far behind others of the same worth a question comes: USER may
// cost nothing; port 25 is for servers, and rarely for logins (RFC 6409 3.1); and
// few clients of POP3 log in by AUTH.
func late(looks []reach.Look, q question) int {
	switch d := looks[q.door].Door; {
	case q.mechanism == login.UserPass:
		return 0
	case d.Protocol == login.POP3:
		return 3
	case d.Port == 25:
		return 2
	default:
		return 1
	}
}

func offeredAt(doors []login.DoorResult, q question) bool {
	t, _ := doors[q.door].Transport(q.link)
	row := t.Of(q.mechanism)
	return row.Offered != nil && *row.Offered
}

func classOf(m login.Mechanism) login.ExposureClass {
	impl, _ := mech.Get(m)
	return impl.Class
}

// candidates are the rows at which an account may log in, in the order in which
// that is tried: offered before hidden, and the password itself before proofs
// made from it, so that the right password is seen to be right before anything
// is tried that may be refused for another reason; PLAIN, which every server has,
// first of all.
func candidates(c Config, doors []login.DoorResult) []question {
	rank := map[question]int{}
	each(doors, func(q question, row *login.MechanismResult) {
		if r, may := chance(c, q, row); may && mayHear(c, q) {
			rank[q] = r
		}
	})
	var all []question
	each(doors, func(q question, _ *login.MechanismResult) {
		if _, may := rank[q]; may {
			all = append(all, q)
		}
	})
	slices.SortStableFunc(all, func(a, b question) int {
		return cmp.Or(cmp.Compare(rank[a], rank[b]), cmp.Compare(classOf(b.mechanism), classOf(a.mechanism)), cmp.Compare(seldom(a), seldom(b)))
	})
	return all
}

func seldom(q question) int {
	if q.mechanism == login.PLAIN {
		return 0
	}
	return 1
}

// chance is how early a login is worth trying, 0 the earliest, and whether it
// is at all.
func chance(c Config, q question, row *login.MechanismResult) (rank int, may bool) {
	hidden := c.Probe || c.Everything
	switch {
	case row.Starts != nil && !*row.Starts, row.Completes != nil:
		return 0, false
	case q.mechanism == login.ANONYMOUS && !c.Everything:
		return 0, false // no account logs in by it
	case row.Offered != nil && *row.Offered:
		return 0, true
	case row.Starts != nil:
		return 1, true
	case q.mechanism == login.UserPass && row.Offered == nil:
		return 1, true // without CAPA there is nothing else to go by (RFC 1939 7)
	default:
		return 2, hidden
	}
}

// mayHear: the user has named the host, and its link is one that permits it.
func mayHear(c Config, q question) bool {
	look := c.Looks[q.door]
	return look.Door.Typed && permits(c, q.link, look.Links[q.link].Verified)
}

// permits: what is said inside TLS is said to who has proved to be the host,
// whatever may be said in clear; and what is said in clear, the user permits.
func permits(c Config, link login.Transport, verified bool) bool {
	if link.Encrypted() {
		return verified
	}
	return c.Cleartext
}

// What a connection and an exchange cost in waits for an answer: greeting, EHLO
// and QUIT; STARTTLS, its handshake and another EHLO; AUTH and "*"; and the
// most that a login needs.
const (
	tripsConnection = 3
	tripsTLS        = 3
	tripsQuestion   = 2
	tripsLogin      = 5
)

// Cost is what filling would cost at most, by what has been found. Without a
// budget it is that of a server in service.
func Cost(c Config) login.Effort {
	doors := lists(c.Looks)
	var e login.Effort
	connection := func(t login.Transport) {
		e.Connections++
		e.Trips += tripsConnection
		if t.Encrypted() {
			e.Trips += tripsTLS
		}
	}
	if c.Probe {
		var at place
		served := perConnection
		affordable(c, questions(c, doors), func(q question, exchanges int) {
			if at != q.place || served >= perConnection {
				connection(q.link)
				at, served = q.place, 0
			}
			served += exchanges
			e.Auths += exchanges
			e.Trips += exchanges * tripsQuestion
			if q.mechanism == login.UserPass {
				served = perConnection // it ends the connection
			}
		})
	}
	if c.Login {
		for _, q := range candidates(c, doors) {
			connection(q.link)
			e.Passwords++
			e.Trips += tripsLogin
		}
		e.Auths += e.Passwords
	}
	if limits := limitsOf(c); !limits.None {
		e.Auths = min(e.Auths, limits.Auths)
	}
	return e
}

func limitsOf(c Config) budget.Limits {
	if c.Budget == nil {
		return budget.Limits{}.WithDefaults()
	}
	return c.Budget.Limits()
}

// affordable goes through the questions that the budget pays for if nothing
// comes cheaper, and tells how many exchanges each is: before the first AUTH of
// a link there is that of a made-up mechanism. USER costs nothing where it is
// taken.
func affordable(c Config, all []question, ask func(q question, exchanges int)) {
	limits := limitsOf(c)
	left := limits.Auths
	if c.Login {
		left-- // see filler.probe
	}
	asked := map[place]bool{}
	for _, q := range all {
		if q.mechanism == login.UserPass {
			ask(q, 1)
			continue
		}
		exchanges := 1
		if !asked[q.place] {
			exchanges++
		}
		if !limits.None && left < exchanges {
			continue
		}
		left -= exchanges
		asked[q.place] = true
		ask(q, exchanges)
	}
}
