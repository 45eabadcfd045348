package harness_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

func TestSelectCases(t *testing.T) {
	say := []script.Step{script.Open(), script.Say("X").Pass("500")}
	look := []script.Step{script.Open()}
	all := []script.Case{
		{ID: "smtp/auth/001", Level: login.Must, Refs: []string{"RFC 4954 4", "RFC 4422 3.1"}, Steps: look},
		{ID: "smtp/auth/010", Level: login.Should, Refs: []string{"RFC 4954 4.1"}, Steps: say},
		{ID: "smtp/authx/001", Level: login.May, Refs: []string{"RFC 49541 4"}, Steps: say},
		{ID: "sasl/gen/001", Level: login.Practice, Refs: []string{"CVE-2011-0411"}, Steps: say},
	}
	for selection, want := range map[string]string{
		"smtp/auth/001":               "smtp/auth/001",
		"SMTP/AUTH/001":               "smtp/auth/001",
		"smtp/auth/*":                 "smtp/auth/001 smtp/auth/010",
		"*/*/001":                     "smtp/auth/001 smtp/authx/001 sasl/gen/001",
		"smtp/auth":                   "smtp/auth/001 smtp/auth/010",
		"smtp":                        "smtp/auth/001 smtp/auth/010 smtp/authx/001",
		"must":                        "smtp/auth/001",
		"practice":                    "sasl/gen/001",
		"rfc4954":                     "smtp/auth/001 smtp/auth/010",
		"rfc4954/4":                   "smtp/auth/001 smtp/auth/010",
		"rfc4954/4.1":                 "smtp/auth/010",
		"rfc4422/3":                   "smtp/auth/001",
		"CVE-2011-0411":               "sasl/gen/001",
		"cost=0":                      "smtp/auth/001",
		"smtp+SHOULD":                 "smtp/auth/010",
		"rfc4954 + cost=0, sasl":      "smtp/auth/001 sasl/gen/001",
		"smtp/auth/010,smtp/auth/001": "smtp/auth/001 smtp/auth/010",
	} {
		got, err := harness.SelectCases(all, strings.Split(selection, ","))
		if err != nil {
			t.Errorf("%s: %v", selection, err)
			continue
		}
		var ids []string
		for _, c := range got {
			ids = append(ids, c.ID)
		}
		if strings.Join(ids, " ") != want {
			t.Errorf("%s selects %v, want %s", selection, ids, want)
		}
	}
	for _, selection := range []string{"", "nosuch", "rfc49", "smtp/auth/[", "smtp/auth/001+nosuch", "cost=1"} {
		if got, err := harness.SelectCases(all, []string{selection}); err == nil {
			t.Errorf("%q selects %v", selection, got)
		}
	}
}

// Cases alone are run alone, with the controls; whatever else narrows the
// matrix leaves them out, unless they are named.
func TestCasesInAPlan(t *testing.T) {
	count := func(g harness.Grid) (cells, cases, scenarios int) {
		t.Helper()
		p := plan(t, g)
		for _, j := range p.Jobs {
			switch {
			case j.Case != nil:
				cases++
			case j.Scenario != nil:
				scenarios++
			default:
				cells++
			}
		}
		return cells, cases, scenarios
	}
	if cells, cases, _ := count(harness.Grid{Cases: []string{"smtp/auth/003"}}); cells != 0 || cases != 1 {
		t.Errorf("one case named: %d cells, %d cases", cells, cases)
	}
	if cells, cases, _ := count(harness.Grid{Profiles: []string{"eudora"}}); cells == 0 || cases != 0 {
		t.Errorf("a profile: %d cells, %d cases", cells, cases)
	}
	if cells, cases, _ := count(harness.Grid{Profiles: []string{"eudora"}, Cases: []string{"smtp/auth/003"}}); cells == 0 || cases != 1 {
		t.Errorf("both: %d cells, %d cases", cells, cases)
	}
	if cells, cases, _ := count(harness.Grid{}); cells == 0 || cases < 2 {
		t.Errorf("nothing narrowed: %d cells, %d cases", cells, cases)
	}
	if _, err := harness.NewPlan(harness.Grid{Catalogue: "1999.1"}); err == nil {
		t.Error("a catalogue that there never was is planned")
	}
}

// Wrong passwords come last: a server that begins to be slow has answered the
// rest by then.
func TestCheapCasesFirst(t *testing.T) {
	var costs []int
	for _, j := range plan(t, harness.Grid{Cases: []string{"*"}}).Jobs {
		if j.Case != nil {
			costs = append(costs, j.Case.Cost().Passwords)
		}
	}
	if !slices.IsSorted(costs) {
		t.Errorf("passwords judged, in the order of the plan: %v", costs)
	}
}
