package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress draws a bar on a terminal, and nothing anywhere else.
type progress struct {
	w    io.Writer
	last time.Time
}

// newProgress returns nil where nobody would see it.
func newProgress(w io.Writer) *progress {
	if !isTerminal(w) {
		return nil
	}
	return &progress{w: w}
}

const (
	barWidth  = 40
	barRefill = 100 * time.Millisecond
)

func (p *progress) show(done, all int) {
	now := time.Now()
	if now.Sub(p.last) < barRefill {
		return
	}
	p.last = now
	filled := barWidth * done / all
	_, _ = fmt.Fprintf(p.w, "\r[%s%s] %d of %d", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), done, all)
}

// clear takes the bar away before the report.
func (p *progress) clear() {
	if p != nil {
		_, _ = fmt.Fprint(p.w, "\r\x1b[K")
	}
}
