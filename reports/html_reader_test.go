package reports

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	tab "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// choose puts a file where the page asks for one.
func (b *browser) choose(selector, file string) {
	b.t.Helper()
	root, err := chromedp.Call(b.ctx, dom.GetDocument, dom.GetDocumentParams{})
	if err != nil {
		b.t.Fatal(err)
	}
	found, err := chromedp.Call(b.ctx, dom.QuerySelector, dom.QuerySelectorParams{NodeID: root.Root.NodeID, Selector: selector})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{file}, NodeID: found.NodeID}); err != nil {
		b.t.Fatal(err)
	}
}

func TestPageOpensAReport(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	b.visit(pageFile(t, emptyReport()))
	b.choose("#file", fileWith(t, "report.json", written(t, "json", seenReport(), Options{})))
	b.until("true", `document.querySelectorAll('.matrix .mark').length > 0`)
	b.follow("cell=" + holeID)
	if text := b.text("#detail"); !strings.Contains(text, "235 2.7.0 welcome") {
		t.Errorf("the report in a file: %q", cut(text, 300))
	}
	if title := evaluate[string](b, `document.title`); title != "reference - mailmatrix" {
		t.Errorf("the title is of the report before: %q", title)
	}
	for name, c := range map[string]struct{ data, says string }{
		"other.json": {`{"schema": "other/1"}`, "the schema mailmatrix/1"}, "notes.txt": {"dear diary", "JSON"}, "null.json": {"null", "the schema mailmatrix/1"},
		"later.json": {`{"schema": "mailmatrix/10", "cells": []}`, "the schema mailmatrix/1"}, "bare.json": {`{"schema": "mailmatrix/1"}`, "it has no targets"},
	} {
		b.follow("view=about&before=" + name)
		b.choose("#file", fileWith(t, name, []byte(c.data)))
		b.until("true", `!!document.querySelector('[role=alert]')`)
		if text := b.text("[role=alert]"); !strings.Contains(text, "cannot be shown") || !strings.Contains(text, c.says) {
			t.Errorf("%s: %q lacks %q", name, text, c.says)
		}
		if text := b.text("#view"); !strings.Contains(text, "Catalogue") {
			t.Errorf("%s: what was open is gone: %q", name, cut(text, 200))
		}
	}
	b.accessible("beside what cannot be shown")

	// Under a policy clients make their own choice; what only the probe tries is
	// not in their way.
	b.choose("#file", fileWith(t, "policy.json", written(t, "json", policyReport(), Options{})))
	b.until("true", `document.querySelectorAll('.matrix .mech').length === 1`)
	for _, c := range []struct{ q, mechanism, probe string }{{"", "own choice", "false"}, {"&q=probe", "PLAIN", "true"}} {
		b.follow("view=support&flavour=classic&protocol=smtp&setting=policy&override=none&credential=account" + c.q)
		if got, probe := b.text(".mech"), evaluate[string](b, `String([...document.querySelectorAll('.matrix .client')].some((e) => e.innerText === 'the probe'))`); got != c.mechanism || probe != c.probe {
			t.Errorf("under a policy %q begins with %q, and the probe is there: %s", c.q, got, probe)
		}
	}

	// What a server says is seen as it is, wherever it stands.
	b.choose("#file", fileWith(t, "hostile.json", written(t, "json", hostileReport(), Options{})))
	b.until("true", `document.title.includes('evil')`)
	for _, view := range []string{"view=findings", "view=compliance", "view=untested", "view=about", "cell=" + hostileReport().Cells[0].ID} {
		b.follow(view)
		if raw := evaluate[int](b, `(document.title + document.documentElement.outerHTML.replace(/<script.*?<\/script>/gs, '')).search(/[\0-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/)`); raw >= 0 {
			t.Errorf("%s: an unseen character is in the page, at %d", view, raw)
		}
	}
	if text := b.text("#detail"); !strings.Contains(text, `\u202e`) || !strings.Contains(text, `\u001b[31m`) {
		t.Errorf("what was said is not told: %q", cut(text, 400))
	}
	b.quiet()
}

// TestPageThemes: the button wins over the system, and is remembered.
func TestPageThemes(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	address := pageFile(t, seenReport())
	b.visit(address)
	paper := func() string { return evaluate[string](b, `getComputedStyle(document.body).backgroundColor`) }
	b.scheme("light")
	light := paper()
	b.scheme("dark")
	dark := paper()
	if light == dark {
		t.Errorf("the system's scheme changes nothing: %s", light)
	}
	for _, step := range []struct{ label, paper string }{{"Theme: light", light}, {"Theme: dark", dark}, {"Theme: auto", dark}, {"Theme: light", light}} {
		b.do(`document.getElementById('theme').click()`)
		if text := b.text("#theme"); text != step.label || paper() != step.paper {
			t.Errorf("%q with %s, not %q with %s", text, paper(), step.label, step.paper)
		}
		b.accessible(step.label)
	}
	b.visit(address + "#view=about")
	if text := b.text("#theme"); text != "Theme: light" || paper() != light {
		t.Errorf("it is forgotten: %q with %s", text, paper())
	}
	b.quiet()
}

// TestPagePrinted: on paper nothing is cut off, and all rows are there.
func TestPagePrinted(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	r := everyClient()
	r.Cases, r.Clients = seenReport().Cases, seenReport().Clients
	r.Count()
	const paperWidth = 1047 // A4 landscape less its margins
	b.size(paperWidth, 700)
	b.visit(pageFile(t, r))
	clients := evaluate[int](b, `Number(document.querySelector('.count').innerText.split(' ')[0])`)
	b.do(`document.getElementById('theme').click(); document.getElementById('theme').click()`)
	for _, view := range []string{"support", "policy", "compliance", "about"} {
		b.media("screen", "dark")
		b.follow("view=" + view)
		b.media("print", "dark")
		b.do(`window.dispatchEvent(new Event('beforeprint'))`)
		if wide := evaluate[int](b, `Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll('main *')].map((e) => Math.ceil(e.getBoundingClientRect().right)))`); wide > paperWidth {
			t.Errorf("%s: %d wide on a paper of %d", view, wide, paperWidth)
		}
		if cut := evaluate[[]string](b, `[...document.querySelectorAll('.box, .scroll')].filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1).map((e) => e.className)`); len(cut) > 0 {
			t.Errorf("%s: cut off: %v", view, cut)
		}
		if view == "support" {
			if rows := evaluate[int](b, `document.querySelectorAll('.matrix tbody .client').length`); rows != clients || rows < 40 {
				t.Errorf("%d rows of %d clients", rows, clients)
			}
		}
		if ink := evaluate[string](b, `getComputedStyle(document.body).backgroundColor`); ink != "rgb(255, 255, 255)" {
			t.Errorf("%s: a dark page is printed on %s", view, ink)
		}
		b.picture("print-" + view)
	}
	b.follow("cell=" + r.Cells[0].ID)
	if shown := evaluate[[]string](b, `[...document.querySelectorAll('main, .top, .command button, .close')].filter((e) => e.checkVisibility()).map((e) => e.className || e.tagName)`); len(shown) > 0 {
		t.Errorf("beside an open result %q is printed", shown)
	}
	if text := b.text("#detail"); !strings.Contains(text, "Run it again") {
		t.Errorf("an open result is not printed: %q", text)
	}
	paper, err := chromedp.Call(b.ctx, tab.PrintToPDF, tab.PrintToPDFParams{PreferCSSPageSize: new(true)})
	if err != nil || len(paper.Data) == 0 {
		t.Errorf("it is not printed: %v", err)
	}
	b.quiet()
}

// TestPageRows: a row says of which client it is, of which release, and how it
// is set.
func TestPageRows(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	r := fullReport()
	r.Clients = []login.ClientDescription{{Profile: "eudora", Title: "Qualcomm Eudora", Family: "qualcomm", Version: "7.1"}}
	for _, c := range r.Cells {
		if c.Profile == "eudora" {
			c.Variant, c.ID = "relay", strings.Replace(c.ID, "/eudora/", "/eudora+relay/", 1)
			r.Cells = append(r.Cells, c)
		}
	}
	r.Lacks = []login.Lack{{Profile: "eudora", Protocol: login.SMTP, Mechanism: login.LOGIN}, {Profile: "outlook", Protocol: login.SMTP, Mechanism: login.PLAIN}}
	r.Selection = map[string][]string{"profile": {"eudora", "outlook"}, "expect": {"known.yaml"}}
	r.Count()
	b.visit(pageFile(t, r) + support)
	if head := b.text(".verdict"); !strings.HasSuffix(head, "Narrowed to profile eudora, outlook") {
		t.Errorf("what it was narrowed to: %q", head)
	}
	// What nobody says that the client lacks was not run.
	for _, c := range []struct{ client, mechanism, says string }{{"Qualcomm Eudora", "LOGIN", "– lacks"}, {"outlook", "PLAIN", "– lacks"}, {"outlook", "LOGIN", "not run"}} {
		if got := strings.Join(evaluate[map[string][]string](b, shownMarks(c.client))[c.mechanism], ""); got != c.says {
			t.Errorf("%s, %s: %q, not %q", c.client, c.mechanism, got, c.says)
		}
	}
	rows := evaluate[[]string](b, `[...document.querySelectorAll('.matrix tbody .who')].map((e) => [...e.children].map((c) => c.textContent).join(': '))`)
	for _, c := range []struct{ row, why string }{
		{"Qualcomm Eudora: qualcomm 7.1, as installed", "as the report tells"},
		{"Qualcomm Eudora: qualcomm 7.1, relay", "its other state"},
		{"eudora-7-win: eudora, as installed", "the name that it shares, where nothing is told"},
	} {
		if !slices.Contains(rows, c.row) {
			t.Errorf("%q is missing (%s) in %q", c.row, c.why, rows)
		}
	}
	if at := slices.Index(rows, "Qualcomm Eudora: qualcomm 7.1, relay"); at < 1 || !strings.HasSuffix(rows[at-1], "7.1, as installed") {
		t.Errorf("as it is installed comes first: %q", rows)
	}
	if menu := b.text(".filters"); !strings.Contains(menu, "qualcomm (") {
		t.Errorf("no family to filter by: %q", menu)
	}
	b.quiet()
}
