package reports

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestPageTakesReportsByAddress(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	files := http.NewServeMux()
	body := func(format string, r login.Report) http.HandlerFunc {
		text := written(t, format, r, Options{})
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) }
	}
	files.HandleFunc("/matrix.html", body("html", emptyReport()))
	files.HandleFunc("/other.json", body("json", seenReport()))
	site := httptest.NewServer(files)
	defer site.Close()
	b.visit(site.URL + "/matrix.html?data=other.json#cell=" + holeID)
	if text := b.text("#detail"); !strings.Contains(text, "235 2.7.0 welcome") {
		t.Errorf("the report at an address: %q", cut(text, 300))
	}
	b.visit(site.URL + "/matrix.html?data=http://192.0.2.1/other.json")
	if text := b.text("[role=alert]"); !strings.Contains(text, "cannot be shown") {
		t.Errorf("a report from elsewhere: %q", text)
	}
	b.quiet(site.URL)
}

func TestPageOfACheck(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	b.size(1400, 900)
	r := probedReport()
	b.visit(pageFile(t, r) + "#cell=" + r.Cells[0].ID)
	asked := pageReportOf(r).Commands[0]
	if command := evaluate[string](b, `document.querySelector('.command code').textContent.trim()`); command != asked || !strings.HasSuffix(asked, " --policy modern.yaml") {
		t.Errorf("it is run again by %q, and was asked by %q", command, asked)
	}
	b.visit(pageFile(t, r))
	if text := b.text("main"); !strings.Contains(text, "192.0.2.192:587") && !strings.Contains(text, ":587") {
		t.Errorf("the doors come first: %q", cut(text, 300))
	}
	if text := b.text(".problems"); !strings.Contains(text, "port 587 logs in with LOGIN inside TLS") || !strings.Contains(text, "Fix, Postfix: smtpd_sasl_mechanism_filter") {
		t.Errorf("what is wrong, and the fix, come first: %q", cut(text, 300))
	}
	if all := causes(&r); evaluate[int](b, `document.querySelectorAll('.problems li').length`) != len(all) {
		t.Errorf("not the %d findings of the text: %q", len(all), b.text(".problems"))
	}
	if head, fails := b.text(".verdict"), strings.Fields(checkTally(&r)[0])[0]; !strings.Contains(head, fails+" failed") {
		t.Errorf("the text counts %s, and not %q", fails, head)
	}
	if head := b.text(".verdict"); !strings.Contains(head, "Asked with policy modern.yaml") {
		t.Errorf("how it was asked: %q", head)
	}
	b.do(`[...document.querySelectorAll('.verdict a')].find((a) => a.innerText.includes('failed')).click()`)
	b.until("Findings", `document.querySelector('[aria-selected=true]').innerText`)
	if text := b.text(".results"); !strings.Contains(text, "port 465 offers CRAM-MD5") || strings.Contains(text, "warn") {
		t.Errorf("a count leads to what it counts: %q", cut(text, 300))
	}
	for _, view := range []string{"doors", "support", "policy", "findings"} {
		b.follow("view=" + view)
		b.accessible("check " + view)
		b.picture("check-" + view)
		b.size(390, 900)
		if cut := evaluate[int](b, `Math.max(...[...document.querySelectorAll('main > * > *, .door > *')].map((e) => Math.ceil(e.getBoundingClientRect().right)))`); cut > 390 {
			t.Errorf("%s: cut off at the right: %d wide", view, cut)
		}
		b.picture("check-" + view + "-390")
		b.size(1400, 900)
	}
	b.quiet()
}

// TestPageOfSeveralTargets: a second server like ours, and one in service, which
// has neither our flavour nor our settings.
func TestPageOfSeveralTargets(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	r := failingReport()
	r.Targets = append(r.Targets, login.TargetResult{Name: "server B", Kind: "reference"}, login.TargetResult{Name: "server C", Kind: "remote"})
	for _, c := range r.Cells {
		if c.Profile != "eudora" {
			continue
		}
		c.Target, c.Verdict, c.Reason = 1, login.Pass, "as seen there"
		r.Cells = append(r.Cells, c)
		if c.Flavour == login.Classic && c.Setting == login.Allow && c.Database == login.WinGate && c.Override == login.NoOverride && c.Credential == login.WithAccount {
			c.Target, c.Flavour, c.Setting = 2, "remote", login.Unknown
			c.ID = idOf(c)
			r.Cells = append(r.Cells, c)
		}
	}
	second, third := r.Scenarios[0], r.Scenarios[0]
	second.Target, second.Reason = 1, "as seen there"
	third.Target, third.Verdict, third.Reason = 2, login.Fail, "not there"
	r.Scenarios = append(r.Scenarios, second, third)
	r.Cases = []login.CaseResult{
		{ID: "both/policy/003", Level: login.Must, Target: 0, Verdict: login.Pass, Reason: "as seen here"}, {ID: "both/policy/003", Level: login.Must, Target: 2, Verdict: login.Pass, Reason: "as seen there"},
	}
	r.Count()
	b.visit(pageFile(t, r) + support)
	few := evaluate[int](b, `document.querySelectorAll('.matrix tbody .client').length`)
	beside := func(target string) {
		b.do(`(() => { const s = [...document.querySelectorAll('.switches select')].find((s) => s.querySelector('[value=all]')); s.value = ` + scripted(target) + `; s.dispatchEvent(new Event('change')); })()`)
	}
	beside("all")
	rows := evaluate[[]string](b, `[...document.querySelectorAll('.matrix tbody .who')].map((e) => e.innerText.replace(/\s+/g, ' '))`)
	if shown := strings.Join(rows, "; "); len(rows) != few+2 || !strings.Contains(shown, "eudora server B,") || !strings.Contains(shown, "eudora server C as it is,") {
		t.Errorf("side by side: %d rows, and %d of the first target: %s", len(rows), few, shown)
	}
	b.accessible("side by side")
	beside("2")
	if text := b.text(".count"); !strings.HasPrefix(text, "1 client,") {
		t.Errorf("a server in service: %q", text)
	}
	if hash, switches := evaluate[string](b, `location.hash`), b.text(".switches"); !strings.Contains(hash, "target=2&flavour=remote&protocol=smtp&setting=unknown") || strings.Contains(switches, "deny") {
		t.Errorf("a server in service has its own slice: %q, %q", hash, switches)
	}
	for hash, says := range map[string]string{
		"cell=" + holeID + "@server B": "as seen there", "case=both/policy/003@server C": "as seen there", "case=both/policy/003": "as seen here",
		"scenario=" + r.Scenarios[0].ID + "@server B": "as seen there", "scenario=" + r.Scenarios[0].ID + "@server C": "not there",
	} {
		b.follow(hash)
		if text := b.text("#detail"); !strings.Contains(text, says) {
			t.Errorf("%s: %q", hash, cut(text, 300))
		}
		b.until("#"+strings.ReplaceAll(hash, " ", "%20"), `location.hash`)
	}
	b.follow("view=experiments&side=server C")
	if text := b.text(".results"); b.text(".count") != fmt.Sprintf("1 of %d experiments", len(r.Scenarios)) || !strings.Contains(text, "server C") {
		t.Errorf("the experiments of one server: %q: %q", b.text(".count"), cut(text, 300))
	}
	b.quiet()
}
