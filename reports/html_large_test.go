package reports

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// largeReport has at least so many cells, of as many clients as it takes.
func largeReport(cells int) login.Report {
	r := fullReport()
	one := r.Cells
	for _, said := range [][]string{{"S 220 mail", "C EHLO x", "S 250 AUTH PLAIN"}, {"S +OK", "C+ QUIT"}} {
		keep(&r, said...)
	}
	for copies := 1; len(r.Cells) < cells; copies++ {
		for _, c := range one {
			c.Profile = fmt.Sprintf("%s-%d", c.Profile, copies)
			c.ID = idOf(c)
			at := len(r.Cells) % 2
			c.Transcript = &at
			r.Cells = append(r.Cells, c)
		}
	}
	r.Count()
	return r
}

// TestPageOfFiftyThousandCells: what is drawn does not grow with the report. The
// times are for whoever reads the log: how busy the machine is, nobody knows.
func TestPageOfFiftyThousandCells(t *testing.T) {
	b := newBrowser(t)
	b.size(1400, 900)
	r := largeReport(50_000)
	b.visit(pageFile(t, r) + "#view=support&flavour=classic&protocol=smtp&setting=allow&override=none&credential=account")
	b.until("true", `window.paintedAt > 0`)
	paint := evaluate[float64](b, `window.paintedAt`)
	nodes := evaluate[int](b, `document.querySelectorAll('*').length`)
	filter := evaluate[float64](b, `(() => {
		const i = document.querySelector('.search input'), began = performance.now();
		i.value = 'eudora-7';
		i.dispatchEvent(new Event('input', {bubbles: true}));
		document.body.offsetHeight;
		return performance.now() - began;
	})()`)
	if text := b.text(".count"); !strings.Contains(text, count(len(r.Cells))) {
		t.Errorf("the count of cells is not told: %q", text)
	}
	t.Logf("%d cells: first paint after %.0f ms, a filter takes %.0f ms, %d elements", len(r.Cells), paint, filter, nodes)
	if nodes > 6000 {
		t.Errorf("%d elements: they grow with the report", nodes)
	}
	b.follow("view=support")
	b.do(`document.querySelector('.box').scrollTop = 4000`)
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		b.accessible(scheme + ", 50,000 cells")
	}
	last := r.Cells[len(r.Cells)-1]
	b.follow("cell=" + last.ID)
	if text := b.text("#detail"); !strings.Contains(text, last.ID) {
		t.Errorf("the last cell is not opened: %q", cut(text, 200))
	}
	b.quiet()
}

// contrast is computed by the formula of WCAG 2, on the colours that the
// browser has made: axe leaves open what is hatched.
func TestPageContrast(t *testing.T) {
	b := newBrowser(t)
	b.visit(pageFile(t, seenReport()) + "#view=about")
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, low := range evaluate[[]string](b, contrastScript) {
			t.Errorf("%s: %s", scheme, low)
		}
	}
}

const contrastScript = `(() => {
	const probe = document.body.appendChild(document.createElement('div')), low = [];
	const colour = (name) => { probe.style.color = 'var(--' + name + ')'; return getComputedStyle(probe).color.match(/[\d.]+/g).map(Number); };
	const over = (top, below) => top.length < 4 ? top : below.map((v, i) => v * (1 - top[3]) + top[i] * top[3]);
	const light = (c) => { const l = c.slice(0, 3).map((v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * l[0] + .7152 * l[1] + .0722 * l[2]; };
	const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
	const texts = ['good', 'leak', 'hash', 'no', 'fail', 'ours'].map((t) => [t + '-ink', t]);
	for (const below of ['paper', 'panel', 'raised']) for (const ink of ['ink', 'quiet', 'accent', 'good-ink', 'leak-ink']) texts.push([ink, below]);
	texts.push(['accent', 'accent-soft'], ['ink', 'accent-soft']);
	for (const [ink, below] of texts) {
		for (const back of [colour(below), over(colour('hatch'), colour(below))]) {
			const r = ratio(colour(ink), back);
			if (r < 4.5) low.push(ink + ' on ' + below + ': ' + r.toFixed(2));
		}
	}
	for (const corner of ['corner-red', 'corner-amber', 'edge']) {
		const r = ratio(colour(corner), colour('paper'));
		if (r < 3) low.push(corner + ' on paper: ' + r.toFixed(2));
	}
	probe.remove();
	return low;
})()`
