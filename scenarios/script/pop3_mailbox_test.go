package script

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

func TestPauses(t *testing.T) {
	for _, c := range []struct {
		first, limit time.Duration
		want         []time.Duration
	}{
		{1, 10, []time.Duration{0, 1, 2, 4}}, // 7 in all; with 8 it would be 15
		{5, 5, []time.Duration{0}},
		{1, 0, []time.Duration{0}},
	} {
		if got := slices.Collect(pauses(c.first, c.limit)); !slices.Equal(got, c.want) {
			t.Errorf("from %d below %d: %d, want %d", c.first, c.limit, got, c.want)
		}
	}
}

// A line of the message that begins with a dot gets one more, the end has one
// alone.
func TestHandInStuffsDots(t *testing.T) {
	p := &Play{Session: &Session{Session: &scenarios.Session{Secrets: login.Secrets{Name: "somebody"}, Now: time.Now}}}
	_, body, found := strings.Cut(handIn{".", ".x", "end"}.message(p), "\r\n\r\n")
	if want := "..\r\n..x\r\nend\r\n.\r\n"; !found || body != want {
		t.Errorf("the body is %q, want %q", body, want)
	}
}
