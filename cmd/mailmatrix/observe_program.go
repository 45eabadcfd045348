package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// doesNotApply is the exit status of a script that cannot configure its client
// as it is asked to.
const doesNotApply = 99

// program runs a client that needs no person.
type program struct {
	line    commandLine
	props   *observeProps
	host    string
	timeout time.Duration

	mu     sync.Mutex
	silent string // what one said that made no connection
}

// message is what is sent: 23 octets, as in the recordings.
const message = "Subject: lab\r\n\r\nhello\r\n"

// drive has the program log in once.
func (p *program) drive(ctx context.Context, s *harness.Sitting) (ran harness.Ran, applies bool, err error) {
	if !p.line.applies(s.Case) {
		return ran, false, nil
	}
	work, err := os.MkdirTemp(p.props.folder, "work-")
	if err != nil {
		return ran, false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	values := p.values(s, work)
	if err := os.WriteFile(values["netrc"], []byte(fmt.Sprintf("machine %s login %s password %s\n", p.host, s.Account, p.props.password)), privateFile); err != nil {
		return ran, false, err
	}

	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	words := p.line.fill(s.Case, values)
	c := exec.CommandContext(ctx, words[0], words[1:]...) //nolint:gosec // the user names the program
	c.Env = environment(values)
	if s.Case.Protocol == login.SMTP {
		c.Stdin = strings.NewReader(message)
	}
	said := &headWriter{}
	c.Stdout, c.Stderr = said, said
	ownGroup(c)
	c.Cancel = func() error { return endGroup(c) }
	c.WaitDelay = lastWord // for what left the group and holds the output
	if err := c.Start(); err != nil {
		return ran, false, fmt.Errorf("--exec: %w", err)
	}
	waiting := c.Wait()
	_ = endGroup(c) // what it has left behind
	var exit *exec.ExitError
	if waiting != nil && !errors.As(waiting, &exit) && !errors.Is(waiting, exec.ErrWaitDelay) && ctx.Err() == nil {
		return ran, false, waiting
	}
	ran = harness.Ran{Status: c.ProcessState.ExitCode(), TimedOut: errors.Is(ctx.Err(), context.DeadlineExceeded)}
	if made, _ := s.Connections(); made == 0 && ran.Status != doesNotApply {
		p.keepSilent(s.Case, ran, said.text())
	}
	return ran, ran.Status != doesNotApply, nil
}

// values are those of the placeholders.
func (p *program) values(s *harness.Sitting, work string) map[string]string {
	scheme := string(s.Case.Protocol)
	if s.Case.Mode == recording.Implicit {
		scheme += "s"
	}
	return map[string]string{
		"host": p.host, "port": strconv.Itoa(s.Port), "url": fmt.Sprintf("%s://%s:%d/", scheme, p.host, s.Port),
		"user": s.Account, "password-file": p.props.path("password"), "netrc": filepath.Join(work, "netrc"),
		"ca": p.props.path("ca.pem"), "message": p.props.path("message"), "recipient": recording.Recipient,
		"protocol": string(s.Case.Protocol), "mode": string(s.Case.Mode), "trust": string(s.Case.Trust), "work": work,
	}
}

// environment is the user's, but for a home without settings, and what a
// script needs to know.
func environment(values map[string]string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "MAILMATRIX_") && !strings.HasPrefix(v, "HOME=") && !strings.HasPrefix(v, "XDG_") {
			env = append(env, v)
		}
	}
	env = append(env, "HOME="+values["work"])
	for _, name := range placeholders {
		env = append(env, "MAILMATRIX_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+values[name])
	}
	return env
}

// keepSilent keeps what the first program said that never connected: it will
// have been called wrongly.
func (p *program) keepSilent(c recording.Case, ran harness.Ran, said string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent != "" {
		return
	}
	p.silent = fmt.Sprintf("in %s it ended with exit status %d", c.Name, ran.Status)
	if ran.TimedOut {
		p.silent = fmt.Sprintf("in %s it had to be ended", c.Name)
	}
	secret := wire.NewSearcher(wire.Needle{Name: "password", Text: p.props.password})
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); line != "" && len(secret.Find([]byte(line))) == 0 {
			p.silent += fmt.Sprintf(" and said %q", line)
			return
		}
	}
}

// headWriter keeps the beginning of what is written.
type headWriter struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

const mostKept = 4 << 10

func (w *headWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept.Write(b[:min(len(b), mostKept-w.kept.Len())])
	return len(b), nil
}

func (w *headWriter) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kept.String()
}
