package reports

import (
	"fmt"
	"strings"
)

// count writes a number as people read it: 60,660.
func count(n int) string {
	digits := fmt.Sprint(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// of writes "1 cell", "2 cells".
func of(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return count(n) + " " + noun
}

// list writes "a", "a and b", "a, b and c".
func list[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = string(w)
	}
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}

// shortList is a list that stays a sentence however many there are.
func shortList(all []string) string {
	const most = 5
	if len(all) <= most {
		return list(all)
	}
	return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", len(all)-most)
}

// ascii makes what a server said fit to be shown: a terminal must not obey
// the escape sequences of a stranger.
func ascii(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			fmt.Fprintf(&b, `\x%02x`, c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// wrap breaks text at its spaces into lines of at most width, as far as its
// words allow.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Split(text, " ") {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// cut shortens s to width.
func cut(s string, width int) string {
	if len(s) <= width {
		return s
	}
	return s[:max(width-3, 0)] + "..."
}

// pad fills s with spaces up to width.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-len(s), 0))
}
