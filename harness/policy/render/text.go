package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// width is that of a line of the text.
const width = 100

// Write writes what was rendered for a server, so that all of it can stand in a
// configuration: what is no setting is a comment in each of these servers. name
// is the policy's.
func Write(w io.Writer, s Server, name string, r Rendered) error {
	var b strings.Builder
	comment(&b, "", fmt.Sprintf("%s, for the policy %s.", s.Title, name))
	comment(&b, "", "How far this is known: "+s.Basis+".")
	for _, p := range r.Pieces {
		fmt.Fprintf(&b, "\n# ---- %s\n%s", p.File, p.Text)
	}
	if len(r.Notes) > 0 {
		b.WriteString("\n# What the settings do not say:\n")
	}
	for _, note := range r.Notes {
		comment(&b, "- ", note)
	}
	b.WriteString("\n")
	if len(r.Cannot) == 0 {
		comment(&b, "", "This is the whole policy: the server can express every cell of it.")
	} else {
		comment(&b, "", fmt.Sprintf("NOT EXPRESSED: %d of the policy's cells. What stands above has the stricter choice in each of them.", len(r.Cannot)))
	}
	for _, g := range grouped(r.Cannot) {
		b.WriteString("#\n")
		comment(&b, "", g.what())
		comment(&b, "  why       ", g.Why)
		switch {
		case g.InVain:
			continue
		case g.Looser == g.Stricter:
			comment(&b, "  stricter  ", fmt.Sprintf("%s (chosen)", g.Stricter))
			comment(&b, "  looser    ", "there is nothing looser")
		default:
			comment(&b, "  stricter  ", fmt.Sprintf("%s (chosen)", g.Stricter))
			comment(&b, "  looser    ", fmt.Sprintf("%s; but then %s", g.Looser, g.Price))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// group are cells about which the same is to be said.
type group struct {
	Cannot
	mechanisms []login.Mechanism
}

func (g group) what() string {
	what := fmt.Sprintf("%s %s: wanted %s, is %s", g.Protocol, join(g.mechanisms), g.Wanted, g.Chosen)
	if g.InVain {
		return what + ", but refused too late"
	}
	return what
}

// grouped puts together the cells of a protocol that differ in the mechanism
// alone.
func grouped(all []Cannot) []group {
	var groups []group
	at := map[Cannot]int{}
	for _, c := range all {
		same := c
		same.Mechanism = ""
		i, ok := at[same]
		if !ok {
			i = len(groups)
			at[same] = i
			groups = append(groups, group{Cannot: c})
		}
		groups[i].mechanisms = append(groups[i].mechanisms, c.Mechanism)
	}
	return groups
}

// comment writes text as lines of a comment: the first begins with lead, the
// others stand under its end.
func comment(b *strings.Builder, lead, text string) {
	line := "# " + lead
	for i, word := range strings.Fields(text) {
		if i > 0 && len(line)+1+len(word) > width {
			b.WriteString(line + "\n")
			line = "# " + strings.Repeat(" ", len(lead)) + word
			continue
		}
		if i > 0 {
			line += " "
		}
		line += word
	}
	b.WriteString(line + "\n")
}
