package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(Format{
	Name: "html", Ext: "html",
	About: "one page for a browser, with every cell and every line that was sent; it needs no network",
	Write: writeHTML,
})

// pageFiles is the page: its frame, its style, and its program in parts.
//
//go:embed page
var pageFiles embed.FS

var pageFrame = template.Must(template.ParseFS(pageFiles, "page/page.html"))

// pageProgram are the parts of the program, each after what it rests on.
var pageProgram = []string{
	"model.js", "look.js", "dom.js", "lists.js", "support.js", "policy.js", "rest.js", "history.js", "findings.js", "head.js", "command.js", "detail.js", "app.js",
}

// pageValues is what the frame is filled with. Style and program are ours and
// the data is encoded by us, so they stand as they are.
type pageValues struct {
	Title   string
	Style   template.CSS
	Program template.JS
	Data    template.JS
	// Rules is a Content-Security-Policy: this style, this program, and reports
	// from where the page itself is from.
	Rules string
}

func writeHTML(w io.Writer, r login.Report, o Options) error {
	p := pageReportOf(r)
	p.Policies, p.History = pagePoliciesOf(o.Policies), o.History
	return writePage(w, pageTitle(&r), p)
}

// writeHistoryPage writes the page of a history alone: a report without results.
func writeHistoryPage(w io.Writer, h *login.History) error {
	p := pageReportOf(login.Report{Schema: login.Schema})
	p.History = []login.History{*h}
	return writePage(w, ascii(h.Target)+" - mailmatrix", p)
}

func writePage(w io.Writer, title string, p pageReport) error {
	data, err := json.Marshal(p) // which escapes "<", so nothing ends the script
	if err != nil {
		return err
	}
	style, program := pageText("page.css"), pageText(pageProgram...)
	return pageFrame.Execute(w, pageValues{
		Title:   title,
		Style:   template.CSS(style),  //nolint:gosec // a file of ours
		Program: template.JS(program), //nolint:gosec // files of ours
		Data:    template.JS(data),    //nolint:gosec // JSON without "<"
		Rules: "default-src 'none'; connect-src 'self'; style-src " + sourceHash(style) + "; script-src " + sourceHash(program) +
			"; base-uri 'none'; form-action 'none'",
	})
}

// pageText joins parts of the page. Nothing of the outside can be missing: it
// is embedded.
func pageText(names ...string) string {
	var b bytes.Buffer
	for _, name := range names {
		text, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			panic(err)
		}
		b.Write(text)
	}
	return b.String()
}

// sourceHash is how a Content-Security-Policy names an inline text.
func sourceHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func pageTitle(r *login.Report) string {
	var names []string
	for _, t := range r.Targets {
		names = append(names, ascii(t.Name))
	}
	if len(names) == 0 {
		return "mailmatrix"
	}
	return strings.Join(names, ", ") + " - mailmatrix"
}
