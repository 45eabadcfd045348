package reports

import (
	"fmt"
	"io"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(Format{
	Name: "svg", Ext: "svg",
	About: "a badge for a README: conforming, or how much failed",
	Write: writeSVG,
})

// badgeLabel is what the badge is about, on its left side.
const badgeLabel = "mail logins"

// White is read on each of these (WCAG AA, 4.5:1), and the words say the same as
// the colours.
const (
	badgeGrey  = "#555555"
	badgeGreen = "#1a7f37"
	badgeRed   = "#b3202c"
	badgeAmber = "#8a5a00"
)

// writeSVG writes a badge of our own words alone: what a server says, and how
// anybody calls it, stays out of it.
func writeSVG(w io.Writer, r login.Report, _ Options) error {
	word, colour := badge(&r)
	title := badgeLabel + ": " + word
	if n := r.Sum().Excused; n > 0 {
		title += ", " + of(n, "known finding")
	}
	left, right := badgeWidth(badgeLabel), badgeWidth(word)
	// textLength has the text fill its side whatever font the viewer has.
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="20" viewBox="0 0 %[1]d 20" role="img" aria-labelledby="title">
<title id="title">%s</title>
<clipPath id="round"><rect width="%[1]d" height="20" rx="3"/></clipPath>
<g clip-path="url(#round)">
<rect width="%[3]d" height="20" fill="%s"/>
<rect x="%[3]d" width="%[5]d" height="20" fill="%s"/>
</g>
<g fill="#ffffff" font-family="Verdana, DejaVu Sans, Geneva, sans-serif" font-size="11" aria-hidden="true">
<text x="%[7]d" y="14" textLength="%d">%s</text>
<text x="%[10]d" y="14" textLength="%d">%s</text>
</g>
</svg>
`, left+right, title, left, badgeGrey, right, colour,
		badgePadding, left-2*badgePadding, badgeLabel, left+badgePadding, right-2*badgePadding, word)
	return err
}

// badge is the report in a word or two, and its colour. What failed is counted
// even where somebody chose that it decides nothing.
func badge(r *login.Report) (word, colour string) {
	failed := 0
	for _, c := range told(r) {
		if c.verdict == login.Fail {
			failed++
		}
	}
	switch status := r.ExitStatus(); {
	case incomplete(r) != "":
		return "incomplete", badgeAmber
	case failed > 0:
		return count(failed) + " fail", badgeRed
	case status != 0:
		return "not as expected", badgeRed
	default:
		return "conforming", badgeGreen
	}
}

const badgePadding = 6

// badgeWidth is how many pixels a side takes: the text, estimated by the widths
// of Verdana at 11, and the padding.
func badgeWidth(text string) int {
	tenths := 0
	for _, c := range text {
		switch c {
		case 'i', 'l', ' ', ',':
			tenths += 36
		case 'f', 'j', 'r', 't':
			tenths += 43
		case 'm', 'w':
			tenths += 100
		default:
			tenths += 68
		}
	}
	return (tenths+9)/10 + 2*badgePadding
}
