package judge

import (
	"cmp"
	"maps"
	"slices"

	"github.com/mailmatrix/mailmatrix/harness/remote/advice"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What must be true of doors, whatever is offered there.

// silent is a door behind which nobody speaks. A named one leaves its question
// open; of a usual port that is closed at most somebody should know.
func (j *judging) silent(i int) {
	d := j.Doors[i]
	stage, status := failedStage(d)
	if stage == login.StageConnect && status == login.ConnectStopped {
		j.leftAlone(i)
		return
	}
	explained := d.Explained[stage]
	guessed := d.Found == login.FoundPort
	absent := guessed && stage == login.StageConnect && status == "refused"
	if absent { // nobody was told that there is such a door, so it is no duty
		explained = "nothing listens there"
	}
	f := finding{topic: "open", door: i, expected: wordOpen, outcome: status, refs: refsOfPort(d), problem: advice.PortClosed,
		ruling: login.Ruling{Verdict: login.Pass, Reason: because(j.where(i)+" does not answer", explained)}}
	switch { // somebody is there
	case stage == login.StageHandshake:
		f.problem = advice.NoTLS
	case d.Stages[login.StageBanner] == login.StageOK:
		f.problem = ""
	}
	switch {
	case d.Found == login.FoundNamed:
		f.ruling.Verdict, f.ruling.Why = login.Skip, login.WhyInconclusive
	case d.Found == login.FoundSRV, d.Found == login.FoundAutoconfig, d.Found == login.FoundAutodiscover:
		f.ruling.Verdict = login.Warn
		f.ruling.Reason += " (clients are sent there by " + string(d.Found) + ")"
	case guessed && d.Implicit && j.upgrades(d.Protocol): // RFC 8314 3
		f.ruling.Verdict = login.Warn
		f.ruling.Reason += " (some clients try it first"
		if !absent {
			f.ruling.Reason += ", and wait"
		}
		f.ruling.Reason += ")"
	}
	j.add(f)
}

// leftAlone is a door that was never knocked at, however it was found.
func (j *judging) leftAlone(i int) {
	j.add(finding{topic: "open", door: i, expected: wordOpen, outcome: login.ConnectStopped, refs: refsOfPort(j.Doors[i]),
		ruling: login.Ruling{Verdict: login.Skip, Why: login.WhyBudget,
			Reason: j.where(i) + " was left alone: the server showed that it has had enough"}})
}

// upgrades: users are served at a door where TLS has to be begun.
func (j *judging) upgrades(p login.Protocol) bool {
	return slices.ContainsFunc(j.Doors, func(d login.DoorResult) bool {
		return d.Protocol == p && d.Speaks() && !d.Implicit && !forServers(d)
	})
}

// failedStage is the first step that did not lead on.
func failedStage(d login.DoorResult) (login.Stage, string) {
	if s := d.Trouble(); s != "" {
		return s, d.Stages[s]
	}
	return login.StageConnect, "closed"
}

// refsOfPort are who says that the port should be there.
func refsOfPort(d login.DoorResult) []string {
	switch {
	case d.Protocol == login.POP3:
		return []string{"RFC 8314 3.1"}
	case forServers(d):
		return []string{"RFC 5321 4.5.4.2"}
	default:
		return []string{"RFC 8314 3.3"}
	}
}

// startTLS: TLS can be begun where it has to be.
func (j *judging) startTLS(i int) {
	d := j.Doors[i]
	status, stage := d.Stages[login.StageStartTLS], login.StageStartTLS
	if h := d.Stages[login.StageHandshake]; status == login.StageOK && h != "" {
		status, stage = h, login.StageHandshake
	}
	_, there := d.Transport(login.StartTLS)
	explained := d.Explained[stage]
	if h := d.Stages[login.StageHelloTLS]; status == login.StageOK && h != "" && h != login.StageOK && !there {
		status, explained = h, "once TLS is up, "+cmp.Or(d.Explained[login.StageHelloTLS], "nothing more can be asked")
	}
	switch {
	case d.Implicit:
		return
	case status == "" && there:
		status = login.StageOK
	case status == "" && d.Stages[login.StageHello] != login.StageOK:
		return // nobody came so far as to ask
	case status == "":
		status = "missing"
	}
	f := finding{topic: "starttls", door: i, expected: wordOK, outcome: status, refs: []string{upgrade(d.Protocol), "RFC 8314 4.1"}}
	if status == login.StageOK {
		f.ruling.Verdict = login.Pass
		j.add(f)
		return
	}
	f.problem = advice.NoTLS
	clear, _ := d.Transport(login.Plain)
	bare := pick(clear.Mechanisms, func(r login.MechanismResult) bool { takes, _ := r.Takes(); return takes })
	sentence := because(j.where(i)+" has no TLS that works", explained)
	switch {
	case len(bare) > 0 && j.Blind == "":
		f.ruling = login.Ruling{Verdict: login.Fail, Reason: sentence + "; a login there goes in clear"}
	case !forServers(d):
		f.ruling = login.Ruling{Verdict: login.Warn, Reason: sentence + "; nobody who wants TLS can log in there"}
	default: // RFC 3207 4: a server for all must not demand it, and may lack it
		f.ruling = login.Ruling{Verdict: login.Pass, Reason: sentence + "; mail from other servers comes in clear"}
	}
	j.add(f)
}

// noLogin: users come to the door, it has TLS for them, and nobody can log in
// there. A declared policy says by itself what should be offered.
func (j *judging) noLogin(i int) {
	d := j.Doors[i]
	encrypted := slices.ContainsFunc(d.Transports, func(t login.TransportResult) bool { return t.Transport.Encrypted() })
	if d.Stages[login.StageAuth] != login.AuthNone || !encrypted || offersLogin(d) || forServers(d) || j.Strangers[i] {
		return
	}
	requires := "RFC 6409 4.3"
	if d.Protocol == login.POP3 {
		requires = "RFC 1939 4"
	}
	j.add(finding{topic: "no-login", door: i, expected: wordOffered, outcome: wordNotOffered, refs: []string{requires, auth(d.Protocol)},
		ruling: login.Ruling{Verdict: login.Warn,
			Reason: because(j.where(i)+" offers no login, with TLS or without", d.Explained[login.StageAuth])}})
}

// alike compares the doors of a protocol at which users log in. Only what was
// found out in the same way is compared: a list with a list, a try with a try.
func (j *judging) alike() {
	for _, p := range login.Protocols() {
		var users []int
		for i, d := range j.Doors {
			if d.Protocol == p && d.Speaks() && !forServers(d) {
				users = append(users, i)
			}
		}
		for n := 1; n < len(users); n++ {
			j.compare(users[0], users[n])
		}
		if p == login.SMTP && len(users) > 0 {
			j.loginsForServers()
		}
	}
}

func (j *judging) compare(a, b int) {
	var differ []string
	var about []login.MechanismResult
	compared := 0
	links := [][2]login.TransportResult{{inside(j.Doors[a]), inside(j.Doors[b])}}
	if j.Blind == "" {
		links = append(links, [2]login.TransportResult{outside(j.Doors[a]), outside(j.Doors[b])})
	}
	for _, l := range links {
		for _, r := range l[1].Mechanisms {
			same, known := agree(l[0].Of(r.Mechanism), r)
			if !known || r.Mechanism == login.EXTERNAL {
				continue
			}
			compared++
			if name := string(r.Mechanism); !same && !slices.Contains(differ, name) {
				differ, about = append(differ, name), append(about, r)
			}
		}
	}
	f := finding{topic: "alike", door: b, about: about, expected: wordAlike, outcome: wordAlike, refs: []string{"both/policy/008", "RFC 8314 3"},
		problem: advice.DoorsDiffer, ruling: login.Ruling{Verdict: login.Pass}}
	switch {
	case compared == 0:
		return
	case len(differ) > 0:
		f.outcome = wordDifferent
		f.ruling = login.Ruling{Verdict: login.Warn, Reason: j.where(a) + " and " + j.where(b) + " differ in " + listed(differ)}
	}
	j.add(f)
}

// inside is what a door shows inside TLS, outside what it does in clear.
func inside(d login.DoorResult) login.TransportResult {
	if t, ok := d.Transport(login.TLS); ok {
		return t
	}
	t, _ := d.Transport(login.StartTLS)
	return t
}

func outside(d login.DoorResult) login.TransportResult {
	t, _ := d.Transport(login.Plain)
	return t
}

// agree compares by the best that both know.
func agree(a, b login.MechanismResult) (same, known bool) {
	for _, pair := range [][2]*bool{{a.Completes, b.Completes}, {a.Starts, b.Starts}, {a.Offered, b.Offered}} {
		if pair[0] != nil && pair[1] != nil {
			return *pair[0] == *pair[1], true
		}
	}
	return false, false
}

// loginsForServers notes a login where other servers bring mail, although users
// have doors of their own (RFC 6409 3.1).
func (j *judging) loginsForServers() {
	for i, d := range j.Doors {
		if !forServers(d) || !d.Speaks() || !offersLogin(d) {
			continue
		}
		j.add(finding{topic: "submission", door: i, expected: wordNotOffered, outcome: wordOffered, refs: []string{"RFC 6409 3.1", "RFC 8314 3.3"},
			ruling: login.Ruling{Verdict: login.Pass, Reason: j.where(i) + " offers logins, though users have other doors"}})
	}
}

// families: the name has addresses of both sorts, and they say different things.
func (j *judging) families() {
	for _, i := range slices.Sorted(maps.Keys(j.Unlike)) {
		if i < 0 || i >= len(j.Doors) {
			continue
		}
		j.add(finding{topic: "family", door: i, expected: wordAlike, outcome: wordDifferent, refs: []string{"RFC 8305 1"}, problem: advice.DoorsDiffer,
			ruling: login.Ruling{Verdict: login.Warn,
				Reason: because("the other address of "+j.where(i)+" does not say the same", j.Unlike[i])}})
	}
}
