package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	{"findings", "What to change"},
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
	t.Parallel()
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
	t.Parallel()
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
	for _, part := range []string{"Verdict", "Expected", "Sources", "Run it again", "mailmatrix run --only classic/"} {
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
	b.keys("4")
	b.until("Compliance", `document.activeElement.innerText`)
	b.keys(kb.ArrowRight)
	b.until("Experiments", `document.querySelector('[aria-selected=true]').innerText`)

	// The way back is the way there: from view to view, and out of a dialog.
	b.do(`history.back()`)
	b.until("Compliance", `document.querySelector('[aria-selected=true]').innerText`)
	b.do(`document.querySelector('.results .row-link').click()`)
	b.until("true", `document.getElementById('detail').open`)
	b.do(`history.back()`)
	b.until("false", `document.getElementById('detail').open`)
	b.until("#view=compliance", `location.hash`)

	// A row that is scrolled out of sight keeps the keyboard.
	b.size(1400, 500)
	b.follow(support[1:])
	b.do(`document.querySelector('.box').style.maxHeight = '80px'`)
	b.do(`document.querySelector('.matrix .client').focus()`)
	b.do(`new Promise((done) => { const box = document.querySelector('.box'); box.addEventListener('scroll', () => requestAnimationFrame(done), {once: true}); box.scrollTop = box.scrollHeight; })`)
	first := b.text(".matrix .client")
	b.until(first, `document.activeElement.innerText`)
	b.keys(kb.ArrowDown)
	b.until("false", `document.activeElement === document.body || document.activeElement.innerText === `+scripted(first))
	b.quiet()
}

func TestPageAddresses(t *testing.T) {
	t.Parallel()
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
	for _, hash := range []string{"cell=no/such/cell", "case=none", "client=nobody", "view=nothing"} {
		b.follow(hash)
		if text := b.text("#said"); text != "This report has no such result: "+hash {
			t.Errorf("#%s: the page says %q", hash, text)
		}
	}
	b.follow(strings.Replace(support[1:], "setting=allow", "setting=none", 1))
	if text := b.text("#said") + b.text(".count"); !strings.Contains(text, "the nearest") || !strings.Contains(text, "clients") {
		t.Errorf("cells that are not there: %q", text)
	}
	b.accessible("a wrong address")
	b.follow("view=about")
	if text := b.text("#said"); text != "" {
		t.Errorf("an address that is right: %q", text)
	}
	b.quiet()
}

func TestPageFilters(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	r := seenReport()
	b.visit(pageFile(t, r) + support)
	for _, share := range cases(&r) {
		if head := b.text(".verdict"); !strings.Contains(head, share+" pass") {
			t.Errorf("the text says %q, the page %q", share, head)
		}
	}
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

	// Lists count anew, too, and their address keeps what was chosen.
	b.follow("view=compliance&verdict=excused")
	if bar := strings.Join(strings.Fields(b.text(".bar")), " "); b.text(".count") != "1 of 2 cases" || !strings.Contains(bar, "SHOULD (1)") || strings.Contains(bar, "MUST") ||
		!strings.Contains(bar, "all (2) pass (1) excused (1)") {
		t.Errorf("one case of two: %q, %q", b.text(".count"), bar)
	}
	b.do(`(() => { const s = [...document.querySelectorAll('.bar select')][0]; s.value = 'smtp/auth'; s.dispatchEvent(new Event('change')); })()`)
	b.until("#view=compliance&group=smtp%2Fauth&verdict=excused", `location.hash`)
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
	t.Parallel()
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
							got = []string{"– lacks"}
						}
						if len(got) == 1 { // one word for all
							got = slices.Repeat([]string{strings.TrimPrefix(got[0], "– ")}, 3)
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
			td.className === 'lacking' ? [td.innerText] : [...td.querySelectorAll('.mark')].map(word)]));
	})()`
}

// TestPagePictures keeps what people are to look at.
func TestPagePictures(t *testing.T) {
	t.Parallel()
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
