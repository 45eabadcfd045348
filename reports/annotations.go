package reports

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(Format{
	Name: "annotations", Ext: "txt",
	About: "workflow commands that GitHub shows beside the job and the lines of --policy or --expect",
	Write: writeAnnotations,
})

// annotationsMost is how many of each level GitHub shows of a step; it drops the
// rest without a word.
const annotationsMost = 10

// levelNotice is what a CI server shows and holds against nobody.
const levelNotice = "notice"

func writeAnnotations(w io.Writer, r login.Report, o Options) error {
	var a annotations
	shown := map[string]int{}
	add := func(level, title, text string, at spot) {
		if shown[level]++; shown[level] <= annotationsMost {
			a.command(level, title, text, at)
		}
	}
	if why := incomplete(&r); why != "" {
		add(levelError, "mailmatrix: incomplete", why, spot{})
	}
	all := told(&r)
	for _, c := range all {
		add(levelOf(c.item), c.verdict.String()+": "+ascii(c.named()), annotationText(c), o.spotOf(c.item))
	}
	for _, p := range r.Expectations {
		add(levelOfEntry(p), "expectation: "+ascii(p.Pattern), ascii(p.Reason), o.spotOfEntry(p))
	}
	shown[levelNotice] = 1 // the last, which is always there
	for _, f := range findings(&r) {
		add(levelNotice, "known finding", f.String()+", such as "+ascii(f.first.named()), o.spotOf(f.first))
	}
	summary := strings.Join(annotationTally(&r, all), ", ")
	for _, level := range []string{levelError, levelWarning, levelNotice} {
		if more := shown[level] - annotationsMost; more > 0 {
			summary += "; " + of(more, "more "+level) + " not shown here"
		}
	}
	a.command(levelNotice, "mailmatrix", summary, spot{})
	_, err := io.WriteString(w, a.text.String())
	return err
}

// annotationTally is the report in a line: a job without findings says so too.
func annotationTally(r *login.Report, found []cause) []string {
	sum, is := r.Sum(), map[login.Verdict]int{}
	for _, c := range found {
		is[c.verdict]++
	}
	all := []string{of(sum.Cells, "result")}
	for _, n := range []struct {
		count int
		what  string
	}{
		{sum.Pass, "pass"},
		{is[login.Fail], "fail"},
		{is[login.Warn], "warn"},
		{sum.Skip, "skipped"},
		{is[login.Broken], "broken"},
		{is[login.Unjudged], "unjudged"},
		{sum.Excused, "excused"},
	} {
		if n.count > 0 {
			all = append(all, count(n.count)+" "+n.what)
		}
	}
	return append(all, "exit status "+strconv.Itoa(r.ExitStatus()))
}

// annotationText is the reason, which other results have it, what to change, and how
// the conversation ended.
func annotationText(it cause) string {
	lines := []string{ascii(it.reason)}
	if len(it.ids) > 1 {
		lines = append(lines, "the same: "+ascii(strings.Join(it.ids[1:], ", ")))
	}
	if it.advice != nil {
		for _, fix := range it.advice.Fix {
			lines = append(lines, "fix: "+ascii(fix))
		}
	}
	lines = append(lines, it.transcript[max(len(it.transcript)-lastLines, 0):]...)
	if len(it.refs) > 0 {
		lines = append(lines, "see "+ascii(joined(it.refs)))
	}
	return strings.Join(lines, "\n")
}

// annotations are workflow commands in the making: few, and each of a few lines.
type annotations struct{ text strings.Builder }

// command writes one. Whatever is in a text, it cannot end the line, and so
// begin a command of its own, nor end the property that it stands in.
func (a *annotations) command(level, title, text string, at spot) {
	fmt.Fprintf(&a.text, "::%s ", level)
	if at.file != "" {
		fmt.Fprintf(&a.text, "file=%s,line=%d,", propertyEscapes.Replace(at.file), at.line)
	}
	fmt.Fprintf(&a.text, "title=%s::%s\n", propertyEscapes.Replace(title), dataEscapes.Replace(text))
}

var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
