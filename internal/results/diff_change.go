package results

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// decided: it says something of the server.
func (it *item) decided() bool {
	return it.measured || it.verdict == login.Pass || it.verdict == login.Warn || it.verdict == login.Fail
}

// failed, be it excused or not: an excuse changes nothing of the server.
func (it *item) failed() bool { return it.verdict == login.Fail }

// open: somebody is let in who should not be, and nobody has excused it.
func (it *item) open() bool { return it.hole && it.excused == "" }

// leaks: it fails, not by keeping somebody out, some of the account's secrets can be
// read, and nobody has excused it.
func (it *item) leaks() bool {
	return it.failed() && !it.lockout && it.secrets > login.ShowsNothing && it.excused == ""
}

// changes are the kinds in which a result differs from what it was; nil is not
// there. alike: the earlier run was asked the same, so what has appeared was not so
// before.
func (it *item) changes(before *item, alike bool) []ChangeKind {
	switch {
	case before == nil || !before.decided():
		return kindsThat(map[ChangeKind]bool{
			NewlyAccepted: alike && it.open(), NewExposure: alike && it.leaks(), Appeared: it.decided(),
		})
	case !it.decided():
		return []ChangeKind{Vanished}
	}
	was, is, both := known(before.lets, it.lets)
	opened, exposed := it.open() && !before.hole, it.secrets > before.secrets
	kinds := kindsThat(map[ChangeKind]bool{
		NewlyAccepted: both && !was && is || opened,
		NewlyRefused:  both && was && !is || it.lockout && !before.lockout,
		NewExposure:   exposed,
		PassToFail:    it.failed() && it.excused == "" && !before.failed(),
		Fixed:         before.failed() && !it.failed(),
	})
	if len(kinds) == 0 {
		kinds = kindsThat(map[ChangeKind]bool{
			OtherChange: before.verdict != it.verdict || before.exposure != it.exposure || !it.measured && before.outcome != it.outcome ||
				(before.excused == "") != (it.excused == ""),
		})
	}
	if before.flaky || it.flaky {
		kinds = kindsThat(map[ChangeKind]bool{
			NewlyAccepted: opened, NewExposure: exposed, ChangeFlaky: len(kinds) > 0 || before.flaky != it.flaky,
		})
	}
	return kinds
}

// kindsThat are those that hold, in their order.
func kindsThat(hold map[ChangeKind]bool) []ChangeKind {
	return slices.DeleteFunc(ChangeKinds(), func(k ChangeKind) bool { return !hold[k] })
}

// worse: what a result has changed to is a regression. That something failed
// once, which sometimes fails, is none; that somebody got in once, who should not,
// is one, and what was read once cannot be taken back. Of what appeared the kinds
// say all.
func (it *item) worse(before *item, kinds []ChangeKind) bool {
	if slices.Contains(kinds, Appeared) {
		return len(kinds) > 1
	}
	return it.open() && !before.hole || slices.Contains(kinds, PassToFail) || slices.Contains(kinds, NewExposure) && it.excused == ""
}

// known is the surest fact that both know.
func known(before, after []*bool) (was, is, ok bool) {
	for i := range min(len(before), len(after)) {
		if before[i] != nil && after[i] != nil {
			return *before[i], *after[i], true
		}
	}
	return false, false, false
}

// finding is what a report tells of the result; nil is none.
func (it *item) finding() *Finding {
	if it == nil {
		return nil
	}
	return &Finding{Verdict: it.verdict, Outcome: it.outcome, Exposure: it.exposure, Reason: it.reason, Excused: it.excused}
}
