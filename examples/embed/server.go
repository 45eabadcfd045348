// Package embed is a mail server of somebody else's and its suite: it shows
// how to put a server of your own under the matrix.
package embed

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/mailmatrix/mailmatrix/harness"
)

// Target starts a server of ours for each experiment.
type Target struct{}

func (Target) Name() string { return "toy" }

// Under says which states the toy cannot take: experiments that need them are
// skipped, with this reason.
func (Target) Under(_ context.Context, s harness.Setup) (harness.Door, error) {
	if s.Posture != (harness.Posture{}) {
		return nil, &harness.CannotError{What: "depart from its policy"}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &toy{listener: l, account: s.Accounts[0], permitted: s.Policy.For(harness.SMTP, "PLAIN") == harness.Allow}
	t.running.Go(t.serve)
	return t, nil
}

// toy is a server in one state, and the door into it.
type toy struct {
	listener  net.Listener
	account   harness.Account
	permitted bool
	running   sync.WaitGroup

	mu     sync.Mutex
	record []harness.Record
}

func (t *toy) Dial(ctx context.Context, p harness.Protocol, tr harness.Transport) (net.Conn, error) {
	if p != harness.SMTP || tr != harness.Plain {
		return nil, &harness.CannotError{What: fmt.Sprintf("speak %s on %s", p, tr)}
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", t.listener.Addr().String())
}

func (t *toy) Authority() *x509.CertPool { return nil }

func (t *toy) Record() []harness.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.record
}

func (t *toy) Close() error {
	err := t.listener.Close()
	t.running.Wait()
	return err
}

func (t *toy) serve() {
	for {
		c, err := t.listener.Accept()
		if err != nil {
			return
		}
		t.running.Go(func() { t.session(c) })
	}
}

func (t *toy) session(c net.Conn) {
	defer c.Close()
	in := bufio.NewScanner(c)
	say := func(line string) { fmt.Fprintf(c, "%s\r\n", line) }
	say("220 toy")
	for in.Scan() {
		words := strings.Fields(in.Text())
		switch {
		case len(words) == 0:
			say("500 5.5.2 nothing said")
		case words[0] == "EHLO" && t.permitted:
			say("250-toy\r\n250 AUTH PLAIN")
		case words[0] == "EHLO":
			say("250 toy")
		case words[0] == "AUTH":
			t.auth(words, in, say)
		case words[0] == "QUIT":
			say("221 2.0.0 bye")
			return
		default:
			say("500 5.5.1 unknown command")
		}
	}
}

func (t *toy) auth(words []string, in *bufio.Scanner, say func(string)) {
	if len(words) < 2 || words[1] != "PLAIN" || !t.permitted {
		t.note(harness.ByPolicy)
		say("504 5.5.4 not here")
		return
	}
	message := ""
	if len(words) == 3 {
		message = words[2]
	} else {
		say("334 ")
		if in.Scan() {
			message = in.Text()
		}
	}
	want := base64.StdEncoding.EncodeToString([]byte("\x00" + t.account.Name + "\x00" + t.account.Password))
	if message != want {
		t.note(harness.ByCredentials)
		say("535 5.7.8 wrong")
		return
	}
	t.note(harness.NotRefused)
	say("235 2.7.0 welcome")
}

func (t *toy) note(r harness.Refusal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.record = append(t.record, harness.Record{Protocol: harness.SMTP, Mechanism: "PLAIN", Refusal: r})
}
