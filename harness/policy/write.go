package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// Remark is what is said beside a setting; protocol is "" in the common
// section.
type Remark func(login.Protocol, login.Mechanism) string

// Write is the policy as a YAML file that [Load] reads; head stands above it,
// line by line. A policy that names nothing denies every mechanism there is by
// its name, because a file that says nothing is taken for a mistake.
func Write(p login.Policy, head []string, remark Remark) []byte {
	var b strings.Builder
	for _, line := range head {
		fmt.Fprintf(&b, "# %s\n", oneLine(line))
	}
	if len(p.Mechanisms()) == 0 {
		p = login.Every(mech.Names(), login.Deny)
	}
	writeSection(&b, "policy", "", p.Common, remark)
	for _, protocol := range login.Protocols() {
		writeSection(&b, string(protocol), protocol, p.Own[protocol], remark)
	}
	return []byte(b.String())
}

func writeSection(b *strings.Builder, title string, p login.Protocol, settings map[login.Mechanism]login.Setting, remark Remark) {
	if len(settings) == 0 {
		return
	}
	fmt.Fprintf(b, "%s:\n", title)
	// In the order of reports.
	names := slices.SortedFunc(maps.Keys(settings), func(x, y login.Mechanism) int {
		return slices.Index(mech.Names(), x) - slices.Index(mech.Names(), y)
	})
	for _, m := range names {
		line := fmt.Sprintf("  %s: %s", m, settings[m])
		if remark != nil {
			text := oneLine(remark(p, m))
			if runes := []rune(text); len(runes) > longest {
				text = string(runes[:longest]) + "..."
			}
			if text != "" {
				line = fmt.Sprintf("%-30s # %s", line, text)
			}
		}
		b.WriteString(line + "\n")
	}
}

// longest is how much of a remark is kept: it may quote a long list.
const longest = 90

// oneLine makes one line of a text that may come from a server: nothing in it
// ends the comment.
func oneLine(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text))
}
