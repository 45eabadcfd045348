package interop

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// maxRetry is how many matches in ten minutes have fail2ban ban an address, as
// Debian has it.
const maxRetry = 5

// aggressive is what Debian has nobody banned by, unless an administrator says
// so: it counts every connection that ends without QUIT, and so some of the
// requirements on TLS, which end in the midst of a handshake.
const aggressive = "[mode=aggressive]"

// bansNobody has fail2ban's own filters read the server's log: of what a check
// does unasked none of them counts a line, and a probe is banned by none. That
// the filters see anything is proved by logins with wrong passwords.
func bansNobody(t *testing.T, s checked) {
	t.Helper()
	program := need(t, "fail2ban-regex", "fail2ban")
	s.loginsByHand(t)
	s.awaitHand(t, program)
	for _, filter := range s.filters {
		matches := s.matches(t, program, filter)
		t.Logf("%s: by default %d (lists alone %d), --probe %d (alone %d), --probe --login %d, --lab %d, three wrong passwords %d",
			filter, matches[fromDefault], matches[fromLists], matches[fromProbe], matches[fromQuery], matches[fromLogin], matches[fromLab],
			matches[fromHand])
		if n := matches[fromLists]; n != 0 {
			t.Errorf("%s counts %d lines of a look at lists", filter, n)
		}
		if strings.HasSuffix(filter, aggressive) {
			continue
		}
		if n := matches[fromDefault]; n != 0 {
			t.Errorf("%s counts %d lines of a check that asks nothing", filter, n)
		}
		for _, from := range []string{fromProbe, fromQuery, fromLogin} {
			if n := matches[from]; n >= maxRetry {
				t.Errorf("%s counts %d lines of a check from %s and bans it", filter, n, from)
			}
		}
	}
}

// matches counts the lines of the log that a filter sees, for each address.
func (s checked) matches(t *testing.T, program, filter string) map[string]int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, "--raw", "--out", "ip", s.log, filter).Output()
	if err != nil {
		t.Fatalf("fail2ban-regex %s: %v", filter, err)
	}
	matches := map[string]int{}
	for _, ip := range strings.Fields(string(out)) {
		matches[ip]++
	}
	return matches
}

// byHand is how many wrong passwords are tried by hand.
const byHand = 3

// logsWithin is how late a line of a log may be.
const logsWithin = 10 * time.Second

// awaitHand waits until the first filter sees the logins by hand, which come
// last: a log is written when there is time for it.
func (s checked) awaitHand(t *testing.T, program string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), logsWithin)
	defer cancel()
	retry := time.NewTicker(200 * time.Millisecond)
	defer retry.Stop()
	for s.matches(t, program, s.filters[0])[fromHand] < byHand {
		select {
		case <-retry.C:
		case <-ctx.Done():
			t.Fatalf("%s does not see %d wrong passwords in %s, so that it proves nothing", s.filters[0], byHand, s.log)
		}
	}
}

// loginsByHand logs in with wrong passwords, on a connection each.
func (s checked) loginsByHand(t *testing.T) {
	t.Helper()
	var hands sync.WaitGroup
	for range byHand {
		hands.Go(func() {
			if err := s.loginByHand(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	hands.Wait()
}

func (s checked) loginByHand(ctx context.Context) error {
	d := s.checkedDoors()[1] // submissions, which all of them have
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(fromHand)}}).DialContext(ctx, "tcp", d.address)
	if err != nil {
		return err
	}
	// Nobody is asked who the server is: no real password follows.
	inside := tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	defer func() { _ = inside.Close() }()
	if err := inside.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	encode := base64.StdEncoding.EncodeToString
	lines := []string{"EHLO by.hand.invalid", "AUTH PLAIN " + encode([]byte("\x00"+s.site.account.Name+"\x00wrong")), "QUIT"}
	if s.name == "dovecot-c" { // it has no PLAIN
		lines = slices.Replace(lines, 1, 2, "AUTH LOGIN", encode([]byte(s.site.account.Name)), encode([]byte("wrong")))
	}
	answers := bufio.NewReader(inside)
	for _, line := range append([]string{""}, lines...) {
		if line != "" {
			if _, err := fmt.Fprintf(inside, "%s\r\n", line); err != nil {
				return err
			}
		}
		for more := true; more; {
			answer, err := answers.ReadString('\n')
			if err != nil {
				return fmt.Errorf("%s: %w", line, err)
			}
			more = len(answer) > 3 && answer[3] == '-' // RFC 5321 4.2.1
		}
	}
	return nil
}

// showsNothing: with a probe and a login, nothing of a real account crosses a
// link that is not inside verified TLS: no password, and no proof, each of which
// is sent with the account's name. Where the certificate is nobody's, nothing is
// sent at all.
func showsNothing(t *testing.T, s checked, report login.Report, proxies []*proxy) {
	t.Helper()
	if found := crossed(proxies, s.site.account); found != nil {
		t.Errorf("on a clear link: %v", found)
	}
	completes := 0
	for _, d := range report.Targets[0].Doors {
		for _, tr := range d.Transports {
			for _, m := range tr.Mechanisms {
				if m.Completes != nil && *m.Completes {
					completes++
				}
			}
		}
	}
	// A server that refuses what it offers may use up what may be refused.
	spent := report.Targets[0].Effort.Auths >= 4
	if s.selfSigned && completes > 0 || !s.selfSigned && completes == 0 && !spent {
		t.Errorf("%d ways to log in, and the certificate is self-signed: %t", completes, s.selfSigned)
	}
}

// crossed are the secrets that crossed below TLS.
func crossed(proxies []*proxy, account login.Account) []wire.Needle {
	search := wire.NewSearcher(wire.Needle{Name: "the password", Text: account.Password}, wire.Needle{Name: "the name", Text: account.Name})
	var found []wire.Needle
	for _, p := range proxies {
		p.mutex.Lock()
		for _, c := range p.taken {
			c.mutex.Lock()
			found = append(found, search.Find(c.up.Bytes())...)
			found = append(found, search.Find(c.down.Bytes())...)
			c.mutex.Unlock()
		}
		p.mutex.Unlock()
	}
	return found
}

// TestCrossed: what looks into the capture sees a password there, so that its
// silence means something.
func TestCrossed(t *testing.T) {
	account := newStandingAccount("erin")
	server := scriptedServers[0]
	seen, proxies := proxied(t, []door{server.door(server.start(t, account))}, fromDefault, fault{})
	q := inquire(t, seen, fromDefault, nil)
	q.options.Lab, q.options.Account = true, holds(account, nil)
	q.ledgerAlone(t)
	if found := crossed(proxies, account); len(found) == 0 || found[0].Name != "the name" {
		t.Errorf("a CRAM-MD5 proof in clear: %v", found)
	}
	server = scriptedServers[1]
	seen, proxies = proxied(t, []door{server.door(server.start(t, account))}, fromDefault, fault{})
	q = inquire(t, seen, fromDefault, nil)
	q.options.Lab, q.options.Account = true, holds(account, nil)
	q.ledgerAlone(t)
	if found := crossed(proxies, account); len(found) < 2 {
		t.Errorf("a password in clear: %v", found)
	}
}
