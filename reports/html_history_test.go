package reports

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// pastReport is a report with what became of its target: a cell that failed once
// and now fails again, a case, and what this report has not.
func pastReport() (login.Report, login.History) {
	r := seenReport()
	h := history()
	h.Target = r.Targets[0].Name
	h.Runs[2].Facts = 412
	pass := login.Fact{Verdict: login.Pass, Outcome: "not-offered"}
	fail := login.Fact{Verdict: login.Fail, Outcome: "logged-in", Exposure: login.ShowsPassword}
	h.Changes = append([]login.FactChange{
		{ID: holeID, Before: 3, Run: 4, Was: fail, Is: pass},
		{ID: holeID, Before: 4, Run: 7, Was: pass, Is: fail},
		{ID: "both/policy/003@smtp", Before: 4, Run: 7, Was: login.Fact{Verdict: login.Fail}, Is: login.Fact{Verdict: login.Pass}},
	}, h.Changes...)
	return r, h
}

func TestPageHistory(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	b.size(1400, 900)
	r, h := pastReport()
	b.visit("file://" + fileWith(t, "matrix.html", written(t, "html", r, Options{History: []login.History{h}})) + "#view=history")
	lines := evaluate[[]string](b, `[...document.querySelectorAll('.results tbody tr')].map((e) => e.innerText.replace(/\s+/g, ' '))`)
	shown := strings.Join(lines, "\n")
	for _, want := range []string{"run 9, 2026-11-22 08:30 UTC", "run 4, 2026-11-08 08:30 UTC", "port 587 (SMTP): PLAIN without encryption", "fail, logged-in, password readable",
		"No secret is asked for in clear", "worse", "better", "other"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in\n%s", want, cut(shown, 2000))
		}
	}
	if first, last := strings.Index(shown, "run 9"), strings.Index(shown, "run 4"); first > last {
		t.Errorf("the newest does not come first:\n%s", cut(shown, 2000))
	}
	if runs := b.text(".runs"); !strings.Contains(runs, "is not listed here") {
		t.Errorf("it is silent about results that are new: %q", runs)
	}
	if runs := b.text(".runs"); !strings.Contains(runs, "catalogue 2026.2, before 2026.1") || !strings.Contains(runs, "the run was interrupted") {
		t.Errorf("the runs: %q", runs)
	}
	open := func(id string) string {
		b.do(`[...document.querySelectorAll('.results .line')].find((e) => e.innerText.includes(` + scripted(id) + `)).querySelector('button').click()`)
		text := b.text("#detail")
		b.do(`document.getElementById('detail').close()`)
		return text
	}
	for id, want := range map[string]string{
		holeID:                      "235 2.7.0 welcome", // the cell itself
		"both/policy/003@smtp":      "in run 7, 2026-11-15 08:30 UTC",
		"smtp/auth/003@smtp":        "before: fail; since: pass",
		"door/smtp/587/plain/PLAIN": "not offered",
	} {
		if text := open(id); !strings.Contains(text, want) {
			t.Errorf("%s opens %q, which lacks %q", id, cut(text, 400), want)
		}
	}
	b.until("#view=history", `location.hash`)

	b.follow("cell=" + holeID)
	for _, want := range []string{"in run 7, 2026-11-15 08:30 UTC", "before: pass, not-offered; since: fail, logged-in, password readable", "and 1 change before"} {
		if text := b.text("#detail"); !strings.Contains(text, want) {
			t.Errorf("the cell does not say %q: %q", want, cut(text, 600))
		}
	}
	b.do(`[...document.querySelectorAll('#detail button')].find((e) => e.innerText.includes('before')).click()`)
	b.until("#past="+h.Target+"/"+holeID, `location.hash`)
	b.follow("cell=" + deepID)
	if text := b.text("#detail"); !strings.Contains(text, "not in the 4 runs that were kept since 2026-11-01") {
		t.Errorf("a quiet cell: %q", cut(text, 600))
	}
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		b.follow("view=history")
		b.accessible(scheme + " history")
		for _, width := range []int64{1400, 900, 390} {
			b.size(width, 900)
			b.picture(fmt.Sprintf("history-%d-%s", width, scheme))
		}
		b.size(1400, 900)
		b.follow("past=" + h.Target + "/door/smtp/587/plain/PLAIN")
		b.accessible(scheme + " the past of a result")
	}
	b.quiet()
}

// TestPageOfAHistory: the page has nothing but the history.
func TestPageOfAHistory(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	b.size(1400, 1400)
	var page bytes.Buffer
	if err := WriteHistory(&page, history(), "html", Options{}); err != nil {
		t.Fatal(err)
	}
	b.visit("file://" + fileWith(t, "history.html", page.Bytes()))
	if tabs := b.text("#tabs"); tabs != "History" {
		t.Errorf("the tabs are %q", tabs)
	}
	if text := b.text("main"); !strings.Contains(text, "client-11: PLAIN, SMTP without encryption") || !strings.Contains(text, "15 of 15 changes") {
		t.Errorf("the history: %q", cut(text, 600))
	}
	if title := evaluate[string](b, `document.title`); title != "mail.example.test - mailmatrix" {
		t.Errorf("the title is %q", title)
	}
	b.accessible("a history alone")

	quiet := history()
	quiet.Changes = nil
	page.Reset()
	if err := WriteHistory(&page, quiet, "html", Options{}); err != nil {
		t.Fatal(err)
	}
	b.visit("file://" + fileWith(t, "history.html", page.Bytes()))
	if text := b.text("main"); !strings.Contains(text, "Nothing has changed from run to run") {
		t.Errorf("a quiet history: %q", text)
	}
	b.accessible("a quiet history")
	b.quiet()
}
