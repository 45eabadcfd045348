package reports

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// markdownRoom is how long a page may get. A comment on a pull request holds
// 65,536 characters, the summary of a CI job 1 MiB, and neither is shown at all
// if it is longer.
const markdownRoom = 60000

// markdown is a page in the making. It is short: there is no need to stream.
type markdown struct {
	text strings.Builder
	// most is how many entries of each table, list and conversation are shown.
	most int
}

// fitted is the page with as many entries as there is room for.
func fitted(compose func(*markdown)) string {
	page, fits := within(markdownRoom, compose)
	if !fits {
		return cutMarkdown(page)
	}
	return page
}

// within is a piece of a page with as many entries as this room holds. It may be
// too long with one of each even so.
func within(room int, compose func(*markdown)) (piece string, fits bool) {
	for _, most := range []int{math.MaxInt, 200, 100, 50, 20, 10, 5, 2, 1} {
		m := markdown{most: most}
		compose(&m)
		if piece = m.text.String(); len(piece) <= room {
			return piece, true
		}
	}
	return piece, false
}

// cutMarkdown cuts a page that does not fit even so, as one of a server whose
// answers have no end, behind a whole line, and closes what is open there. Its last
// line, the exit status, stays.
func cutMarkdown(page string) string {
	const reserve = 300 // for what is added
	head := page[:markdownRoom-reserve]
	head = head[:strings.LastIndex(head, "\n")+1]
	if strings.Count("\n"+head, "\n```")%2 == 1 {
		head += "```\n"
	}
	if strings.Count(head, "<details>") > strings.Count(head, "</details>") {
		head += "\n</details>\n"
	}
	lost := strings.Count(page[len(head):], "\n")
	end := page[strings.LastIndex(strings.TrimSuffix(page, "\n"), "\n")+1:]
	if len(end) > reserve/2 {
		end = ""
	}
	return head + "\n... and " + of(lost, "more line") + ": see the JSON report.\n\n" + end
}

func (m *markdown) put(format string, args ...any) { fmt.Fprintf(&m.text, format, args...) }

// shownOf are the entries that there is room for, and a remark about the others, ""
// if there are none.
func shownOf[T any](m *markdown, all []T, noun string) ([]T, string) {
	if len(all) <= m.most {
		return all, ""
	}
	return all[:m.most], "... and " + of(len(all)-m.most, "more "+noun) + ": see the JSON report."
}

// said writes the end of a conversation, where things went wrong. A line begins
// with its speaker, so none of them ends the fence.
func (m *markdown) said(lines []string) {
	if len(lines) == 0 {
		return
	}
	if more := len(lines) - m.most; more > 0 {
		lines = append([]string{"... " + of(more, "earlier line")}, lines[more:]...)
	}
	m.put("```\n%s\n```\n\n", strings.Join(lines, "\n"))
}

func (m *markdown) heading(text string) { m.put("### %s\n\n", text) }

func (m *markdown) paragraph(text string) {
	if text != "" {
		m.put("%s\n\n", markdownLine(text))
	}
}

// list writes nothing where there is nothing to list.
func (m *markdown) list(title string, texts []string) {
	if len(texts) == 0 {
		return
	}
	if title != "" {
		m.heading(title)
	}
	texts, more := shownOf(m, texts, "line")
	if more != "" {
		texts = append(slices.Clone(texts), more)
	}
	for _, text := range texts {
		m.put("- %s\n", markdownLine(text))
	}
	m.put("\n")
}

func (m *markdown) table(header []string, rows [][]string) {
	rule := slices.Repeat([]string{"---"}, len(header))
	rows, more := shownOf(m, rows, "row")
	for _, cells := range slices.Concat([][]string{header, rule}, rows) {
		escaped := make([]string, len(cells))
		for i, cell := range cells {
			escaped[i] = markdownText(cell)
		}
		m.put("| %s |\n", strings.Join(escaped, " | "))
	}
	m.put("\n")
	m.paragraph(more)
}

// markdownText is plain text as Markdown shows it: "<secret>" is no tag, nothing is
// set in italics, and nothing becomes a link or calls anybody. Where GitHub looks
// for a name, an address or an issue in the text that was made of the Markdown, no
// backslash helps: an element stands between the mark and its word.
func markdownText(s string) string {
	return markdownCalls.ReplaceAllStringFunc(markdownEscapes.Replace(ascii(s)), markdownApart.Replace)
}

// markdownLine is such text at the beginning of a line, where it is no list and no
// quotation.
func markdownLine(s string) string {
	return markdownLead.ReplaceAllString(strings.TrimLeft(markdownText(s), " "), `$1\$2$3`)
}

var (
	markdownEscapes = strings.NewReplacer(
		`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`, "~", `\~`, "<", "&lt;", "&", "&amp;",
	)
	// markdownCalls are, in text that is escaped, @name, an address of mail (but not
	// smtp/auth/003@smtp, which is neither), #1 and a heading, a formula, an emoji
	// (:tada:, :+1:, :100:), an address of a page, www.name, and GH-1.
	markdownCalls = regexp.MustCompile(`\B@|@[\w\\-]*\.|[#$]|:(?:[a-zA-Z+\\-][\w+\\-]*|100|1234):|://|(?i:www\.|\bgh-\d)`)
	markdownApart = strings.NewReplacer("@", "<span>@</span>", "#", "<span>#</span>", "$", "<span>$</span>", ":", "<span>:</span>",
		".", "<span>.</span>", "-", "<span>-</span>")
	markdownLead = regexp.MustCompile(`^(\d+)([.)])|^([-+>=])`)
)
