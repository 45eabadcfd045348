package reports

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/results"
)

// severalReport is our reference with two servers in service beside it.
func severalReport() login.Report {
	ours, theirs, others := smallReport(), checkReport(), conformingReport()
	others.Targets = slices.Clone(others.Targets)
	others.Targets[0].Name = "mail.other.example"
	ours.Catalogue, others.Catalogue = theirs.Catalogue, theirs.Catalogue
	r, err := results.Merge([]results.Part{{Name: "ours", Report: ours}, {Name: "theirs", Report: theirs}, {Name: "others", Report: others}})
	if err != nil {
		panic(err)
	}
	return r
}

// Each server is what its own report was, but for what is of the whole.
func TestOnlyOf(t *testing.T) {
	whole := severalReport()
	was := checkReport()
	is := onlyOf(&whole, 1)
	if is.Sum() != was.Sum() || len(is.Cells) != len(was.Cells) || len(is.NotTested) != len(was.NotTested) || is.ExitStatus() != was.ExitStatus() {
		t.Errorf("%+v, alone %+v", is.Sum(), was.Sum())
	}
	for i := range is.NotTested {
		if is.NotTested[i] != was.NotTested[i] {
			t.Errorf("not tested: %q, alone %q", is.NotTested[i], was.NotTested[i])
		}
	}
	for _, target := range []int{0, 1, 2} {
		if one := onlyOf(&whole, target); results.Sound(&one) != nil || len(one.Targets) != 1 {
			t.Errorf("target %d: %v", target, results.Sound(&one))
		}
	}
}

// Two servers on one machine have names of their own.
func TestTargetNames(t *testing.T) {
	at := func(name, address string) login.TargetResult {
		return login.TargetResult{Name: name, Doors: []login.DoorResult{{Address: address}}}
	}
	r := login.Report{Targets: []login.TargetResult{at("a", "a:25"), at("lab", "lab:2525"), at("lab", "lab:2526"), at("lab", "lab:2526")}}
	if got, want := targetNames(&r), []string{"a", "lab:2525", "lab:2526", "lab:2526 (4)"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// What is not to be had is the same, be it refused or not listed; that a server
// has no such door is not.
func TestContrasts(t *testing.T) {
	yes, no := true, false
	server := func(name string, plain login.MechanismResult) login.TargetResult {
		plain.Mechanism = login.PLAIN
		return login.TargetResult{Name: name, Kind: login.RemoteTarget, Doors: []login.DoorResult{{Protocol: login.SMTP, Address: "x:25", Transports: []login.TransportResult{
			{Transport: login.Plain, Mechanisms: []login.MechanismResult{plain, {Mechanism: login.LOGIN, Offered: &no}}}}}}}
	}
	unlisted, refused := login.MechanismResult{Offered: &no}, login.MechanismResult{Offered: &no, Starts: &no, Reply: "504"}
	for _, row := range []struct {
		why          string
		one, another login.MechanismResult
		want         []string
	}{
		{"offered by one", login.MechanismResult{Offered: &yes}, unlisted, []string{"YES / no door", "- / no door"}},
		{"refused, or not listed", refused, unlisted, nil},
	} {
		r := login.Report{Targets: []login.TargetResult{server("a", row.one), server("b", row.another)}}
		differ, same := severalOf(&r).offers()
		if len(differ) == 1 && (!slices.Equal(differ[0].values, row.want) || same != 1) || len(differ) != min(1, len(row.want)) {
			t.Errorf("%s: %+v, and %d are alike", row.why, differ, same)
		}
	}
}

// Beside our reference, a server in service is compared with nobody, and nothing is
// said to be the same: what it offers is listed.
func TestOneInServiceIsListed(t *testing.T) {
	ours, theirs := smallReport(), checkReport()
	theirs.Catalogue = ours.Catalogue
	r, err := results.Merge([]results.Part{{Name: "ours", Report: ours}, {Name: "theirs", Report: theirs}})
	if err != nil {
		t.Fatal(err)
	}
	rows, same := severalOf(&r).offers()
	var listed []string
	for _, row := range rows {
		listed = append(listed, row.what)
	}
	slices.Sort(listed)
	if want := []string{"POP3 PLAIN", "POP3 USER/PASS", "SMTP LOGIN", "SMTP PLAIN"}; same != 0 || !slices.Equal(listed, want) {
		t.Errorf("%d are the same, and these are listed: %q", same, listed)
	}
	for _, format := range []string{"text", "markdown"} {
		text := string(written(t, format, r, Options{}))
		if !strings.Contains(text, "SMTP PLAIN") || strings.Contains(text, "mechanisms: the same") {
			t.Errorf("%s:\n%s", format, text)
		}
	}
}

// However many servers there are, and whatever they are called, the screen keeps
// to its width, and at length it has the screen of each.
func TestSeveralFit(t *testing.T) {
	r := severalReport()
	for range 2 {
		r.Targets = append(r.Targets, r.Targets...)
	}
	for _, o := range []Options{{}, {Verbose: true}} {
		text := string(written(t, "text", r, o))
		for line := range strings.Lines(text) {
			if !o.Verbose && len(line) > DefaultWidth+1 {
				t.Errorf("%d characters: %s", len(line), line)
			}
		}
		if o.Verbose && strings.Count(text, "=== ") != len(r.Targets) {
			t.Errorf("%d servers at length, of %d", strings.Count(text, "=== "), len(r.Targets))
		}
	}
}

// Of several servers, each form for a machine says whose failure it is.
func TestFailuresNameTheirServer(t *testing.T) {
	r := severalReport()
	r.Cells[0].Verdict, r.Cells[0].Excused = login.Fail, "known"
	r.Count()
	for format, want := range map[string]string{
		"sarif": `"mailmatrixID/v1": "mail.example.com: scenario/door/`,
		"junit": `name="mail.example.com: scenario/door/`, "annotations": "title=fail%3A mail.example.com%3A scenario/door/",
	} {
		if text := string(written(t, format, r, Options{})); !strings.Contains(text, want) {
			t.Errorf("%s has no %q:\n%.600s", format, want, text)
		} else if !strings.Contains(text, "reference: "+r.Cells[0].ID) && format != "junit" {
			t.Errorf("%s does not say whose finding is known", format)
		}
	}
}
