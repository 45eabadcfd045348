package harness_test

import (
	"context"
	"slices"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// The default run has each client as it is installed. This is every client in
// every settings state, over every transport: what it chooses, where the
// database can check everything with the right password, the override's and a
// wrong one, and where it can check little with the right one; and of every
// settings state each mechanism, where everything is right and can be read. What
// was wrong of any client in a whole run (`mailmatrix run --full`) was wrong in
// one of these.
func TestEveryVariant(t *testing.T) {
	p := plan(t, harness.Grid{Full: true, Flavours: []login.Flavour{login.Modern}, Databases: []login.Database{login.NT, login.Full}})
	p = onlyCells(p)
	p.Jobs = slices.DeleteFunc(p.Jobs, func(j harness.Job) bool { return j.Profile.Probe() || !telling(j.Cell) })
	report := harness.Run(context.Background(), p, harness.Config{Target: reference(t), Seed: 7})
	for _, c := range report.Cells {
		if c.Verdict != login.Pass {
			t.Errorf("%s: %s, %s", c.ID, c.Verdict, c.Reason)
		}
	}
	t.Logf("%d cells", len(p.Jobs))
}

// telling reports whether a cell is one of those in which clients differ.
func telling(c login.Cell) bool {
	setting := login.Allow
	if c.Transport.Encrypted() {
		setting = login.Secure
	}
	_, state := login.SplitProfile(c.Profile)
	right := c.Override == login.NoOverride && c.Credential == login.WithAccount
	switch {
	case c.Setting != setting:
		return false
	case c.Mechanism != login.Auto: // as installed it is in the default run
		return state != "" && right && c.Database == login.Full && c.Transport == login.Plain
	case c.Database == login.NT:
		return right
	default:
		return c.Override == login.NoOverride || c.Credential == login.WithOverride
	}
}
