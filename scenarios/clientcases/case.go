package clientcases

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Case is a requirement on clients with a source, and the situations that
// decide it.
type Case struct {
	// ID never changes its meaning: "client", protocol, number.
	ID    string
	Title string
	// Since is the release of the catalogue in which the case is new.
	Since string
	Level login.Level
	Refs  []string
	// Says is the requirement in our own words.
	Says       string
	Situations []Situation
	Judge      Judge
	// Unknown: no profile has a fact that would decide it, so it is for real
	// clients alone.
	Unknown bool
	// Sabotage must make the case fail.
	Sabotage Sabotage
}

// Area is the ID without its number.
func (c Case) Area() string { return c.ID[:strings.LastIndexByte(c.ID, '/')] }

// Protocol is that of the ID.
func (c Case) Protocol() login.Protocol {
	return login.Protocol(strings.TrimPrefix(c.Area(), "client/"))
}

// Judge thinks of what a client did in one situation. twin is what it did in
// the situation's twin, and nothing where there is none.
type Judge func(s Situation, did, twin Conduct) login.Ruling

// Sabotage is how a case is shown to be able to fail.
type Sabotage struct {
	// Sinner is the settings state of the client in sinners.yaml that sins.
	Sinner string
	// Heard is what a server heard of a client that sins, where no profile can
	// sin so: "C " before a line of the client's, "S " before one of the server's,
	// "C+ " and "S+ " inside TLS.
	Heard []string
	// TimedOut: and it had to be ended.
	TimedOut bool
}

// Conducts finds out what a client does in a situation; ok is false where it
// cannot be told to be in it. An error is ours.
type Conducts func(Situation) (did Conduct, ok bool, err error)

// Rule is the verdict on a client. decided are the situations that led to it,
// the worst; an error is that of conducts.
func (c Case) Rule(conducts Conducts) (ruling login.Ruling, decided []Situation, err error) {
	worst := login.Ruling{Verdict: login.Skip, Why: login.WhyNotApplicable, Reason: "the client has no such setting"}
	var reasons []string
	groups := map[string]bool{}
	for _, s := range c.Situations {
		if s.Group != "" && groups[s.Group] {
			continue
		}
		got, ok, err := c.rule(s, conducts)
		if err != nil {
			return login.Ruling{}, nil, err
		}
		if !ok {
			continue
		}
		groups[s.Group] = true
		switch {
		case rank(got) > rank(worst) || len(decided) == 0 && rank(got) == rank(worst):
			worst, reasons, decided = got, nil, nil
		case rank(got) < rank(worst):
			continue
		}
		decided = append(decided, s)
		if reason := s.says(got); reason != "" && !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	if len(decided) > 0 {
		worst.Reason = few(reasons)
	}
	return worst, decided, nil
}

// rule is the verdict on one situation.
func (c Case) rule(s Situation, conducts Conducts) (ruling login.Ruling, ok bool, err error) {
	did, ok, err := conducts(s)
	if !ok || err != nil {
		return login.Ruling{}, false, err
	}
	var twin Conduct
	if s.Twin != nil {
		if twin, ok, err = conducts(*s.Twin); !ok || err != nil {
			return login.Ruling{}, false, err
		}
	}
	ruling = c.Judge(s, did, twin)
	if s.Lax && ruling.Verdict == login.Fail {
		ruling.Verdict = login.Warn
		ruling.Reason += ", as it may where TLS is only wanted if available"
	}
	if ruling.Verdict != login.Pass {
		return ruling, true, nil
	}
	// Who never logs in shows nothing anywhere, and has proved nothing.
	proved := false
	for _, control := range controls(s) {
		good, ok, err := conducts(control)
		if err != nil {
			return login.Ruling{}, false, err
		}
		proved = proved || ok && len(good.Tries) > 0
	}
	if !proved {
		return unproved("it does not try to log in to a good server either"), true, nil
	}
	return ruling, true, nil
}

// rank orders what is known of situations: nothing, then what cannot be told,
// then verdicts from good to bad.
func rank(r login.Ruling) int {
	if r.Verdict != login.Skip {
		return 2 + int(r.Verdict)
	}
	if r.Why == login.WhyInconclusive {
		return 1
	}
	return 0
}

// says is the reason with its situation.
func (s Situation) says(r login.Ruling) string {
	if r.Reason == "" {
		return ""
	}
	return s.Doc + ": " + r.Reason
}

// few are so many reasons that a row stays readable.
func few(reasons []string) string {
	const shown = 3
	if len(reasons) > shown {
		return strings.Join(reasons[:shown], "; ") + fmt.Sprintf("; and in %d more", len(reasons)-shown)
	}
	return strings.Join(reasons, "; ")
}

// What a judge says.

var passed = login.Ruling{Verdict: login.Pass}

func failed(format string, args ...any) login.Ruling {
	return login.Ruling{Verdict: login.Fail, Reason: fmt.Sprintf(format, args...)}
}

func warned(format string, args ...any) login.Ruling {
	return login.Ruling{Verdict: login.Warn, Reason: fmt.Sprintf(format, args...)}
}

// idle: the case is not about what the client does there.
func idle(format string, args ...any) login.Ruling {
	return login.Ruling{Verdict: login.Skip, Why: login.WhyNotApplicable, Reason: fmt.Sprintf(format, args...)}
}

func unproved(format string, args ...any) login.Ruling {
	return login.Ruling{Verdict: login.Skip, Why: login.WhyInconclusive, Reason: fmt.Sprintf(format, args...)}
}

// Conduct is what a server heard of the client that sins.
func (s Sabotage) Conduct(p login.Protocol) Conduct {
	events := []login.Event{{Kind: login.EventOpened, Connection: 1, Protocol: p}}
	encrypted := false
	for _, line := range s.Heard {
		mark, text, _ := strings.Cut(line, " ")
		e := login.Event{Kind: login.EventLine, Connection: 1, Protocol: p, Encrypted: strings.HasSuffix(mark, "+"), Text: text}
		if e.Encrypted && !encrypted {
			encrypted = true
			events = append(events, login.Event{Kind: login.EventTLSUp, Connection: 1, Protocol: p, Encrypted: true})
		}
		if mark[0] == 'S' {
			e.Kind = login.EventReply
		}
		events = append(events, e)
	}
	did := Watch(p, events)
	did.TimedOut = s.TimedOut
	return did
}
