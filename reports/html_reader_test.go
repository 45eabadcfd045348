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
	b := newBrowser(t)
	b.visit(pageFile(t, emptyReport()))
	b.choose("#file", fileWith(t, "report.json", written(t, "json", seenReport(), Options{})))
	b.until("true", `document.querySelectorAll('.matrix .mark').length > 0`)
	b.follow("cell=" + holeID)
	if text := b.text("#detail"); !strings.Contains(text, "235 2.7.0 welcome") {
		t.Errorf("the report in a file: %q", cut(text, 300))
	}
	b.follow("view=about")
	for name, data := range map[string]string{"other.json": `{"schema": "other/1"}`, "notes.txt": "dear diary"} {
		b.choose("#file", fileWith(t, name, []byte(data)))
		b.until("true", `!!document.querySelector('[role=alert]')`)
		if text := b.text("[role=alert]"); !strings.Contains(text, "cannot be shown") {
			t.Errorf("%s: %q", name, text)
		}
		b.follow("view=about&again=" + name)
	}
	b.quiet()
}

// TestPageThemes: the button wins over the system, and is remembered.
func TestPageThemes(t *testing.T) {
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
	paper, err := chromedp.Call(b.ctx, tab.PrintToPDF, tab.PrintToPDFParams{PreferCSSPageSize: new(true)})
	if err != nil || len(paper.Data) == 0 {
		t.Errorf("it is not printed: %v", err)
	}
	b.quiet()
}

// TestPageRows: a row says of which client it is, of which release, and how it
// is set.
func TestPageRows(t *testing.T) {
	b := newBrowser(t)
	r := fullReport()
	r.Clients = []login.ClientDescription{{Profile: "eudora", Title: "Qualcomm Eudora", Family: "qualcomm", Version: "7.1"}}
	for _, c := range r.Cells {
		if c.Profile == "eudora" {
			c.Variant, c.ID = "relay", strings.Replace(c.ID, "/eudora/", "/eudora+relay/", 1)
			r.Cells = append(r.Cells, c)
		}
	}
	r.Count()
	b.visit(pageFile(t, r) + support)
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
