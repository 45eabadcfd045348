package reports

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestBadge(t *testing.T) {
	decided := smallReport()
	status := 0
	decided.Decided, decided.Scenarios = &status, fullReport().Scenarios
	for _, c := range []struct {
		name   string
		report login.Report
		want   string
	}{
		{"all is well", fullReport(), "mail logins: conforming"},
		{"something failed", checkReport(), "mail logins: 1 fail"},
		{"expectations do not hold", unkeptReport(), "mail logins: not as expected"},
		{"known findings are counted for who asks", excusedReport(), "mail logins: conforming, 3 known findings"},
		{"cut short", interruptedReport(), "mail logins: incomplete"},
		{"nothing done", emptyReport(), "mail logins: incomplete"},
		{"the door is silent", silentReport(), "mail logins: incomplete"},
		{"failures that were chosen not to decide are told", decided, "mail logins: 2 fail, 1 known finding"},
	} {
		t.Run(c.name, func(t *testing.T) {
			badge := written(t, "svg", c.report, Options{})
			root := parse(t, badge)
			if root.name != "svg" || root.attrs["role"] != "img" || root.attrs["aria-labelledby"] != "title" {
				t.Errorf("no picture with a name: %v", root.attrs)
			}
			if !strings.Contains(string(badge), `<title id="title">`+c.want+"</title>") {
				t.Errorf("want %q in\n%s", c.want, badge)
			}
			if without := strings.Replace(string(badge), `xmlns="http://www.w3.org/2000/svg"`, "", 1); strings.Contains(without, "//") {
				t.Errorf("it points elsewhere:\n%s", badge)
			}
			if len(badge) > 1500 {
				t.Errorf("%d bytes", len(badge))
			}
		})
	}
}

// White text is read on every side of a badge: WCAG 2.2, 1.4.3.
func TestBadgeContrast(t *testing.T) {
	for _, colour := range []string{badgeGrey, badgeGreen, badgeRed, badgeAmber} {
		var r, g, b int
		if _, err := fmt.Sscanf(colour, "#%02x%02x%02x", &r, &g, &b); err != nil {
			t.Fatal(err)
		}
		light := func(c int) float64 {
			if v := float64(c) / 255; v > 0.04045 {
				return math.Pow((v+0.055)/1.055, 2.4)
			}
			return float64(c) / 255 / 12.92
		}
		if contrast := 1.05 / (0.2126*light(r) + 0.7152*light(g) + 0.0722*light(b) + 0.05); contrast < 4.5 {
			t.Errorf("white on %s has a contrast of %.2f", colour, contrast)
		}
	}
}

// A badge has nothing in it that a server has said.
func TestBadgeTrustsNobody(t *testing.T) {
	badge := string(written(t, "svg", hostileReport(), Options{}))
	if strings.Contains(badge, "ERR") || strings.Contains(badge, "script") {
		t.Error(badge)
	}
}
