package results_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
)

const cellID = "modern/smtp/plain/PLAIN/secure/probe/wingate/none/account"

// refused is a cell that is as it should be; each change is made to it.
func refused(change func(*login.CellResult)) *login.CellResult {
	c := &login.CellResult{ID: cellID, Outcome: login.RefusedPolicy, Verdict: login.Pass, Basis: "measured"}
	change(c)
	return c
}

func asIs(*login.CellResult) {}

func open(c *login.CellResult) {
	c.Outcome, c.Verdict, c.WronglyAccepted, c.Exposure = login.LoggedIn, login.Fail, true, login.ShowsPassword
	c.Exposures = []login.Exposure{{Class: login.ShowsPassword, Secret: login.SecretAccount}}
}

func of(c *login.CellResult) login.Report {
	r := login.Report{Schema: login.Schema, Complete: true, Targets: []login.TargetResult{{Name: "reference", Kind: "reference"}}}
	r.Cells = []login.CellResult{{ID: "modern/smtp/tls/PLAIN/secure/probe/wingate/none/account", Verdict: login.Pass, Outcome: login.LoggedIn}}
	if c != nil {
		r.Cells = append(r.Cells, *c)
	}
	return r
}

// What a change is called, and whether it fails the comparison.
func TestKindsOfChanges(t *testing.T) {
	verdict := func(v login.Verdict) func(*login.CellResult) {
		return func(c *login.CellResult) { c.Verdict = v }
	}
	shows := func(class login.ExposureClass, secret login.SecretName) func(*login.CellResult) {
		return func(c *login.CellResult) {
			c.Exposure = class
			c.Exposures = []login.Exposure{{Class: class, Secret: secret}}
		}
	}
	excusedOpen := func(c *login.CellResult) { open(c); c.Excused = "known" }
	in := func(c *login.CellResult) { c.Outcome = login.LoggedIn }
	for _, row := range []struct {
		name, why string
		old, new  *login.CellResult
		flaky     bool
		kinds     []results.ChangeKind
		status    int
	}{
		{"same", "nothing to say", refused(asIs), refused(asIs), false, nil, 0},
		{"slower", "time is no difference", refused(asIs), refused(func(c *login.CellResult) { c.ElapsedMS = 7 }), false, nil, 0},
		{"worded otherwise", "nor are words", refused(asIs), refused(func(c *login.CellResult) { c.Reason = "x" }), false, nil, 0},
		{"hole", "it is open, readable, and a failure", refused(asIs), refused(open), false,
			[]results.ChangeKind{results.NewlyAccepted, results.NewExposure, results.PassToFail}, 1},
		{"mended", "and the other way round", refused(open), refused(asIs), false, []results.ChangeKind{results.NewlyRefused, results.Fixed}, 0},
		{"still open", "it was so before", refused(open), refused(open), false, nil, 0},
		{"excused hole", "somebody has said that it may be so", refused(asIs), refused(excusedOpen), false,
			[]results.ChangeKind{results.NewlyAccepted, results.NewExposure}, 0},
		{"an excuse appears", "the server is no better", refused(open), refused(excusedOpen), false, []results.ChangeKind{results.OtherChange}, 0},
		{"an excuse is taken away", "nor is it worse", refused(excusedOpen), refused(open), false, []results.ChangeKind{results.OtherChange}, 0},
		{"an excused hole is mended", "nobody gets in any more", refused(excusedOpen), refused(asIs), false,
			[]results.ChangeKind{results.NewlyRefused, results.Fixed}, 0},
		{"permitted", "somebody gets in, and may", refused(asIs), refused(in), false, []results.ChangeKind{results.NewlyAccepted}, 0},
		{"shut", "nobody gets in any more", refused(in), refused(asIs), false, []results.ChangeKind{results.NewlyRefused}, 0},
		{"locked out", "nobody gets in any more, and should", refused(in),
			refused(func(c *login.CellResult) { c.Verdict, c.WronglyRefused = login.Fail, true }), false,
			[]results.ChangeKind{results.NewlyRefused, results.PassToFail}, 1},
		{"leak", "a proof is readable", refused(asIs), refused(shows(login.ShowsVerifier, login.SecretAccount)), false,
			[]results.ChangeKind{results.NewExposure}, 1},
		{"worse leak", "a password is more than a proof", refused(shows(login.ShowsVerifier, login.SecretAccount)),
			refused(shows(login.ShowsPassword, login.SecretAccount)), false, []results.ChangeKind{results.NewExposure}, 1},
		{"a name", "is no secret", refused(asIs), refused(shows(login.ShowsIdentity, login.SecretAccount)), false,
			[]results.ChangeKind{results.OtherChange}, 0},
		{"the wrong password", "is nobody's", refused(asIs), refused(shows(login.ShowsPassword, login.SecretWrong)), false,
			[]results.ChangeKind{results.OtherChange}, 0},
		{"warning", "worse, and no failure", refused(asIs), refused(verdict(login.Warn)), false, []results.ChangeKind{results.OtherChange}, 0},
		{"fails", "what was a warning", refused(verdict(login.Warn)), refused(verdict(login.Fail)), false, []results.ChangeKind{results.PassToFail}, 1},
		{"fails at times", "nobody knows whether it did before", refused(asIs), refused(verdict(login.Fail)), true,
			[]results.ChangeKind{results.ChangeFlaky}, 0},
		{"open at times", "is open", refused(asIs), refused(open), true,
			[]results.ChangeKind{results.NewlyAccepted, results.NewExposure, results.ChangeFlaky}, 1},
		{"new", "it is as it should be", nil, refused(asIs), false, []results.ChangeKind{results.Appeared}, 0},
		{"a new hole", "whoever asked the same before would have seen it", nil, refused(open), false,
			[]results.ChangeKind{results.NewlyAccepted, results.NewExposure, results.Appeared}, 1},
		{"a new hole, excused", "somebody has said that it may be so", nil, refused(excusedOpen), false, []results.ChangeKind{results.Appeared}, 0},
		{"a new leak", "it fails for what can be read", nil, refused(func(c *login.CellResult) {
			shows(login.ShowsPassword, login.SecretAccount)(c)
			c.Verdict = login.Fail
		}), false, []results.ChangeKind{results.NewExposure, results.Appeared}, 1},
		{"readable, and may be", "the policy permits it", nil, refused(shows(login.ShowsPassword, login.SecretAccount)), false,
			[]results.ChangeKind{results.Appeared}, 0},
		{"a hole that was skipped", "it could not be tried, and stands open", refused(verdict(login.Skip)), refused(open), false,
			[]results.ChangeKind{results.NewlyAccepted, results.NewExposure, results.Appeared}, 1},
		{"gone", "nobody knows how it is", refused(asIs), nil, false, []results.ChangeKind{results.Vanished}, 0},
		{"skipped before", "it was not decided", refused(verdict(login.Skip)), refused(verdict(login.Fail)), false, []results.ChangeKind{results.Appeared}, 0},
		{"broken now", "it is not decided", refused(asIs), refused(verdict(login.Broken)), false, []results.ChangeKind{results.Vanished}, 0},
		{"never decided", "nothing is known", refused(verdict(login.Skip)), refused(verdict(login.Broken)), false, nil, 0},
		{"foretold", "is not measured", nil, refused(func(c *login.CellResult) { c.Basis = "predicted" }), false, nil, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			before, after := of(row.old), of(row.new)
			if row.flaky {
				after.Flaky = []login.Flake{{ID: cellID}}
			}
			d, err := results.Compare(results.Part{Name: "old", Report: before}, results.Part{Name: "new", Report: after})
			if err != nil {
				t.Fatal(err)
			}
			var kinds []results.ChangeKind
			for _, c := range d.Changes {
				if c.ID != cellID {
					t.Errorf("%s has not changed", c.ID)
				}
				kinds = append(kinds, c.Kinds...)
			}
			if !slices.Equal(kinds, row.kinds) || d.Status() != row.status {
				t.Errorf("%s: %v, status %d, want %v and %d", row.why, kinds, d.Status(), row.kinds, row.status)
			}
		})
	}
}

// A hole that only the later run could see may have been there before.
func TestHoleThatNobodyLookedFor(t *testing.T) {
	for _, row := range []struct {
		why      string
		old, new func(*login.Report)
		status   int
	}{
		{"both looked", func(*login.Report) {}, func(*login.Report) {}, 1},
		{"the server is found in another way", func(*login.Report) {},
			func(r *login.Report) {
				r.Selection = map[string][]string{"resolve": {"a:*:127.0.0.1"}, "baseline": {"x"}}
			}, 1},
		{"the earlier was narrowed", func(r *login.Report) { r.Selection = map[string][]string{"mechanism": {"CRAM-MD5"}} }, func(*login.Report) {}, 0},
		{"both were narrowed alike", func(r *login.Report) { r.Selection = map[string][]string{"mechanism": {"PLAIN"}} },
			func(r *login.Report) { r.Selection = map[string][]string{"mechanism": {"PLAIN"}} }, 1},
		{"the later logs in", func(*login.Report) {}, func(r *login.Report) { r.Selection = map[string][]string{"login": {"true"}} }, 0},
		{"the earlier was cut off", func(r *login.Report) { r.Complete = false }, func(*login.Report) {}, 0},
		{"another catalogue has more to ask", func(r *login.Report) { r.Catalogue = "2020.1" }, func(*login.Report) {}, 0},
	} {
		before, after := of(nil), of(refused(open))
		row.old(&before)
		row.new(&after)
		d, err := results.Compare(results.Part{Report: before}, results.Part{Report: after})
		if err != nil || d.Status() != row.status {
			t.Errorf("%s: %v, status %d, want %d", row.why, err, d.Status(), row.status)
		}
	}
}

// A deployed server is compared by what its doors offer, too: by the surest fact
// that both reports have.
func TestOffersChange(t *testing.T) {
	yes, no := true, false
	offers := func(address string, m login.MechanismResult) login.Report {
		m.Mechanism = login.UserPass
		return login.Report{Complete: true, Targets: []login.TargetResult{{Name: "mail.example.com", Kind: "remote", Doors: []login.DoorResult{
			{Protocol: login.POP3, Address: address, Transports: []login.TransportResult{
				{Transport: login.Plain, Mechanisms: []login.MechanismResult{m}}}}}}}}
	}
	for _, row := range []struct {
		why      string
		old, new login.MechanismResult
		kind     results.ChangeKind
		text     string
	}{
		{"it is on the list now", login.MechanismResult{Offered: &no}, login.MechanismResult{Offered: &yes}, results.NewlyAccepted, "offered"},
		{"it was tried this time, and was on the list both times", login.MechanismResult{Offered: &yes}, login.MechanismResult{Offered: &yes, Starts: &no}, "", ""},
		{"it is taken up though nobody lists it", login.MechanismResult{Offered: &no, Starts: &no},
			login.MechanismResult{Offered: &no, Starts: &yes}, results.NewlyAccepted, "is taken up"},
		{"a login does not end well any more", login.MechanismResult{Offered: &yes, Completes: &yes},
			login.MechanismResult{Offered: &yes, Completes: &no}, results.NewlyRefused, "does not log in"},
		{"nobody knows", login.MechanismResult{}, login.MechanismResult{}, "", ""},
	} {
		// The server has moved: its address says nothing of its doors.
		before, after := offers("192.0.2.1:110", row.old), offers("192.0.2.77:110", row.new)
		d, err := results.Compare(results.Part{Report: before}, results.Part{Report: after})
		switch {
		case err != nil || d.Status() != 0 || d.Compared != 1:
			t.Errorf("%s: %v, status %d, %d compared", row.why, err, d.Status(), d.Compared)
		case row.kind == "" && len(d.Changes) > 0, row.kind != "" && len(d.Changes) != 1:
			t.Errorf("%s: %+v", row.why, d.Changes)
		case row.kind != "":
			c := d.Changes[0]
			if c.ID != "pop3/plain/USER-PASS" || !slices.Equal(c.Kinds, []results.ChangeKind{row.kind}) || c.New.Outcome != row.text {
				t.Errorf("%s: %+v, %+v", row.why, c, c.New)
			}
		}
	}
}

// A door is found again by its port where there are several of its sort; one that
// is alone in both reports may have another port. That a door has come or gone
// takes no other away.
func TestDoorsAreFoundAgain(t *testing.T) {
	yes, first := true, 0
	behind := func(ports ...string) results.Part {
		target := login.TargetResult{Name: "mail", Kind: "remote"}
		for _, port := range ports {
			implicit := strings.HasSuffix(port, "465")
			target.Doors = append(target.Doors, login.DoorResult{Protocol: login.SMTP, Address: "[2001:db8::1]:" + port, Implicit: implicit,
				Stages: map[login.Stage]string{login.StageBanner: login.StageOK}, Transports: []login.TransportResult{
					{Transport: login.Plain, Mechanisms: []login.MechanismResult{{Mechanism: login.PLAIN, Offered: &yes}}}}})
		}
		return results.Part{Report: login.Report{Complete: true, Targets: []login.TargetResult{target}, Scenarios: []login.ScenarioResult{
			{ID: "scenario/door/hidden/smtp/" + ports[0] + "/plain", Door: &first, Verdict: login.Pass}},
			Cases: []login.CaseResult{{ID: "smtp/base/001", Verdict: login.Pass}}}}
	}
	for _, row := range []struct {
		old, new results.Part
		compared int
		gone     string
		notes    string
	}{
		{behind("20025"), behind("20026"), 3, "", "doors have other ports: smtp 20026 is compared with 20025"},
		{behind("25", "587"), behind("25", "587"), 4, "", ""},
		{behind("25", "587"), behind("25", "2525"), 3, "smtp:587/plain/PLAIN", "does not answer any more: smtp 587; answers now, and did not: smtp 2525"},
		{behind("20025", "20465"), behind("30025", "30465"), 4, "",
			"doors have other ports: smtp 30025 is compared with 20025, smtps 30465 is compared with 20465"},
		{behind("587", "465"), behind("587"), 3, "smtp:465/plain/PLAIN", "does not answer any more: smtps 465"},
		{behind("587"), behind("587", "25", "465"), 3, "", "answers now, and did not: smtp 25, smtps 465"},
	} {
		d, err := results.Compare(row.old, row.new)
		if err != nil || d.Compared != row.compared {
			t.Errorf("%v, %d of %d compared: %+v", err, d.Compared, row.compared, d.Changes)
		}
		for _, c := range d.Changes {
			if c.Kinds[0] == results.Vanished && c.ID != row.gone {
				t.Errorf("%s is gone", c.ID)
			}
		}
		if got := strings.Join(d.Notes, "; "); got != row.notes {
			t.Errorf("notes are %q, want %q", got, row.notes)
		}
	}
}

// Two reports with nothing in common say nothing, and two sorts of servers are
// not compared.
func TestNotComparable(t *testing.T) {
	before, after := of(nil), of(refused(asIs))
	before.Cells = []login.CellResult{{ID: "classic/x", Verdict: login.Pass}}
	before.Catalogue, after.Complete, after.Selection = "2025.1", false, map[string][]string{"protocol": {"smtp"}}
	d, err := results.Compare(results.Part{Name: "old", Report: before}, results.Part{Name: "new", Report: after})
	if err != nil || d.Status() != 2 || d.Totals[results.Vanished] != 1 || d.Totals[results.Appeared] != 2 {
		t.Errorf("%v, status %d, %v", err, d.Status(), d.Totals)
	}
	if notes := strings.Join(d.Notes, "; "); !strings.Contains(notes, "new is not complete") ||
		!strings.Contains(notes, "catalogues are different") || !strings.Contains(notes, "narrowed differently") {
		t.Errorf("notes are %s", notes)
	}
	before, after = of(refused(asIs)), of(refused(open))
	after.Scenarios = []login.ScenarioResult{{ID: "scenario/control/canary/first", Kind: login.KindControl, Verdict: login.Fail}}
	if d, err := results.Compare(results.Part{Report: before}, results.Part{Report: after}); err != nil || d.Status() != 2 || d.Regressions != 1 {
		t.Errorf("a control failed, and status %d, %v", d.Status(), err)
	}
	after.Targets = []login.TargetResult{{Name: "mail", Kind: "remote"}}
	_, err = results.Compare(results.Part{Name: "old", Report: before}, results.Part{Name: "new", Report: after})
	if err == nil || err.Error() != "old is about [reference] servers and new about [remote] ones: they were not asked the same" {
		t.Errorf("two sorts of servers: %v", err)
	}
}
