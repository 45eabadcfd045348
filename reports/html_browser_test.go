package reports

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	tab "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium is Debian's, of the package of that name.
const chromium = "/usr/bin/chromium"

// browser is a tab in which the page is looked at as people do.
type browser struct {
	t   *testing.T
	ctx context.Context
	axe string

	mu      sync.Mutex
	asked   []string // addresses that were asked for
	console []string // what went wrong in the page
}

// newBrowser starts one, or skips the test where there is none.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	if _, err := os.Stat(chromium); err != nil {
		if os.Getenv("MAILMATRIX_INTEROP") == "required" {
			t.Fatalf("%s is missing: apt-get install chromium", chromium)
		}
		t.Skipf("%s is missing: apt-get install chromium", chromium)
	}
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("headless", "new"), chromedp.Flag("hide-scrollbars", true))...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := &browser{t: t, ctx: ctx, axe: string(axe)}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	// When the first mark of the matrix is painted, by the page's own clock.
	b.inEveryPage(`new MutationObserver((_, o) => {
		if (!document.querySelector('.box button')) return;
		o.disconnect();
		requestAnimationFrame(() => setTimeout(() => { window.paintedAt = performance.now(); }));
	}).observe(document, {childList: true, subtree: true});`)
	return b
}

// hear keeps what must not happen.
func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.console = append(b.console, e.ExceptionDetails.Text+" "+e.ExceptionDetails.Exception.Description)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			b.console = append(b.console, "console.error")
		}
	}
}

func (b *browser) inEveryPage(source string) {
	b.t.Helper()
	params := tab.AddScriptToEvaluateOnNewDocumentParams{Source: source}
	if _, err := chromedp.Call(b.ctx, tab.AddScriptToEvaluateOnNewDocument, params); err != nil {
		b.t.Fatal(err)
	}
}

// visit opens an address as if it had been typed.
func (b *browser) visit(address string) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(address)); err != nil {
		b.t.Fatal(err)
	}
	b.until("true", `!!document.querySelector('[role=tab][aria-selected=true]') || !!document.querySelector('[role=alert]')`)
}

// follow changes the part behind "#", as a link does.
func (b *browser) follow(hash string) {
	b.t.Helper()
	b.do(`location.hash = ` + scripted(hash))
	// The event comes before the timer.
	b.do(`new Promise((done) => setTimeout(done))`)
}

func scripted(text string) string {
	written, _ := json.Marshal(text) // a string has a form
	return string(written)
}

// do runs a script and waits for the promise that it may be.
func (b *browser) do(script string) {
	b.t.Helper()
	evaluate[any](b, script)
}

func evaluate[T any](b *browser, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", cut(script, 200), err)
	}
	return v
}

// text is what is written where the selector points, "" if that is nowhere.
func (b *browser) text(selector string) string {
	b.t.Helper()
	return evaluate[string](b, `document.querySelector(`+scripted(selector)+`)?.innerText || ''`)
}

// until waits for what a script says, at most for some seconds.
func (b *browser) until(want, script string) {
	b.t.Helper()
	got := evaluate[string](b, `(async () => {
		const end = performance.now() + 8000;
		for (;;) {
			const got = String(`+script+`);
			if (got === `+scripted(want)+` || performance.now() > end) return got;
			await new Promise((next) => setTimeout(next, 10));
		}
	})()`)
	if got != want {
		b.t.Fatalf("%s is %q, not %q", script, got, want)
	}
}

func (b *browser) keys(keys ...string) {
	b.t.Helper()
	for _, k := range keys {
		if err := chromedp.Do(b.ctx, chromedp.KeyEvent(k)); err != nil {
			b.t.Fatal(err)
		}
	}
}

// scheme is what the system asks for: "light" or "dark".
func (b *browser) scheme(name string) {
	b.t.Helper()
	b.media("screen", name)
}

func (b *browser) media(kind, scheme string) {
	b.t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: kind, Features: features}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) size(width, height int64) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height)); err != nil {
		b.t.Fatal(err)
	}
}

// picture keeps a screenshot among the artefacts.
func (b *browser) picture(name string) {
	b.t.Helper()
	folder := os.Getenv("MAILMATRIX_ARTEFACTS")
	if folder == "" {
		folder = b.t.ArtifactDir()
	}
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), shot, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// accessible runs axe over what is seen, by the rules of WCAG 2.2 A and AA and
// axe's own good practice.
func (b *browser) accessible(where string) {
	b.t.Helper()
	b.do(`window.axe ? 0 : (() => {` + b.axe + `})()`)
	found := evaluate[[]string](b, `axe.run(document, {resultTypes: ['violations']}).then((r) =>
		r.violations.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + n.failureSummary).join(' | ')))`)
	for _, violation := range found {
		b.t.Errorf("%s: axe: %s", where, violation)
	}
}

// quiet reports whatever the page complained of, or asked for from elsewhere.
func (b *browser) quiet(allowed ...string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, said := range b.console {
		b.t.Errorf("the page says: %s", said)
	}
	for _, address := range b.asked {
		ours := strings.HasPrefix(address, "file:///") || address == "about:blank"
		for _, prefix := range allowed {
			ours = ours || strings.HasPrefix(address, prefix)
		}
		if !ours {
			b.t.Errorf("the page asked for %s", address)
		}
	}
}
