package main

import (
	"fmt"
	"io"

	"github.com/mailmatrix/mailmatrix/harness/remote"
)

// checkProgress says on a terminal how far a check has come, and nothing anywhere else:
// how much there is to be done is not known before it is done.
type checkProgress struct {
	w                   io.Writer
	doors, cases, cells int
}

// newCheckProgress returns nil where nobody would see it.
func newCheckProgress(w io.Writer) *checkProgress {
	if !isTerminal(w) {
		return nil
	}
	return &checkProgress{w: w}
}

func (s *checkProgress) told(f remote.Fact) {
	if s == nil {
		return
	}
	switch {
	case f.Door != nil:
		s.doors++
	case f.Case != nil:
		s.cases++
	case f.Cell != nil:
		s.cells++
	}
	_, _ = fmt.Fprintf(s.w, "\r\x1b[K%d doors, %d requirements, %d logins foretold", s.doors, s.cases, s.cells)
}

// clear takes the line away before the report.
func (s *checkProgress) clear() {
	if s != nil {
		_, _ = fmt.Fprint(s.w, "\r\x1b[K")
	}
}
