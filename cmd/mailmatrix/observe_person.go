package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// choice is what a person says of the posture that is offered.
type choice string

const (
	chooseNext choice = "next" // the client is done
	chooseSkip choice = "skip" // it has no such setting
	chooseQuit choice = "quit" // enough; what there is is kept
)

// pressed is a choice, and the posture that was on the page; "" is whatever is
// offered.
type pressed struct {
	choice  choice
	posture string
}

// choiceOf reads a line from the terminal: Enter alone is next.
func choiceOf(line string) (choice, bool) {
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "", "n", "next":
		return chooseNext, true
	case "s", "skip":
		return chooseSkip, true
	case "q", "quit":
		return chooseQuit, true
	default:
		return "", false
	}
}

// desk is what a person sees, on the page and in the terminal.
type desk struct {
	title   string
	host    string
	props   *observeProps
	choices chan pressed

	mu   sync.Mutex
	at   int // which posture is offered
	rows []deskRow
	sits *harness.Sitting // nil when all is done
	note string
}

// deskRow is a line of the checklist.
type deskRow struct {
	Name, Did string
	Now       bool
}

// attended has a person at the client.
func (run *observation) attended(ctx context.Context, t terminal) error {
	d := &desk{title: run.title(), host: run.config.host, props: run.props, choices: make(chan pressed)}
	for _, c := range run.wanted {
		d.rows = append(d.rows, deskRow{Name: c.Name})
	}
	for _, s := range run.situations {
		d.rows = append(d.rows, deskRow{Name: s.Name})
	}
	page, err := openPage(d)
	if err != nil {
		return err
	}
	defer page.close()
	_, _ = fmt.Fprintf(t.Err, "The same on a page: %s\nEnter: it is done, next. s: it has no such setting, skip. q: stop, and keep what there is.\n", page.url())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go d.read(ctx, t.In)
	for i, c := range run.wanted {
		s, err := run.observer.Offer(c)
		if err != nil {
			return err
		}
		record, chosen, err := d.offer(ctx, t.Err, i, s)
		if err != nil {
			return err
		}
		if chosen == chooseQuit || ctx.Err() != nil {
			return nil
		}
		if err := run.keep(record); err != nil {
			return err
		}
	}
	for i, in := range run.situations {
		s, err := run.observer.OfferIn(in)
		if err != nil {
			return err
		}
		record, chosen, err := d.offer(ctx, t.Err, len(run.wanted)+i, s)
		if err != nil {
			return err
		}
		if chosen == chooseQuit || ctx.Err() != nil {
			return nil
		}
		if record != nil {
			did := s.Conduct(in, harness.Ran{})
			run.keepConduct(in, &did)
		}
	}
	return nil
}

// read takes choices from the terminal until it ends.
func (d *desk) read(ctx context.Context, in io.Reader) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		chosen, ok := choiceOf(lines.Text())
		if !ok {
			continue
		}
		select {
		case d.choices <- pressed{choice: chosen}:
		case <-ctx.Done():
			return
		}
	}
}

// look is how often the terminal looks what the client has said.
const look = 200 * time.Millisecond

// offer waits until the person says what to do. There is no record of what was
// skipped.
func (d *desk) offer(ctx context.Context, w io.Writer, i int, s *harness.Sitting) (*recording.Record, choice, error) {
	c := s.Case
	d.begin(i, s)
	_, _ = fmt.Fprintf(w, "\n%s (%d of %d): %s\n", c.Name, i+1, len(d.rows), c.Doc)
	for _, step := range d.steps(s) {
		_, _ = fmt.Fprintf(w, "  %-12s %s\n", step.What, step.How)
	}
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	shown := 0
	chosen := chooseQuit
wait:
	for {
		select {
		case <-ctx.Done():
			break wait
		case <-ticker.C:
			said := s.Transcript()
			for _, line := range said[min(shown, len(said)):] {
				_, _ = fmt.Fprintf(w, "    %s\n", line)
			}
			shown = max(shown, len(said))
		case button := <-d.choices:
			if button.posture != "" && button.posture != c.Name {
				continue // pressed twice
			}
			chosen = button.choice
			if made, _ := s.Connections(); chosen == chooseNext && made == 0 {
				d.say("Nothing has connected yet. Try again, or skip.")
				_, _ = fmt.Fprintln(w, "  nothing has connected yet: try again, or skip")
				continue
			}
			break wait
		}
	}
	record, err := s.Finish(harness.Ran{})
	if err != nil {
		return nil, "", err
	}
	d.end(i, chosen, record)
	if chosen != chooseNext {
		return nil, chosen, nil
	}
	return &record, chosen, nil
}

func (d *desk) begin(i int, s *harness.Sitting) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.sits, d.note = i, s, ""
	d.rows[i].Now = true
}

func (d *desk) end(i int, chosen choice, record recording.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sits, d.rows[i].Now = nil, false
	switch chosen {
	case chooseNext:
		d.rows[i].Did = deeds(record)
	case chooseSkip:
		d.rows[i].Did = "skipped"
	}
}

func (d *desk) say(note string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.note = note
}

// step is one thing to set or to click.
type step struct{ What, How string }

// steps are what the person has to do now.
func (d *desk) steps(s *harness.Sitting) []step {
	c := s.Case
	server, act := "outgoing mail (SMTP)", "send a message to "+recording.Recipient
	if c.Protocol == login.POP3 {
		server, act = "incoming mail (POP3)", "look for new mail"
	}
	steps := []step{
		{"Server", server + " on " + d.host},
		{"Port", fmt.Sprint(s.Port)},
		{"User", s.Account + ", the sender's address too"},
		{"Password", "that in " + d.props.path("password")},
		{"Encryption", encryptionSetting(c)},
	}
	if c.Mode != recording.Off {
		steps = append(steps, step{"Certificate", map[recording.Trust]string{
			recording.TrustDefault:   "as installed; if the client asks whether to trust it, say no",
			recording.TrustAuthority: "have the client trust the authority in " + d.props.path("ca.pem"),
			recording.TrustAnything:  "checks off; or, if the client asks, accept it",
		}[c.Trust]})
	}
	return append(steps, step{"Then", act + ", and wait until the client is done"})
}

// view is what the page shows.
type view struct {
	Title      string
	Case       string
	Doc        string
	Position   string
	Steps      []step
	Transcript []string
	Connection string
	Note       string
	Rows       []deskRow
	Done       bool
	Token      string
}

func (d *desk) view() view {
	d.mu.Lock()
	v := view{Title: d.title, Note: d.note, Rows: slices.Clone(d.rows), Done: d.sits == nil,
		Position: fmt.Sprintf("%d of %d", d.at+1, len(d.rows))}
	s := d.sits
	d.mu.Unlock()
	if s == nil {
		return v
	}
	v.Case, v.Doc, v.Steps, v.Transcript = s.Case.Name, s.Case.Doc, d.steps(s), s.Transcript()
	made, open := s.Connections()
	v.Connection = fmt.Sprintf("%d connections, %d of them open", made, open)
	return v
}
