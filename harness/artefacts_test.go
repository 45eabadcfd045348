package harness_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/reports"
	"github.com/mailmatrix/mailmatrix/server"
)

// No canary is in any artefact, in any encoding: every format, with every
// transcript, of a good server and of bad ones whose failures are printed at
// length, and the server's log at its most talkative.
func TestNoCanaryInAnyArtefact(t *testing.T) {
	const seed = 7
	s := harness.SecretsOf(seed)
	secret := []wire.Needle{
		{Name: "password", Text: s.Password}, {Name: "override", Text: s.Override},
		{Name: "wrong password", Text: s.Wrong}, {Name: "Windows password", Text: s.WindowsPassword},
	}
	passwords := wire.NewSearcher(secret...)
	// A log tells who logged in. Everywhere else a name, though no secret, would
	// keep transcripts from being shared.
	everything := wire.NewSearcher(append(secret, wire.Needle{Name: "name", Text: s.Name},
		wire.Needle{Name: "Windows user", Text: s.WindowsUser})...)
	// These two databases have all mechanisms between them.
	grid := harness.Grid{Overrides: []login.Override{login.OverrideSet}, Databases: []login.Database{login.NT, login.Full},
		Profiles: []string{"probe", "outlook", "eudora-7-win"}}
	if testing.Short() {
		grid.Databases, grid.Transports = []login.Database{login.Full}, []login.Transport{login.Plain}
	}
	p := plan(t, grid)
	for _, bug := range []server.Bug{"", server.WrongAccepted, server.PolicyAtTheEnd} {
		t.Run("server "+string(bug), func(t *testing.T) {
			log := &lockedBuffer{}
			logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			reference, err := server.NewReference(server.WithBug(bug), server.WithLogger(logger))
			if err != nil {
				t.Fatal(err)
			}
			issues := &issuing{Reference: reference}
			report := harness.Run(context.Background(), p, harness.Config{Target: issues, Seed: seed,
				Transcripts: harness.KeepAll, Tool: "mailmatrix test"})
			if err := reference.Close(); err != nil {
				t.Error(err)
			}
			if len(report.Lines) < 50 || len(report.Transcripts) < p.Cells()/2 {
				t.Fatalf("%d lines, %d transcripts: there is nothing to search", len(report.Lines), len(report.Transcripts))
			}
			given := issues.search()
			if found := given.Find(fmt.Appendf(nil, "%s %s", issues.issued[0].Token, issues.issued[0].Key)); len(found) < 2 {
				t.Fatalf("of a token and a key the search finds %v", found)
			}
			artefacts := map[string][]byte{"log": log.Bytes(), "dump": fmt.Appendf(nil, "%+v", report)}
			for _, format := range reports.All() {
				var b bytes.Buffer
				if err := format.Write(&b, report, reports.Options{Width: 100, Verbose: true, Claims: []reports.Claim{{File: "policy.yaml"}}}); err != nil {
					t.Errorf("%s: %v", format.Name, err)
				}
				artefacts[format.Name] = b.Bytes()
			}
			for name, artefact := range artefacts {
				if len(artefact) == 0 {
					t.Errorf("%s is empty", name)
				}
				search := everything
				if name == "log" {
					search = passwords
				}
				for _, found := range append(search.Find(artefact), given.Find(artefact)...) {
					t.Errorf("%s shows the %s", name, found.Name)
				}
			}
		})
	}
}

// issuing is a target that remembers what it has given out.
type issuing struct {
	*server.Reference
	mu     sync.Mutex
	issued []login.Issued
}

func (i *issuing) Issue(account string, flaw login.Flaw) (login.Issued, error) {
	issued, err := i.Reference.Issue(account, flaw)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.issued = append(i.issued, issued)
	return issued, err
}

// search finds tokens, private keys and session keys.
func (i *issuing) search() *wire.Searcher {
	var needles []wire.Needle
	for _, issued := range i.issued {
		needles = append(needles, wire.Needle{Name: "token", Text: issued.Token})
		if lines := strings.Split(string(issued.Key), "\n"); len(lines) > 1 { // of PEM, the first with something of its own
			needles = append(needles, wire.Needle{Name: "client's key", Text: lines[1]})
		}
		for _, ticket := range issued.Tickets {
			needles = append(needles, wire.Needle{Name: "session key", Text: string(ticket.Key)})
		}
	}
	return wire.NewSearcher(needles...)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Bytes()
}
