package harness

import (
	"context"
	"fmt"
	"slices"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// heldBack are the postures that a draft is tried on: everything rejected, a
// refusal at the command, and one rejection of many.
var heldBack = map[login.Protocol][]string{
	login.SMTP: {"S7t", "S10", "S5t"},
	login.POP3: {"P7", "P10", "P5"},
}

// leastRecords is how many must be left to derive a draft from.
const leastRecords = 5

// Trial is a draft, and how far one believes it.
type Trial struct {
	// Draft is made of all records.
	Draft Draft
	// HeldBack are the cases that were kept from another draft, which had to
	// foretell them; none where too few records are left.
	HeldBack []string
	// Foretold is how far it did, Without how far it agrees with what it was
	// made of, and All how far the draft agrees that is made of all.
	Foretold, Without, All ReplayReport
}

// TryDraft derives a draft and holds it against the records.
func TryDraft(ctx context.Context, lab Laboratory, cases recording.Cases, records []recording.Record, parallel int) (Trial, error) {
	var t Trial
	var err error
	if t.Draft, err = DraftProfile(records); err != nil {
		return t, err
	}
	replay := func(d Draft, records []recording.Record) (ReplayReport, error) {
		p, err := clientsim.Load("the draft", d.YAML)
		if err != nil {
			return ReplayReport{}, fmt.Errorf("the draft is no profile, which is our mistake: %w", err)
		}
		return Replay{Lab: lab, Cases: cases, Parallel: parallel,
			Profile: func(string, string) (clientsim.Profile, error) { return p, nil }}.Run(ctx, records)
	}
	if t.All, err = replay(t.Draft, records); err != nil {
		return t, err
	}
	var held, rest []recording.Record
	for _, r := range records {
		if slices.Contains(heldBack[r.Proto], r.Case) {
			held = append(held, r)
			t.HeldBack = append(t.HeldBack, r.Case)
		} else {
			rest = append(rest, r)
		}
	}
	if len(rest) < leastRecords {
		t.HeldBack = nil
		return t, nil
	}
	without, err := DraftProfile(rest)
	if err != nil { // the rest does not show a single login
		t.HeldBack = nil
		return t, nil //nolint:nilerr // then there is nothing to foretell from
	}
	if t.Without, err = replay(without, rest); err != nil {
		return t, err
	}
	t.Foretold, err = replay(without, held)
	return t, err
}
