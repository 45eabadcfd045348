package harness_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// BenchmarkRun is the default run beside a bare program that opens as many
// connections, with the same handshakes and the same lines, both ends in one
// process, and does nothing else. Both run in turn, so that a noisy machine
// is noisy for both; "ratio" is ours to the bare program's.
//
//	go test ./harness -run - -bench Run -benchtime 5x
func BenchmarkRun(b *testing.B) {
	p := plan(b, harness.Grid{})
	r := reference(b)
	config := harness.Config{Target: r, Transcripts: harness.KeepAll}
	scripts := scriptsOf(harness.Run(context.Background(), p, config))
	bare := newBare(b)
	config.Transcripts = harness.KeepFailed

	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		report := harness.Run(context.Background(), p, config)
		middle := time.Now()
		bare.run(b, scripts)
		ours += middle.Sub(start)
		theirs += time.Since(middle)
		if report.ExitStatus() != 0 {
			b.Fatalf("%+v", report.Totals)
		}
	}
	b.ReportMetric(ours.Seconds()/float64(b.N), "run-s/op")
	b.ReportMetric(theirs.Seconds()/float64(b.N), "bare-s/op")
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkPlan is the plan of the default run alone.
func BenchmarkPlan(b *testing.B) {
	for b.Loop() {
		if _, err := harness.NewPlan(harness.Grid{}); err != nil {
			b.Fatal(err)
		}
	}
}

// sayings is what one experiment said on the wire: who speaks, and how long
// the line is.
type sayings struct {
	lines   []scriptLine
	refused bool // the port was closed
	old     bool // TLS 1.0 with RSA, as the old clients
}

type scriptLine struct {
	server bool
	tls    bool
	text   string
}

// scriptsOf takes the conversations of a run apart.
func scriptsOf(report login.Report) []sayings {
	var scripts []sayings
	add := func(transcript *int, profile string, closed bool) {
		s := sayings{refused: closed, old: profile == "eudora-7-win" || profile == "outlook-express-6"}
		if transcript != nil {
			for _, i := range report.Transcripts[*transcript] {
				line := report.Lines[i]
				mark, text, _ := strings.Cut(line, " ")
				if mark != "*" {
					s.lines = append(s.lines, scriptLine{mark[0] == 'S', strings.HasSuffix(mark, "+"), text + "\r\n"})
				}
			}
		}
		scripts = append(scripts, s)
	}
	for _, c := range report.Cells {
		add(c.Transcript, c.Profile, c.Flavour == login.Classic && c.Transport == login.TLS)
	}
	for _, s := range report.Scenarios {
		add(s.Transcript, s.Profile, false)
	}
	return scripts
}

// bare is the least that a program can do: a listener for each worker, and
// the lines.
type bare struct {
	server, client, oldClient *tls.Config
}

func newBare(b *testing.B) *bare {
	authority, err := certs.NewAuthority("bare", time.Now())
	if err != nil {
		b.Fatal(err)
	}
	p := &bare{server: &tls.Config{MinVersion: tls.VersionTLS10, SessionTicketsDisabled: true,
		Certificates: leaves(b, authority)}}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		p.server.CipherSuites = append(p.server.CipherSuites, s.ID)
	}
	p.client = &tls.Config{ServerName: login.DefaultIdentity, RootCAs: authority.Pool(),
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256}} //nolint:gosec // as the clients have it
	p.oldClient = p.client.Clone()
	p.oldClient.MinVersion, p.oldClient.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
	p.oldClient.CipherSuites = []uint16{tls.TLS_RSA_WITH_RC4_128_SHA, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA}
	return p
}

func (p *bare) run(b *testing.B, scripts []sayings) {
	work := make(chan sayings)
	var workers sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = l.Close() }()
			for s := range work {
				if err := p.play(l, s); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, s := range scripts {
		work <- s
	}
	close(work)
	workers.Wait()
}

// play opens one connection and says the lines from both ends.
func (p *bare) play(l net.Listener, s sayings) error {
	if s.refused {
		c, err := net.Dial("tcp", "127.0.0.1:1")
		if err == nil {
			_ = c.Close()
		}
		return nil
	}
	ours, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	theirs, err := l.Accept()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- p.side(theirs, s, true) }()
	err = p.side(ours, s, false)
	if other := <-done; err == nil {
		err = other
	}
	return err
}

// side is one end: it writes its own lines, a group at a time, and reads the
// other's.
func (p *bare) side(c net.Conn, s sayings, server bool) error {
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	encrypted := false
	for i := 0; i < len(s.lines); i++ {
		line := s.lines[i]
		if line.tls && !encrypted {
			encrypted = true
			config := p.client
			if s.old {
				config = p.oldClient
			}
			t := tls.Client(c, config)
			if server {
				t = tls.Server(c, p.server)
			}
			if err := t.Handshake(); err != nil {
				return fmt.Errorf("handshake: %w", err)
			}
			c = t
			r.Reset(t)
		}
		if line.server != server {
			if _, err := r.ReadSlice('\n'); err != nil {
				return err
			}
			continue
		}
		group := line.text
		for i+1 < len(s.lines) && s.lines[i+1].server == server && s.lines[i+1].tls == line.tls {
			i++
			group += s.lines[i].text
		}
		if _, err := io.WriteString(c, group); err != nil {
			return err
		}
	}
	return nil
}
