package ledger

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/mailmatrix/mailmatrix/harness/remote/budget"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/server"
)

// echoed is what [wire.Searcher.Veil] puts in the place of what it hides.
const echoed = "<a secret, echoed>"

// parrot stands before a door of a site, speaks TLS on both sides, and repeats
// what it has heard: in each answer that ends an exchange, and in the greetings
// that come afterwards.
type parrot struct {
	door    reach.Door
	secrets []string

	mu    sync.Mutex
	first int      // the form that the next connection repeats first
	said  []string // all that was repeated
}

// newParrot repeats the nth form first, and on each connection another.
func newParrot(t *testing.T, before reach.Door, issued login.Issued, n int) *parrot {
	t.Helper()
	a, err := authority()
	must(t, err)
	pair, err := a.Issue(certs.Leaf{Names: []string{host}})
	must(t, err)
	shown, err := pair.TLS()
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &parrot{door: door(before.Protocol, true, l), secrets: []string{alice.Password, issued.Token}, first: n}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = c.Close() }()
				_ = c.SetDeadline(time.Now().Add(patience))
				behind, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", before.Port), &tls.Config{RootCAs: a.Pool(), ServerName: host})
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = behind.Close() }()
				_ = behind.SetDeadline(time.Now().Add(patience))
				p.serve(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{shown}}), behind)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return p
}

func (p *parrot) serve(client, behind net.Conn) {
	in, answers := bufio.NewScanner(client), bufio.NewReader(behind)
	in.Buffer(nil, 1<<20)
	p.mu.Lock()
	first := p.first
	p.first++
	before := slices.Clone(p.said)
	p.mu.Unlock()
	greeting := p.answer(answers, "")
	if len(before) > 0 {
		head, text, _ := strings.Cut(greeting, " ")
		greeting = head + " " + before[(first*7)%len(before)] + " " + text
	}
	_, _ = client.Write([]byte(greeting))
	exchanging := false
	var heard []string
	for in.Scan() {
		line := in.Text()
		_, _ = behind.Write([]byte(line + "\r\n"))
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case exchanging:
			if message, err := base64.StdEncoding.DecodeString(line); err == nil {
				heard = append(heard, p.forms(line, message)...)
			}
		case verb == "PASS", verb == "APOP":
			heard = append(heard, p.forms(rest, []byte(rest))...)
		}
		answer := p.answer(answers, verb)
		exchanging = strings.HasPrefix(answer, "334") || strings.HasPrefix(answer, "+ ")
		if !exchanging && len(heard) > 0 {
			answer = p.repeats(answer, heard, first)
			heard = nil
		}
		if _, err := client.Write([]byte(answer)); err != nil {
			return
		}
	}
}

// answer reads one, all its lines.
func (p *parrot) answer(r *bufio.Reader, verb string) string {
	var all strings.Builder
	for {
		line, err := r.ReadString('\n')
		all.WriteString(line)
		switch {
		case err != nil:
			return all.String()
		case p.door.Protocol == login.SMTP && len(line) > 3 && line[3] == '-':
		case verb == "CAPA" && line != ".\r\n":
		default:
			return all.String()
		}
	}
}

// repeats is the answer with what was heard, each form on a line of its own
// where there may be several.
func (p *parrot) repeats(answer string, heard []string, first int) string {
	p.mu.Lock()
	p.said = append(p.said, heard...)
	p.mu.Unlock()
	if p.door.Protocol == login.POP3 {
		head, _, _ := strings.Cut(strings.TrimSpace(answer), " ")
		return head + " " + heard[first%len(heard)] + "\r\n"
	}
	var all strings.Builder
	for i := range heard {
		fmt.Fprintf(&all, "%s-%s\r\n", answer[:3], heard[(first+i)%len(heard)])
	}
	return all.String() + answer
}

// proofOf finds the proof in a message of CRAM-MD5 or APOP, SCRAM, DIGEST-MD5.
var proofOf = regexp.MustCompile(`(?: |,p=|,response=)([0-9A-Za-z+/]{27,}=*)`)

// forms are those in which a message and the secrets are repeated.
func (p *parrot) forms(sent string, message []byte) []string {
	if len(message) < 8 || string(message) == alice.Name {
		return nil
	}
	encoded := func(b []byte) []string {
		return []string{hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), base64.StdEncoding.EncodeToString(b),
			base64.RawURLEncoding.EncodeToString(b), base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(b)))}
	}
	all := append([]string{sent}, encoded(message)...)
	for _, s := range p.secrets {
		all = append(all, s, strings.ToUpper(s), "you said "+s+".", "<"+s+">")
		all = append(all, encoded([]byte(s))...)
		all = append(all, encoded([]byte(strings.Join(strings.Split(s, ""), "\x00")+"\x00"))...)
	}
	if m := proofOf.FindSubmatch(message); m != nil {
		proof := string(m[1])
		all = append(all, proof, "proof="+proof)
		all = append(all, encoded([]byte(proof))...)
		for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString} {
			if b, err := decode(proof); err == nil {
				all = append(all, encoded(b)...)
				break
			}
		}
	}
	if strings.HasPrefix(string(message), "NTLMSSP\x00\x03") {
		from := binary.LittleEndian.Uint32(message[24:])
		size := binary.LittleEndian.Uint16(message[20:])
		all = append(all, encoded(message[from:from+16])...)
		all = append(all, encoded(message[from:from+uint32(size)])...)
	}
	text := strings.Map(func(r rune) rune {
		if r == 0 || r == 1 {
			return ' '
		}
		return r
	}, string(message))
	if !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }) {
		all = append(all, text)
	}
	return all
}

// Whatever a server repeats of the account, in whatever form: nothing that is
// kept or told shows it.
func TestEchoes(t *testing.T) {
	s := start(t, login.Setup{Policy: login.Every(mech.Names(), login.Secure)}, budget.Limits{None: true})
	c := s.config(t)
	var parrots []*parrot
	c.Looks = nil
	for i := range 8 {
		p := newParrot(t, s.doors[[]int{submissions, pops}[i%2]], s.issued, 31*i)
		parrots = append(parrots, p)
		c.Looks = append(c.Looks, s.caller.Look(t.Context(), p.door, "ip4"))
	}
	c.Login, c.Everything = true, true
	var shown strings.Builder
	keep := func(what any) {
		b, err := json.Marshal(what)
		must(t, err)
		fmt.Fprintf(&shown, "%s\n%+v\n", b, what)
	}
	c.Told = func(_ int, _ login.Transport, row login.MechanismResult) { keep(row) }
	l := fill(t, c)
	keep(l)
	keep(c.Budget.Effort())
	for _, lines := range l.Lines {
		shown.WriteString(strings.Join(lines, "\n"))
	}
	everything := shown.String()
	for _, p := range parrots {
		p.mu.Lock()
		said := slices.Clone(p.said)
		p.mu.Unlock()
		if len(said) < 100 {
			t.Errorf("%s: %d forms were repeated", p.door.Protocol, len(said))
		}
		for _, form := range said {
			if strings.Contains(everything, form) {
				t.Errorf("%s: shown: %q", p.door.Protocol, form)
			}
		}
	}
	each(l.Doors, func(q question, r *login.MechanismResult) {
		lines := strings.Join(l.Lines[Key(q.door, q.link, q.mechanism)], "\n")
		if classOf(q.mechanism) >= login.ShowsVerifier && (!strings.HasSuffix(r.Reply, echoed) || !strings.Contains(lines, echoed)) {
			t.Errorf("%v: nothing was repeated: %q\n%s", q, r.Reply, lines)
		}
	})
}

// Why all was stopped, and why a row is left open, show no secret either.
func TestEchoesInReasons(t *testing.T) {
	line := base64.StdEncoding.EncodeToString([]byte("\x00" + alice.Name + "\x00" + alice.Password))
	for _, row := range []struct{ name, why, reply string }{
		{"stopped", "a 421 is the reason for what is left out", "421 4.7.0 " + line},
		{"no reply", "it is quoted, and cut off in the middle", strings.Repeat(".", 70) + line},
		{"nothing decided", "the reply is the reason", "454 4.7.0 " + alice.Password},
		{"without a code", "the first word is the secret", alice.Password},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := script(t, login.SMTP, "AUTH PLAIN LOGIN", answers(login.SMTP, map[string]string{"AUTH": "334 ", "*": row.reply}))
			c := s.config(t, budget.Limits{})
			c.Login, c.Cleartext = true, true
			l := fill(t, c)
			shown := fmt.Sprintf("%+v %+v", l, c.Budget.Effort())
			for _, secret := range []string{alice.Password, line[:12]} {
				if strings.Contains(shown, secret) {
					t.Errorf("%q is shown; %s: %s", secret, row.why, shown)
				}
			}
		})
	}
}

// A short password is hidden in a word that is too short to be decoded.
func TestShortSecret(t *testing.T) {
	e := echoesOf("bob", "k7Q", login.Issued{})
	for line, want := range map[string]string{
		"535 no":      "535 no",
		"535 k7Q?":    "535 " + echoed,
		"-ERR azdR":   "-ERR " + echoed,
		"+OK 6b3751":  "+OK " + echoed,
		"k7Q":         echoed,
		"250-AUTH":    "250-AUTH",
		"250-x k7q x": "250-" + echoed,
	} {
		if got := e.hide(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// What changes between the look and the login: the certificate, or that there is
// TLS. Whatever may be said in clear, nothing secret is said then.
func TestChangedSinceTheLook(t *testing.T) {
	for _, cleartext := range []bool{false, true} {
		a, err := authority()
		must(t, err)
		pair, err := a.Issue(certs.Leaf{Names: []string{"other.test"}})
		must(t, err)
		wrong, err := pair.TLS()
		must(t, err)
		setup := login.Setup{Policy: login.Every(mech.Names(), login.Secure)}
		s, other := start(t, setup, budget.Limits{}), start(t, setup, budget.Limits{}, server.WithCertificate(wrong))
		c := s.config(t)
		for i := range c.Looks {
			at := c.Looks[i].Address
			c.Looks[i].Address = other.at(i)
			if at == c.Looks[i].Address {
				t.Fatal("nothing has changed")
			}
			if c.Looks[i].Door.Implicit { // only TLS is of interest
				continue
			}
			delete(c.Looks[i].Links, login.Plain)
		}
		c.Login, c.Cleartext = true, cleartext
		l := fill(t, c)
		if other.count.count("AUTH", "USER", "PASS", "APOP") > 0 || c.Budget.Effort().Passwords > 0 {
			t.Errorf("said to who has another's certificate: %v", other.count.said)
		}
		if n, ok := find(l, "--trust"); !ok || n.Why != login.WhyRisk {
			t.Errorf("left: %v", l.NotTested)
		}

		for i, p := range []login.Protocol{login.SMTP, login.POP3} {
			stripped := script(t, p, map[login.Protocol]string{login.SMTP: "AUTH PLAIN LOGIN", login.POP3: "USER\r\nSASL PLAIN"}[p],
				answers(p, map[string]string{"AUTH": "334 ", "USER": "+OK", "*": "500 no"}))
			c := s.config(t)
			c.Looks = []reach.Look{c.Looks[2*i]}
			c.Looks[0].Address = stripped.at()
			delete(c.Looks[0].Links, login.Plain)
			c.Login, c.Cleartext = true, cleartext
			fill(t, c)
			stripped.mu.Lock()
			said := slices.Clone(stripped.said)
			stripped.mu.Unlock()
			for _, line := range said {
				if !strings.HasPrefix(line, "STARTTLS") && !strings.HasPrefix(line, "STLS") {
					t.Errorf("%s without TLS: %q was said", p, line)
				}
			}
			if len(said) == 0 {
				t.Errorf("%s: nobody asked for TLS", p)
			}
		}
	}
}

// Who permits what is said in clear has said nothing of who may hear it inside
// TLS.
func TestCleartextIsNoTrust(t *testing.T) {
	other, err := certs.NewAuthority("somebody else", time.Now())
	must(t, err)
	for _, any := range []bool{false, true} {
		s := start(t, login.Setup{Policy: login.Every(mech.Names(), login.Allow)}, budget.Limits{})
		s.caller.Trust.Roots, s.caller.Trust.Any = other.Pool(), any
		c := s.config(t)
		c.Login, c.Cleartext = true, true
		l := fill(t, c)
		inside := map[bool]int{}
		for _, said := range s.count.said {
			if verb, _, _ := strings.Cut(said.line, " "); slices.Contains([]string{"AUTH", "APOP", "USER", "PASS"}, verb) {
				inside[said.encrypted]++
			}
		}
		if inside[false] == 0 || inside[true] > 0 != any {
			t.Errorf("any certificate %v: logins in clear %d, inside TLS %d", any, inside[false], inside[true])
		}
		if n, ok := find(l, "--trust"); ok == any || ok && n.Why != login.WhyRisk {
			t.Errorf("any certificate %v: left: %v", any, l.NotTested)
		}
	}
}

// An error that quotes what is no reply is shown without the quotation.
func TestClean(t *testing.T) {
	quoting := fmt.Errorf("greeting: %w: %q", wire.ErrNoReply, alice.Password[:6])
	if got := clean(quoting).Error(); strings.Contains(got, alice.Password[:6]) {
		t.Error(got)
	}
	other := &budget.StoppedError{Reason: "421"}
	if got := clean(other); got != error(other) {
		t.Errorf("another error has become %v", got)
	}
}
