package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestDocsLinks: every relative link leads to a file that is there, every
// anchor to a heading that is there, and every page can be reached from the
// README. Addresses elsewhere are not asked: a test needs no network. Those of
// our own source, which no package holds, are looked for here.
func TestDocsLinks(t *testing.T) {
	root := filepath.Join("..", "..")
	pages := map[string]string{}
	for _, name := range []string{"README.md", "CHANGELOG.md", "CONTRIBUTING.md"} {
		pages[name] = read(t, filepath.Join(root, name))
	}
	err := filepath.WalkDir(docsFolder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".md" {
			return err
		}
		rel, err := filepath.Rel(root, name)
		pages[filepath.ToSlash(rel)] = read(t, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	reached := map[string]bool{"README.md": true}
	for todo := []string{"README.md", "CHANGELOG.md", "CONTRIBUTING.md"}; len(todo) > 0; todo = todo[1:] {
		from := todo[0]
		for _, link := range linksIn(pages[from]) {
			to, err := target(root, pages, from, link)
			if err != nil {
				t.Errorf("%s: [](%s): %v", from, link, err)
			}
			if _, isPage := pages[to]; isPage && !reached[to] {
				reached[to] = true
				todo = append(todo, to)
			}
		}
	}
	for name := range pages {
		if strings.HasPrefix(name, "docs/") && !reached[name] {
			t.Errorf("%s: no page links to it", name)
		}
	}
}

// ourSource is where the newest source stands.
const ourSource = "https://github.com/mailmatrix/mailmatrix/blob/HEAD/"

// target is the file that a link on a page leads to, and "" where it leads to
// an address.
func target(root string, pages map[string]string, from, link string) (string, error) {
	if source, ok := strings.CutPrefix(link, ourSource); ok {
		_, err := os.Stat(filepath.Join(root, source))
		return "", err
	}
	u, err := url.Parse(link)
	if err != nil || u.IsAbs() {
		return "", err
	}
	to := from
	if u.Path != "" {
		to = path.Join(path.Dir(from), u.Path)
	}
	if strings.HasPrefix(to, "../") {
		return "", errors.New("it leads out of the repository")
	}
	if _, err := os.Stat(filepath.Join(root, to)); err != nil {
		return "", err
	}
	text, isPage := pages[to]
	switch {
	case u.Fragment == "":
		return to, nil
	case !isPage:
		return "", errors.New("only a page has anchors")
	case !slices.Contains(anchorsIn(text), u.Fragment):
		return "", fmt.Errorf("%s has no heading #%s", to, u.Fragment)
	}
	return to, nil
}

var (
	linkForm = regexp.MustCompile(`\]\(([^()\s]+)\)|^\[[^\]]+\]: +(\S+)|(?:src|srcset|href)="([^"]+)"`)
	codeSpan = regexp.MustCompile("`[^`]*`")
	linkText = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

func linksIn(text string) []string {
	var links []string
	for _, line := range proseOf(text) {
		// A link's text may be code; what looks like a link inside code is none.
		for _, m := range linkForm.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, "``"), -1) {
			links = append(links, m[1]+m[2]+m[3])
		}
	}
	return links
}

// anchorsIn are the anchors that GitHub makes of the headings of a page.
func anchorsIn(text string) []string {
	var anchors []string
	seen := map[string]int{}
	for _, line := range proseOf(text) {
		title := strings.TrimLeft(line, "#")
		if level := len(line) - len(title); level == 0 || level > 6 || !strings.HasPrefix(title, " ") {
			continue
		}
		title = linkText.ReplaceAllString(strings.TrimSpace(title), "$1")
		anchor := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			default:
				return -1
			}
		}, title)
		n := seen[anchor]
		seen[anchor]++
		if n > 0 {
			anchor = fmt.Sprintf("%s-%d", anchor, n)
		}
		anchors = append(anchors, anchor)
	}
	return anchors
}

// proseOf are the lines of a page that stand in no fence.
func proseOf(text string) []string {
	var lines []string
	fence := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		mark := strings.TrimLeft(line, " ")
		switch {
		case fence != "" && strings.HasPrefix(mark, fence):
			fence = ""
		case fence != "":
		case strings.HasPrefix(mark, "```"):
			fence = "```"
		default:
			lines = append(lines, line)
		}
	}
	return lines
}

func TestDocsLinkForms(t *testing.T) {
	page := "# One, two & `three`\n## [A link](x.md)\n## One, two & `three`\n```sh\n# no heading [a](b)\n```\n" +
		"see [`code`](a.md#b) and `[none](c)`, ![picture](d.svg)\n[ref]: e.md\n<img src=\"f.png\"><source srcset=\"g.png\">\n#nothing\n"
	if got, want := anchorsIn(page), []string{"one-two--three", "a-link", "one-two--three-1"}; !slices.Equal(got, want) {
		t.Errorf("anchors %q, want %q", got, want)
	}
	if got, want := linksIn(page), []string{"x.md", "a.md#b", "d.svg", "e.md", "f.png", "g.png"}; !slices.Equal(got, want) {
		t.Errorf("links %q, want %q", got, want)
	}
	pages := map[string]string{"README.md": page}
	for _, row := range []struct{ link, want, why string }{
		{"README.md#a-link", "", "file and heading are there"},
		{"#a-link", "", "on the same page"},
		{"https://example.test/x", "", "somewhere else"},
		{ourSource + "go.mod", "", "source that is there"},
		{ourSource + "go.mad", "no such file", "source that is not there"},
		{"nowhere.md", "no such file", "a file that is not there"},
		{"#a_link", "no heading", "a heading that is not there"},
		{"../x", "leads out", "beside the repository"},
		{"LICENSE#x", "only a page", "anchors are those of headings"},
	} {
		_, err := target(filepath.Join("..", ".."), pages, "README.md", row.link)
		if said := fmt.Sprint(err); row.want == "" && err != nil || !strings.Contains(said, row.want) {
			t.Errorf("%s: %v, want %q: %s", row.link, err, row.want, row.why)
		}
	}
}
