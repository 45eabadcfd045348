package reach_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// drips says a piece again and again, slowly, until the client goes.
func (p *peer) drips(piece string) {
	again := time.NewTicker(40 * time.Millisecond)
	defer again.Stop()
	for range again.C {
		if _, err := io.WriteString(p, piece); err != nil {
			return
		}
	}
}

// TestDragged: each answer may take a limit, and all of them together no more
// than a look may; what began to come is told from what did not.
func TestDragged(t *testing.T) {
	t.Parallel()
	const named, guessed = login.FoundNamed, login.FoundPort
	record := "\x16\x03\x03\x3f\xff" // how a long ServerHello begins (RFC 8446 5.1)
	for _, row := range []struct {
		name, why string
		found     login.Found
		protocol  login.Protocol
		implicit  bool
		script    func(*testing.T, *peer)
		want      stages
		says      string // at the stage that is wrong
	}{
		{"EHLO without end", "every line comes in time", guessed, login.SMTP, false, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.hears()
			p.drips("250-X\r\n")
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "unfinished"}, "did not come to an end within 400ms"},
		{"EHLO without end, named", "every line comes in time", named, login.SMTP, false, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.hears()
			p.drips("250-X\r\n")
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "unfinished"}, "did not come to an end within 600ms"},
		{"CAPA without end", "every line comes in time", guessed, login.POP3, false, func(_ *testing.T, p *peer) {
			p.says("+OK hello")
			p.hears()
			p.says("+OK")
			p.drips("X\r\n")
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "unfinished"}, "did not come to an end within 400ms"},
		{"EHLO that stops in the middle", "it did answer", named, login.SMTP, false, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.hears()
			p.says("250-mail.example.test")
			p.stays()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "unfinished"}, "did not come to an end within 300ms"},
		{"EHLO without end inside TLS", "", guessed, login.SMTP, true, func(t *testing.T, p *peer) {
			p = p.inside(good(t))
			p.says("220 hello")
			p.hears()
			p.drips("250-X\r\n")
		}, stages{"dns": ok, "connect": ok, "handshake": ok, "certificate": ok, "banner": ok, "hello-tls": "unfinished"}, "did not come to an end"},
		{"handshake in drops", "an octet is no answer", guessed, login.SMTP, true, func(_ *testing.T, p *peer) {
			_, _ = io.WriteString(p, record)
			p.drips("\x00")
		}, stages{"dns": ok, "connect": ok, "handshake": "unfinished"}, "did not come to an end within"},
		{"handshake in drops, named", "behind STARTTLS", named, login.SMTP, false, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(ehlo)
			p.says("220 go")
			_, _ = p.r.Peek(1)
			_, _ = io.WriteString(p, record)
			p.drips("\x00")
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": ok, "handshake": "unfinished", "auth": ok},
			"did not come to an end within"},
		{"silent after the greeting", "a guess is not worth a whole limit more", guessed, login.POP3, false, func(_ *testing.T, p *peer) {
			p.says("+OK hello")
			p.stays()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "timeout"}, "did not come to an end within 400ms"},
		{"silent after STARTTLS", "a guess is not worth a whole limit more", guessed, login.SMTP, false, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(ehlo)
			p.stays()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": "timeout", "auth": ok}, "did not come to an end within 400ms"},
		{"silent after its answer", "a guess is not worth a whole limit more", guessed, login.SMTP, false, func(_ *testing.T, p *peer) {
			p.says("220 hello")
			p.answers(ehlo)
			p.says("220 go")
			p.stays()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": ok, "handshake": "timeout", "auth": ok},
			"did not come to an end within 400ms"},
		{"silent inside TLS", "session tickets are no greeting", guessed, login.SMTP, true, func(t *testing.T, p *peer) {
			p.inside(good(t)).stays()
		}, stages{"dns": ok, "connect": ok, "handshake": ok, "certificate": ok, "banner": "silent"}, "says nothing"},
		{"a greeting without end of line", "it does speak", named, login.SMTP, false, func(_ *testing.T, p *peer) {
			_, _ = io.WriteString(p, "220")
			p.stays()
		}, stages{"dns": ok, "connect": ok, "banner": "unfinished"}, "begins to speak and does not end its line"},
		{"a greeting in drops", "it does speak", guessed, login.SMTP, false, func(_ *testing.T, p *peer) { p.drips("2") },
			stages{"dns": ok, "connect": ok, "banner": "unfinished"}, "begins to speak and does not end its line"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			at := serve(t, func(p *peer) { row.script(t, p) })
			c := caller(t)
			c.Connect, c.Limit = 400*time.Millisecond, 300*time.Millisecond // ample for what answers at once
			if row.found == guessed {
				c.Limit = patience
			}
			d := door(row.protocol, row.implicit, at)
			d.Found = row.found
			began := time.Now()
			look := c.Look(t.Context(), d, "ip4")
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			checkStages(t, look, row.want)
			said := ""
			for _, s := range login.Stages() {
				said += look.Explained[s]
			}
			if !strings.Contains(said, row.says) || strings.Contains(said, "--deadline") {
				t.Errorf("explained as %q: %s", said, row.why)
			}
			if stopped := c.Budget.Stopped(); stopped != "" {
				t.Errorf("stopped: %s", stopped)
			}
			done, err := c.Budget.Connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			done()
		})
	}
}

// TestGuessedDoorStopsNothing: what a door does that nobody has named is told of
// that door alone.
func TestGuessedDoorStopsNothing(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		script func(*peer)
		want   stages
	}{
		{"421", func(p *peer) { p.says("421 too many") }, stages{"dns": ok, "connect": ok, "banner": "turned-away"}},
		{"421 to EHLO", func(p *peer) {
			p.says("220 hello")
			p.hears()
			p.says("421 not now")
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "turned-away"}},
		{"closed on EHLO", func(p *peer) {
			p.says("220 hello")
			p.hears()
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": "closed"}},
		{"STARTTLS dropped", func(p *peer) {
			p.says("220 hello")
			p.answers(ehlo)
		}, stages{"dns": ok, "connect": ok, "banner": ok, "hello": ok, "starttls": "dropped", "auth": ok}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := caller(t)
			d := door(login.SMTP, false, serve(t, row.script))
			for _, d.Found = range []login.Found{login.FoundPort, login.FoundMX, login.FoundSRV, login.FoundAutoconfig} {
				checkStages(t, c.Look(t.Context(), d, "ip4"), row.want)
			}
			if stopped := c.Budget.Stopped(); stopped != "" {
				t.Errorf("stopped: %s", stopped)
			}
		})
	}
}

// TestOpenInTime: entering ends as well, and gives its place back.
func TestOpenInTime(t *testing.T) {
	t.Parallel()
	at := serve(t, func(p *peer) {
		p.says("220 hello")
		p.hears()
		p.drips("250-X\r\n")
	})
	c := caller(t)
	c.Limit, c.Budget = 200*time.Millisecond, budget.New(budget.Limits{Connections: 1}, nil)
	_, err := c.Open(t.Context(), reach.Look{Door: door(login.SMTP, false, at), Address: at}, login.Plain)
	if err == nil || !strings.Contains(err.Error(), "it did not let us in within 400ms") {
		t.Errorf("%v", err)
	}
	if stopped := c.Budget.Stopped(); stopped != "" {
		t.Errorf("stopped: %s", stopped)
	}
	done, err := c.Budget.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done()
}

// TestOpenStays: the time in which we must be let in is not that of the
// conversation behind it.
func TestOpenStays(t *testing.T) {
	t.Parallel()
	at := serve(t, func(p *peer) {
		p.says("220 hello")
		p.answers(map[string]string{"EHLO": "250 mail", "NOOP": "250 ok", "QUIT": "221 bye"})
	})
	c := caller(t)
	c.Limit = 200 * time.Millisecond
	talk, err := c.Open(t.Context(), reach.Look{Door: door(login.SMTP, false, at), Address: at}, login.Plain)
	if err != nil {
		t.Fatal(err)
	}
	defer talk.Quit()
	<-time.After(3 * c.Limit)
	if said, err := talk.Say("NOOP"); err != nil || !said.Positive {
		t.Errorf("%+v, %v", said, err)
	}
}
