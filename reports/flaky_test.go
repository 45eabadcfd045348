package reports

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// What differs between repetitions is named, of a run as of a check, by whoever
// reads it.
func TestFlaky(t *testing.T) {
	for name, report := range map[string]func() login.Report{"run": smallReport, "check": conformingReport} {
		r := report()
		for i := range 12 {
			r.Flaky = append(r.Flaky, login.Flake{ID: fmt.Sprintf("smtp/x/%d@smtp", i), Verdicts: map[login.Verdict]int{login.Fail: 1, login.Pass: 4}})
		}
		for _, c := range []struct {
			format      string
			verbose     bool
			says, never string
		}{
			{"text", false, "\n *  smtp/x/2@smtp: 4 pass, 1 fail\n 9 more: -v\n", "smtp/x/3@"},
			{"text", true, "\n *  smtp/x/11@smtp: 4 pass, 1 fail\n", "9 more"},
			{"markdown", false, "\n- smtp/x/9@smtp: 4 pass, 1 fail\n- ... and 2 more", "smtp/x/10@"},
		} {
			out := string(written(t, c.format, r, Options{Verbose: c.verbose}))
			if !strings.Contains(out, c.says) || strings.Contains(out, c.never) {
				t.Errorf("%s as %s, verbose %v: no %q, or %q, in\n%s", name, c.format, c.verbose, c.says, c.never, out)
			}
			if !strings.Contains(out, "12 of ") {
				t.Errorf("%s as %s: nobody counts them", name, c.format)
			}
		}
	}
}

// Of a check, no ID of a cell is on the screen.
func TestFlakyCellsHaveTitles(t *testing.T) {
	r := checkReport()
	for _, c := range r.Cells {
		if c.Profile == "outlook-2016" && c.Protocol == login.POP3 && c.Transport == login.TLS {
			r.Flaky = []login.Flake{{ID: c.ID, Verdicts: map[login.Verdict]int{login.Pass: 1, login.Fail: 2}}}
		}
	}
	if got, want := flaky(&r), "Outlook 2016 (outlook-2016) over POP3, TLS (465, 995): 1 pass, 2 fail"; len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
}
