package reports

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// The entries that the document's text demands, by hand.
func TestDocumentMatrix(t *testing.T) {
	want := []string{
		"pop3 outlook allow pw/--/cl -- -- hs/--/cl --",
		"pop3 outlook secure no/--/cl -- -- no/--/cl --",
		"pop3 outlook-express = outlook",
		"pop3 eudora allow pw/ok/cl hs/ok/cl hs/ok/cl -- na",
		"pop3 eudora secure no/ok/cl nh/ok/cl no/ok/cl -- na",
		"smtp outlook allow -- -- -- hs/ok/cl --",
		"smtp outlook secure -- -- -- no/ok/cl --",
		"smtp outlook-express = outlook",
		"smtp eudora allow pw/ok/cl -- hs/ok/cl -- na",
		"smtp eudora secure no/ok/cl -- no/ok/cl -- na",
	}
	if got := matrixLines(t, fullReport()); !slices.Equal(got, want) {
		t.Errorf("the matrix is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func matrixLines(t *testing.T, r login.Report) []string {
	t.Helper()
	m := open(&r).documentMatrix()
	if m == nil {
		t.Fatal("no matrix")
	}
	var lines []string
	for _, bl := range m.blocks {
		for _, c := range bl.clients {
			if c.sameAs != "" {
				lines = append(lines, string(bl.protocol)+" "+c.client+" = "+c.sameAs)
				continue
			}
			for _, row := range c.rows {
				words := []string{string(bl.protocol), c.client, row.setting.String()}
				for _, e := range row.entries {
					words = append(words, e.String())
				}
				lines = append(lines, strings.Join(words, " "))
			}
		}
	}
	return lines
}

// Every entry comes from its own cell: whatever happens there shows there.
func TestMatrixShowsTheCell(t *testing.T) {
	const id = "classic/pop3/starttls/APOP/allow/eudora/wingate/none/account"
	for _, c := range []struct {
		name string
		do   func(*login.CellResult)
		want string
	}{
		{"failed", func(c *login.CellResult) { c.Verdict = login.Fail }, "hs/!!/cl"},
		{"the wrong code is still a refusal", func(c *login.CellResult) {
			c.Verdict, c.Outcome = login.Warn, login.RefusedPolicy
		}, "hs/no/cl"},
		{"broken", func(c *login.CellResult) { c.Verdict, c.Outcome = login.Broken, login.Error }, "hs/??/cl"},
		{"skipped", func(c *login.CellResult) { c.Verdict = login.Skip }, "hs/??/cl"},
		{"only predicted", func(c *login.CellResult) { c.Basis = login.Predicted }, "hs/??/cl"},
		{"password readable", func(c *login.CellResult) { c.Exposure = login.ShowsPassword }, "hs/pw/cl"},
		{"refused and the password readable", func(c *login.CellResult) {
			c.Outcome, c.Exposure = login.RefusedPolicy, login.ShowsPassword
		}, "hs/np/cl"},
		{"rejected credentials", func(c *login.CellResult) { c.Outcome = login.RefusedCredentials }, "hs/no/cl"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := fullReport()
			i := slices.IndexFunc(r.Cells, func(c login.CellResult) bool { return c.ID == id })
			c.do(&r.Cells[i])
			line := matrixLines(t, r)[3]
			if want := "pop3 eudora allow pw/ok/cl " + c.want + " hs/ok/cl -- na"; line != want {
				t.Errorf("got  %s\nwant %s", line, want)
			}
		})
	}
}

// "= outlook" is said only of what is equal.
func TestMatrixTellsClientsApart(t *testing.T) {
	r := fullReport()
	spoil(&r, "classic/smtp/plain/NTLM/secure/outlook-express/nt/none/account",
		login.Ruling{Verdict: login.Fail, WronglyAccepted: true}, login.LoggedIn)
	lines := matrixLines(t, r)
	if want := "smtp outlook-express secure -- -- -- !!/ok/cl --"; !slices.Contains(lines, want) {
		t.Errorf("no line %q in\n%s", want, strings.Join(lines, "\n"))
	}
}

// A server that refuses everything has no mechanism "not available": where a
// login had to work, it failed.
func TestMatrixOfARefuser(t *testing.T) {
	r := fullReport()
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Outcome == login.LoggedIn {
			c.Outcome, c.Verdict = login.RefusedPolicy, login.Fail
		}
	}
	lines := matrixLines(t, r)
	if want := "smtp eudora secure no/!!/cl -- no/!!/cl -- na"; !slices.Contains(lines, want) {
		t.Errorf("no line %q in\n%s", want, strings.Join(lines, "\n"))
	}
}

func TestDenySentence(t *testing.T) {
	r := fullReport()
	good := open(&r).denied().String()
	for _, c := range []struct {
		name string
		do   func(*login.CellResult)
		want string
	}{
		{"logged in", func(c *login.CellResult) { c.Outcome = login.LoggedIn }, "1 logged in"},
		{"offered", func(c *login.CellResult) { yes := true; c.Offered = &yes }, "1 saw it offered"},
		{"asked for the secret", func(c *login.CellResult) { c.Outcome = login.RefusedCredentials }, "1 asked for the secret"},
	} {
		r := fullReport()
		i := slices.IndexFunc(r.Cells, func(c login.CellResult) bool { return c.Setting == login.Deny && c.Outcome != login.NoTLS })
		c.do(&r.Cells[i])
		if got := open(&r).denied().String(); got == good || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// Where there was no TLS, the server was asked nothing.
func TestDenyCountsWhoAsked(t *testing.T) {
	r := fullReport()
	asked := 0
	for _, c := range r.Cells {
		if c.Setting == login.Deny && c.Outcome != login.NoTLS {
			asked++
		}
	}
	if got := open(&r).denied().cells; got != asked || asked == 0 {
		t.Errorf("%d cells, want %d", got, asked)
	}
}

func TestFollowsOnlyWhatTheCellsSay(t *testing.T) {
	said := func(r login.Report) string { return strings.Join(open(&r).follows(), "\n") }
	r := fullReport()
	if got := said(r); !strings.Contains(got, "locks outlook, outlook-express and outlook-express-6 out of POP3") {
		t.Fatalf("what follows is\n%s", got)
	}
	for _, c := range []struct {
		name, gone string
		do         func(*login.Report)
	}{
		{"a narrowed run does not know every way in", "locks", func(r *login.Report) {
			r.Selection = map[string][]string{"transport": {"plain"}}
		}},
		{"nor does an interrupted one", "locks", func(r *login.Report) { r.Complete = false }},
		{"one login that shows nothing", "password of every LOGIN, PLAIN", func(r *login.Report) {
			for i := range r.Cells {
				if c := &r.Cells[i]; c.Mechanism == login.PLAIN && c.Outcome == login.LoggedIn {
					c.Exposure = login.ShowsNothing
				}
			}
		}},
		{"nobody saw the Windows user", "Windows user", func(r *login.Report) {
			for i := range r.Cells {
				r.Cells[i].Exposures = nil
			}
		}},
		{"nothing is lacking", "sources", func(r *login.Report) { r.Lacks = nil }},
		{"995 is open", "995, closed", func(r *login.Report) {
			for i := range r.Cells {
				if c := &r.Cells[i]; c.Outcome == login.NoTLS {
					c.Outcome = login.Dropped
				}
			}
		}},
	} {
		r := fullReport()
		c.do(&r)
		if got := said(r); strings.Contains(got, c.gone) {
			t.Errorf("%s, and still:\n%s", c.name, got)
		}
	}
}

// Modern lets in whom it lets in, and no more is said of the others than what
// their cells say.
func TestFollowsSaysWhoStaysOut(t *testing.T) {
	const whom = "flavour modern opens it to outlook and outlook-express: no/--/cl becomes no/--/ok (USER/PASS)."
	for _, c := range []struct {
		name string
		do   func(*login.CellResult)
		want []string
		not  string
	}{
		{"as it is", func(*login.CellResult) {},
			[]string{whom, "outlook-express-6 stays out: it has no TLS that modern speaks."}, ""},
		{"stays out for another reason", func(c *login.CellResult) {
			if c.Profile == "outlook-express-6" && c.Outcome == login.NoTLS && c.Flavour == login.Modern {
				c.Outcome = login.RefusedPolicy
			}
		}, []string{whom}, "stays out"},
		{"nobody gets in", func(c *login.CellResult) {
			if c.Flavour == login.Modern {
				c.Outcome = login.RefusedPolicy
			}
		}, []string{"they want 995, closed here."}, "modern"},
	} {
		r := fullReport()
		for i := range r.Cells {
			c.do(&r.Cells[i])
		}
		said := strings.Join(open(&r).follows(), "\n")
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, said)
			}
		}
		if c.not != "" && strings.Contains(said, c.not) {
			t.Errorf("%s, and still %q in\n%s", c.name, c.not, said)
		}
	}
}

// A leak is said, whether a cell or a scenario saw it.
func TestFollowsTellsLeaks(t *testing.T) {
	const want = "eudora-7-win shows the password even to a server that refuses the mechanism"
	for name, do := range map[string]func(*login.Report, *login.CellResult){
		"sent after the refusal": func(_ *login.Report, c *login.CellResult) {
			c.Exposures = []login.Exposure{{Class: login.ShowsPassword, When: login.AfterRefusal}}
		},
		"sent with the command": func(_ *login.Report, c *login.CellResult) {
			c.Outcome, c.Exposure = login.RefusedPolicy, login.ShowsPassword
		},
		"seen in a scenario": func(r *login.Report, c *login.CellResult) {
			r.Scenarios = append(r.Scenarios, login.ScenarioResult{
				ID:      "scenario/posture/offered-refused/eudora-7-win/smtp/plain/LOGIN",
				Profile: c.Profile, Exposure: login.ShowsPassword,
			})
		},
	} {
		r := fullReport()
		if got := open(&r).follows(); strings.Contains(strings.Join(got, "\n"), "refuses the mechanism") {
			t.Fatalf("a leak where there is none: %v", got)
		}
		i := slices.IndexFunc(r.Cells, func(c login.CellResult) bool { return c.Profile == "eudora-7-win" })
		do(&r, &r.Cells[i])
		if got := strings.Join(open(&r).follows(), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s, and unsaid:\n%s", name, got)
		}
	}
}
