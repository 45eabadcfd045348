package reports

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// pageFile writes the page and says its address.
func pageFile(t *testing.T, r login.Report) string {
	t.Helper()
	return "file://" + fileWith(t, "matrix.html", written(t, "html", r, Options{}))
}

func fileWith(t *testing.T, name string, data []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// pageViews are the views of a report that has all of them, each with a text
// that is in no other.
var pageViews = []struct{ id, has string }{
	{"support", "cells here"},
	{"policy", "Pick a policy"},
	{"compliance", "both/policy/003"},
	{"experiments", "known-login / classic"},
	{"untested", "a fourth wrong password"},
	{"about", "Catalogue"},
}

// seenReport has cells to look at, and one of everything else.
func seenReport() login.Report {
	r, small := failingReport(), smallReport()
	r.Targets, r.Cases, r.Clients, r.NotTested, r.Expectations = small.Targets, small.Cases, small.Clients, small.NotTested, small.Expectations
	r.Scenarios = append(r.Scenarios, small.Scenarios[1:]...)
	for i := range r.Cases {
		r.Cases[i].Transcript = nil
	}
	r.Count()
	return r
}

const (
	holeID    = "classic/smtp/plain/PLAIN/secure/eudora/wingate/none/account"
	controlID = "scenario/control/canary/classic/smtp/plain/first"
	deepID    = "classic/smtp/plain/LOGIN/deny/probe/nt/none/account"
	support   = "#view=support&flavour=classic&protocol=smtp&setting=allow&override=none&credential=account"
)

func TestPageInBrowser(t *testing.T) {
	b := newBrowser(t)
	b.size(1400, 900)
	b.visit(pageFile(t, seenReport()))

	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, view := range pageViews {
			where := scheme + " " + view.id
			b.follow("view=" + view.id)
			if text := b.text("main"); !strings.Contains(text, view.has) {
				t.Errorf("%s: %q is not in %q", where, view.has, cut(text, 300))
			}
			if text := b.text("#proved"); !strings.Contains(text, "proved by recordings") {
				t.Errorf("%s: no share of clients proved by recordings: %q", where, text)
			}
			b.accessible(where)
		}
		for _, open := range []string{"cell=" + holeID, "case=both/policy/003", "scenario=" + controlID, "client=curl"} {
			b.follow(open)
			b.until("true", `document.getElementById('detail').open`)
			b.accessible(scheme + " with an open " + open)
		}
		b.follow(support[1:] + "&exposure=password")
		b.accessible(scheme + " with a filter set")
		b.follow(support[1:] + "&q=nobody-has-this-name")
		if text := b.text(".count"); !strings.Contains(text, "No client matches") {
			t.Errorf("nothing matches: %q", text)
		}
		b.accessible(scheme + " with zero results")
	}
	b.quiet()
}

func TestPageByKeyboard(t *testing.T) {
	b := newBrowser(t)
	b.size(1400, 900)
	b.visit(pageFile(t, seenReport()) + support)

	// To the first client by Tab, across to a mark, and into it.
	b.do(`document.querySelector('.matrix [data-col][tabindex="0"]').focus()`)
	b.keys(kb.ArrowRight, kb.ArrowDown, kb.ArrowRight, kb.ArrowDown)
	focused := evaluate[string](b, `document.activeElement.getAttribute('aria-label')`)
	if !strings.Contains(focused, "without encryption") && !strings.Contains(focused, "STARTTLS") {
		t.Fatalf("the arrows lead to %q", focused)
	}
	b.keys(kb.Enter)
	b.until("true", `document.getElementById('detail').open`)
	for _, part := range []string{"Verdict", "Expected", "Sources", "Run it again", "mailmatrix run --flavour classic"} {
		if text := b.text("#detail"); !strings.Contains(text, part) {
			t.Errorf("the dialog lacks %q: %s", part, text)
		}
	}
	if hash := evaluate[string](b, `location.hash`); !strings.HasPrefix(hash, "#cell=classic/smtp/") {
		t.Errorf("an open cell has the address %q", hash)
	}
	b.keys(kb.Escape)
	b.until("false", `document.getElementById('detail').open`)
	b.until(focused, `document.activeElement.getAttribute('aria-label')`)
	b.until("#view=support", `location.hash.split('&')[0]`)
	b.keys("3")
	b.until("Compliance", `document.activeElement.innerText`)
	b.keys(kb.ArrowRight)
	b.until("Experiments", `document.querySelector('[aria-selected=true]').innerText`)
	b.quiet()
}

func TestPageAddresses(t *testing.T) {
	b := newBrowser(t)
	address := pageFile(t, seenReport())
	for _, open := range []struct{ name, hash, has, why string }{
		{"cell", "#cell=" + holeID, "235 2.7.0 welcome", "with its transcript"},
		{"hidden cell", "#cell=" + deepID, deepID, "another database is shown at first"},
		{"case", "#case=both/policy/003@smtp", "No secret is asked for in clear", "by its key"},
		{"case by ID", "#case=both/policy/003", "No secret is asked for in clear", "as people write it"},
		{"scenario", "#scenario=" + controlID, "canary", "an experiment"},
		{"client", "#client=curl", "Told to encrypt", "what is known of it"},
	} {
		t.Run(open.name, func(t *testing.T) {
			b.t = t
			b.visit(address + open.hash)
			text := b.text("#detail")
			if !strings.Contains(strings.ToLower(text), strings.ToLower(open.has)) {
				t.Errorf("%s (%s): %q is not in %q", open.hash, open.why, open.has, cut(text, 400))
			}
		})
	}
	b.t = t
	b.visit(address + "#cell=no/such/cell")
	if open := evaluate[bool](b, `document.getElementById('detail').open`); open {
		t.Error("a cell that is not there is open")
	}
	b.quiet()
}

func TestPageFilters(t *testing.T) {
	b := newBrowser(t)
	b.visit(pageFile(t, seenReport()) + support)
	all := b.text(".count")
	b.do(`(() => { const i = document.querySelector('.search input'); i.value = 'eudora'; i.dispatchEvent(new Event('input', {bubbles: true})); })()`)
	few := b.text(".count")
	if all == few || !strings.Contains(few, "2 clients of 6") {
		t.Errorf("a filter leaves %q of %q", few, all)
	}
	rows := evaluate[[]string](b, `[...document.querySelectorAll('.matrix tbody .client')].map((e) => e.innerText)`)
	if fmt.Sprint(rows) != "[eudora eudora-7-win]" {
		t.Errorf("rows: %v", rows)
	}
	for _, option := range []string{"eudora (", "all ("} {
		if options := evaluate[string](b, `document.querySelector('.filters').innerText`); !strings.Contains(options, option) {
			t.Errorf("no count of %q in %q", option, options)
		}
	}
	b.do(`document.querySelector('input[name=setting][value=deny]').click()`)
	if said := evaluate[[]string](b, `[...document.querySelectorAll('.matrix button.mark')].filter((e) => !/no|TLS|n\/a/.test(e.innerText)).map((e) => e.title)`); len(said) > 0 {
		t.Errorf("under deny: %v", said)
	}
	if hash := evaluate[string](b, `location.hash`); !strings.Contains(hash, "setting=deny") || !strings.Contains(hash, "q=eudora") {
		t.Errorf("the address does not keep the filter: %q", hash)
	}
	b.quiet()
}

// pageWords is what the page writes for a code of the matrix in text, with the
// corner of the mark where there is one.
var pageWords = map[code]string{
	codeOK: "yes", codePassword: "leaks password", codeHash: "hash verifier", codeNo: "no", codeNoHash: "no verifier",
	codeUnavailable: "n/a", codeClosed: "no TLS", codeLacks: "lacks",
}

// TestPageAgreesWithText compares every mark of the document's clients with the
// document's matrix as the other formats have it.
func TestPageAgreesWithText(t *testing.T) {
	b := newBrowser(t)
	r := fullReport()
	b.visit(pageFile(t, r))
	compared := 0
	for _, block := range open(&r).documentMatrix().blocks {
		for _, client := range block.clients {
			for _, row := range client.rows {
				b.follow(fmt.Sprintf("view=support&flavour=classic&protocol=%s&setting=%s&override=none&credential=account", block.protocol, row.setting))
				shown := evaluate[map[string][]string](b, shownMarks(client.client))
				for i, m := range block.columns {
					for k, c := range row.entries[i] {
						compared++
						got := shown[string(m)]
						if got == nil {
							got = []string{"lacks", "lacks", "lacks"}
						}
						if got[k] != pageWords[c] {
							t.Errorf("%s %s %s %s, %s: the text has %q, the page %q", client.client, block.protocol, m, row.setting,
								login.Transports()[k], c, got[k])
						}
					}
				}
			}
		}
	}
	if compared < 150 {
		t.Errorf("only %d marks were compared", compared)
	}
	b.quiet()
}

// shownMarks reads a row: by mechanism, the words with the corners that matter.
func shownMarks(client string) string {
	return `(() => {
		const heads = [...document.querySelectorAll('.matrix .mech')].map((e) => e.innerText.split(' ')[0]);
		const row = [...document.querySelectorAll('.matrix tbody tr')].find((tr) => tr.querySelector('.client')?.innerText === ` + scripted(client) + `);
		const word = (m) => m.lastChild.textContent + (/corner-(password|verifier)/.exec(m.className)?.[1] ?? '').replace(/^(.)/, ' $1');
		return Object.fromEntries([...row.cells].slice(1).map((td, i) => [heads[i],
			td.className === 'lacking' ? ['lacks', 'lacks', 'lacks'] : [...td.querySelectorAll('.mark')].map(word)]));
	})()`
}

func TestPageTakesReportsByAddress(t *testing.T) {
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
	for _, view := range []string{"doors", "support", "policy"} {
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

func TestPageOfSeveralTargets(t *testing.T) {
	b := newBrowser(t)
	r := failingReport()
	r.Targets = append(r.Targets, login.TargetResult{Name: "server B", Kind: "reference"})
	for _, c := range r.Cells {
		if c.Profile == "eudora" {
			c.Target, c.Verdict, c.Reason = 1, login.Pass, "as seen there"
			r.Cells = append(r.Cells, c)
		}
	}
	r.Count()
	b.visit(pageFile(t, r) + support)
	few := evaluate[int](b, `document.querySelectorAll('.matrix tbody .client').length`)
	b.do(`(() => { const s = [...document.querySelectorAll('.switches select')].find((s) => s.querySelector('[value=all]')); s.value = 'all'; s.dispatchEvent(new Event('change')); })()`)
	if beside := evaluate[int](b, `document.querySelectorAll('.matrix tbody .client').length`); beside != few+1 {
		t.Errorf("side by side: %d rows, and %d of the first target", beside, few)
	}
	b.accessible("side by side")
	b.follow("cell=" + holeID + "@server B")
	if text := b.text("#detail"); !strings.Contains(text, "as seen there") {
		t.Errorf("the cell of the second target: %q", cut(text, 300))
	}
	b.quiet()
}

// TestPagePictures keeps what people are to look at.
func TestPagePictures(t *testing.T) {
	b := newBrowser(t)
	b.visit(pageFile(t, seenReport()))
	for _, width := range []int64{1400, 900, 390} {
		b.size(width, 900)
		for _, scheme := range []string{"light", "dark"} {
			b.scheme(scheme)
			for _, view := range pageViews {
				b.follow("view=" + view.id)
				if wide := evaluate[int64](b, `document.documentElement.scrollWidth`); wide > width {
					t.Errorf("%s at %d: the page itself scrolls sideways, %d wide", view.id, width, wide)
				}
				b.picture(fmt.Sprintf("%s-%d-%s", view.id, width, scheme))
			}
			b.follow("cell=" + holeID)
			b.picture(fmt.Sprintf("cell-%d-%s", width, scheme))
		}
	}
	b.quiet()
}
