package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/reference and docs/clients anew")

// docsFolder is docs/ seen from here.
var docsFolder = filepath.Join("..", "..", "docs")

// generatedFolders hold nothing but what is made from the code.
var generatedFolders = []string{"reference", "clients"}

// TestDocsGenerated: what docs/reference and docs/clients say is what the code
// says. A page of which the code knows nothing is as stale as one that is
// missing.
func TestDocsGenerated(t *testing.T) {
	pages := referencePages()
	maps.Copy(pages, clientPages(t))
	if *update {
		writePages(t, pages)
	}
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		have, err := os.ReadFile(filepath.Join(docsFolder, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if string(have) != pages[name] {
			t.Errorf("docs/%s is stale: go test ./cmd/mailmatrix -run Docs -update", name)
		}
	}
	for _, name := range generatedFiles(t) {
		if _, known := pages[name]; !known {
			t.Errorf("docs/%s is made from nothing: go test ./cmd/mailmatrix -run Docs -update", name)
		}
	}
}

func writePages(t *testing.T, pages map[string]string) {
	t.Helper()
	for _, name := range generatedFiles(t) {
		if _, known := pages[name]; !known {
			if err := os.Remove(filepath.Join(docsFolder, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, text := range pages {
		name = filepath.Join(docsFolder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// generatedFiles are those that are there, as the keys of the pages.
func generatedFiles(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, folder := range generatedFolders {
		files, err := os.ReadDir(filepath.Join(docsFolder, folder))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for _, f := range files {
			names = append(names, folder+"/"+f.Name())
		}
	}
	return names
}

// markdownPage is a page in the making.
type markdownPage struct{ strings.Builder }

// newPage begins a page that nobody is to edit.
func newPage(title string) *markdownPage {
	p := &markdownPage{}
	p.WriteString("<!-- Made by `go test ./cmd/mailmatrix -run Docs -update`. Change the code, not this page. -->\n\n")
	p.heading(1, title)
	return p
}

func (p *markdownPage) heading(level int, title string) {
	p.WriteString(strings.Repeat("#", level) + " " + markdown(title) + "\n\n")
}

// paragraph is Markdown already.
func (p *markdownPage) paragraph(format string, args ...any) {
	p.WriteString(fmt.Sprintf(format, args...) + "\n\n")
}

// table takes cells that are Markdown already.
func (p *markdownPage) table(head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	line := func(cells []string) {
		for i := range cells {
			cells[i] = strings.ReplaceAll(strings.ReplaceAll(cells[i], "|", `\|`), "\n", " ")
		}
		p.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	line(slices.Clone(head))
	p.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, row := range rows {
		line(slices.Clone(row))
	}
	p.WriteString("\n")
}

// done is the page, without the blank line at its end.
func (p *markdownPage) done() string { return strings.TrimRight(p.String(), "\n") + "\n" }

func (p *markdownPage) fence(text string) {
	p.WriteString("```text\n" + strings.Trim(text, "\n") + "\n```\n\n")
}

// laidOut shows the prose of a command's help. A paragraph with a line that is
// indented was laid out by hand, and stays as it is.
func (p *markdownPage) laidOut(text string) {
	for paragraph := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		if strings.Contains("\n"+paragraph, "\n ") || strings.Contains("\n"+paragraph, "\n\t") {
			p.fence(paragraph)
			continue
		}
		p.paragraph("%s", linked(paragraph))
	}
}

var documentNamed = regexp.MustCompile(`\bdocs/([\w./-]+\.(?:md|json))\b`)

// linked is help in a page of docs/reference: the documents that it names are
// beside it.
func linked(text string) string {
	return documentNamed.ReplaceAllString(markdown(text), "[docs/$1](../$1)")
}

var markdownSigns = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;")

// markdown makes text harmless, and leaves what stands between backticks: that
// is code here and there.
func markdown(text string) string {
	parts := strings.Split(text, "`")
	paired := len(parts)%2 == 1
	for i := range parts {
		if i%2 == 0 || !paired {
			parts[i] = markdownSigns.Replace(parts[i])
		}
	}
	if !paired {
		return strings.Join(parts, "\\`")
	}
	return strings.Join(parts, "`")
}

// code is text as it is typed.
func code(text string) string {
	if strings.Contains(text, "`") {
		return "`` " + text + " ``"
	}
	return "`" + text + "`"
}

func TestDocsMarkdown(t *testing.T) {
	for _, row := range []struct{ name, text, want, why string }{
		{"signs", "a_b *c* [d] <e> &", `a\_b \*c\* \[d\] &lt;e&gt; &amp;`, "no text makes a link, a tag or a word that stands out"},
		{"code", "as `a_b` does", "as `a_b` does", "backticks mean the same in help and here"},
		{"half", "a ` b_c", "a \\` b\\_c", "one backtick alone opens nothing"},
	} {
		if got := markdown(row.text); got != row.want {
			t.Errorf("%s: %q, want %q: %s", row.name, got, row.want, row.why)
		}
	}
}
