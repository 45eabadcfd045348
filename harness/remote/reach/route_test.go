package reach_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

func pinOf(state tls.ConnectionState) [32]byte { return sha256.Sum256(state.PeerCertificates[0].Raw) }

func TestPrivate(t *testing.T) {
	for _, row := range []struct {
		address, why string
		want         bool
	}{
		{"127.0.0.1", "loopback", true}, {"127.0.0.2", "all of 127/8 is", true}, {"::1", "loopback", true},
		{"10.1.2.3", "RFC 1918", true}, {"172.31.0.1", "RFC 1918", true}, {"192.168.1.1", "RFC 1918", true},
		{"::ffff:10.1.2.3", "the same, mapped", true}, {"169.254.1.1", "link-local", true}, {"fe80::1%eth0", "link-local", true},
		{"fd00::1", "RFC 4193", true},
		{"192.0.2.1", "a public one, for papers", false}, {"172.32.0.1", "just outside", false}, {"2001:db8::1", "public", false},
		{"0.0.0.0", "no address of anybody", false},
	} {
		if got := reach.Private(netip.MustParseAddr(row.address)); got != row.want {
			t.Errorf("%s is private: %v (%s)", row.address, got, row.why)
		}
	}
	if reach.Private(netip.Addr{}) {
		t.Error("the zero address is private")
	}
}

// zone answers for mail.example.test, and otherwise as the name says.
func zone(t testing.TB) dns.HandlerFunc {
	record := func(text string) dns.RR {
		r, err := dns.NewRR(text)
		if err != nil {
			t.Error(err)
		}
		return r
	}
	return func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		switch name := q.Question[0].Name; {
		case name == "silent.example.test.":
			return
		case name == "broken.example.test.":
			m.Rcode = dns.RcodeServerFailure
		case name == "mail.example.test." && q.Question[0].Qtype == dns.TypeA:
			m.Answer = append(m.Answer, record("mail.example.test. 60 A 192.0.2.20"), record("mail.example.test. 60 A 192.0.2.10"))
		case name == "mail.example.test." && q.Question[0].Qtype == dns.TypeAAAA:
			m.Answer = append(m.Answer, record("mail.example.test. 60 AAAA 2001:db8::10"))
		case name != "mail.example.test.":
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	addresses := func(all ...string) []netip.Addr {
		var found []netip.Addr
		for _, a := range all {
			found = append(found, netip.MustParseAddr(a))
		}
		return found
	}
	route := reach.Route{Resolver: resolver(t, zone(t)), Fixed: []reach.Fixed{
		{Host: "fixed.test", Addr: netip.MustParseAddr("192.0.2.1")}, {Host: "Fixed.test.", Port: 25, Addr: netip.MustParseAddr("192.0.2.25")},
	}}
	for _, row := range []struct {
		name, why, host string
		port            uint16
		family          string
		want            []netip.Addr
	}{
		{"both", "sorted, whatever order the DNS has", host, 25, "ip", addresses("192.0.2.10", "192.0.2.20", "2001:db8::10")},
		{"one family", "", host, 25, "ip6", addresses("2001:db8::10")},
		{"literal", "nobody is asked", "192.0.2.7", 25, "ip4", addresses("192.0.2.7")},
		{"literal of the other family", "", "192.0.2.7", 25, "ip6", nil},
		{"fixed for all ports", "", "fixed.test", 587, "ip4", addresses("192.0.2.1")},
		{"fixed for this port", "it comes first, and case does not matter", "FIXED.test", 25, "ip4", addresses("192.0.2.25", "192.0.2.1")},
		{"fixed in the other family", "the DNS is not asked in its place", "fixed.test", 25, "ip6", nil},
		{"no such name", "", "nothing.example.test", 25, "ip", nil},
	} {
		got, err := route.Lookup(t.Context(), row.host, row.port, row.family)
		if !slices.Equal(got, row.want) || (err == nil) != (row.want != nil) {
			t.Errorf("%s: %v, %v, want %v: %s", row.name, got, err, row.want, row.why)
		}
	}
}

// TestNoWay has a route for each word of the stages before the greeting.
func TestNoWay(t *testing.T) {
	t.Parallel()
	silentProxy := newSocks(t, &socks{reply: silence})
	saying := func(reply byte) *url.URL { return proxyAt(newSocks(t, &socks{reply: reply}).at, nil) }
	for _, row := range []struct {
		name, why string
		host      string
		family    string
		change    func(*reach.Caller)
		want      stages
	}{
		{"no address", "", "nothing.example.test", "ip4", nil, stages{"dns": "no-address"}},
		{"none in this family", "", "192.0.2.1", "ip6", nil, stages{"dns": "no-address"}},
		{"no answer", "", "silent.example.test", "ip4", func(c *reach.Caller) { c.Connect = short }, stages{"dns": "timeout"}},
		{"an answer that is none", "SERVFAIL", "broken.example.test", "ip4", nil, stages{"dns": "failed"}},
		{"refused", "nobody listens", "127.0.0.1", "ip4", nil, stages{"dns": ok, "connect": "refused"}},
		{"refused behind a proxy", "RFC 1928 6: 5", "192.0.2.1", "ip4", func(c *reach.Caller) { c.Route.Proxy = saying(5) }, stages{"dns": ok, "connect": "refused"}},
		{"unreachable", "RFC 1928 6: 4", "192.0.2.1", "ip4", func(c *reach.Caller) { c.Route.Proxy = saying(4) }, stages{"dns": ok, "connect": "unreachable"}},
		{"no reply", "a firewall that drops", "192.0.2.1", "ip4", func(c *reach.Caller) {
			c.Connect, c.Route.Proxy = short, proxyAt(silentProxy.at, nil)
		}, stages{"dns": ok, "connect": "timeout"}},
		{"forbidden by the proxy", "RFC 1928 6: 2, so the server is not to blame", "192.0.2.1", "ip4", func(c *reach.Caller) { c.Route.Proxy = saying(2) },
			stages{"dns": ok, "connect": "proxy"}},
		{"no proxy there", "", "192.0.2.1", "ip4", func(c *reach.Caller) { c.Route.Proxy = proxyAt(netip.MustParseAddrPort("127.0.0.1:1"), nil) },
			stages{"dns": ok, "connect": "proxy"}},
		{"another kind of proxy", "", "192.0.2.1", "ip4", func(c *reach.Caller) { c.Route.Proxy = &url.URL{Scheme: "http", Host: "127.0.0.1:1"} },
			stages{"dns": ok, "connect": "proxy"}},
		{"source of the other family", "", "127.0.0.1", "ip4", func(c *reach.Caller) { c.Route.Source = netip.MustParseAddr("::1") },
			stages{"dns": ok, "connect": "source"}},
		{"source of another machine", "", "127.0.0.1", "ip4", func(c *reach.Caller) { c.Route.Source = netip.MustParseAddr("192.0.2.99") },
			stages{"dns": ok, "connect": "source"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := caller(t)
			c.Route.Resolver = resolver(t, zone(t))
			if row.change != nil {
				row.change(c)
			}
			d := reach.Door{Protocol: login.SMTP, Host: row.host, Port: 1, Found: login.FoundNamed}
			look := c.Look(t.Context(), d, row.family)
			checkStages(t, look, row.want)
			if t.Failed() {
				t.Logf("%s: %+v", row.why, look)
			}
		})
	}
}

func proxyAt(at netip.AddrPort, user *url.Userinfo) *url.URL {
	return &url.URL{Scheme: "socks5", Host: at.String(), User: user}
}

// TestProxy: the proxy is given addresses, and a name only where there is no
// address here.
func TestProxy(t *testing.T) {
	t.Parallel()
	at := serve(t, func(p *peer) {
		p.says("220 hello")
		p.answers(map[string]string{"EHLO": "250 mail", "QUIT": "221 bye"})
	})
	for _, row := range []struct {
		name, why, host, asked string
		user                   string
		given                  *url.Userinfo
		connected              bool
	}{
		{"an address", "we resolve", host, "192.0.2.10:25", "", nil, true},
		{"a name that only the proxy can know", "it may be inside", "inside.example.test", "inside.example.test:25", "", nil, true},
		{"a name when the DNS is down", "a machine that sees the world through the proxy alone", "broken.example.test", "broken.example.test:25", "", nil, true},
		{"a password", "RFC 1929", host, "192.0.2.10:25", "me:sesame", url.UserPassword("me", "sesame"), true},
		{"a wrong password", "it is not shown", host, "", "me:sesame", url.UserPassword("me", "xyzzy"), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSocks(t, &socks{to: at.String(), user: row.user})
			c := caller(t)
			c.Route = reach.Route{Resolver: resolver(t, zone(t)), Proxy: proxyAt(s.at, row.given)}
			d := reach.Door{Protocol: login.SMTP, Host: row.host, Port: 25, Found: login.FoundNamed}
			look := c.Look(t.Context(), d, "ip4")
			if got := look.Stages["banner"] == ok; got != row.connected {
				t.Errorf("connected %v: %s: %+v", got, row.why, look)
			}
			if got := strings.Join(s.asked(), " "); got != row.asked {
				t.Errorf("the proxy was asked for %q, want %q: %s", got, row.asked, row.why)
			}
			if strings.Contains(look.Explained["connect"], "xyzzy") {
				t.Error("the password is shown")
			}
			if look.From.IsValid() {
				t.Errorf("from %s: the server sees the proxy's address, which nobody here knows", look.From)
			}
			if !row.connected {
				return
			}
			talk, err := c.Open(t.Context(), look, login.Plain)
			if err != nil {
				t.Fatal(err)
			}
			talk.Quit()
			if !c.Knock(t.Context(), row.host, 25) {
				t.Error("the port is open")
			}
		})
	}
	t.Run("once", func(t *testing.T) {
		c := caller(t)
		c.Route = reach.Route{Resolver: resolver(t, zone(t)), Proxy: proxyAt(netip.MustParseAddrPort("127.0.0.1:1"), nil)}
		look := c.Look(t.Context(), reach.Door{Protocol: login.SMTP, Host: "inside.example.test", Port: 25}, "ip6")
		checkStages(t, look, stages{"dns": "no-address"})
	})
}

// TestSource: connections come from the address that is asked for.
func TestSource(t *testing.T) {
	t.Parallel()
	from := make(chan string, 1)
	at := serve(t, func(p *peer) {
		from <- p.RemoteAddr().String()
		p.says("220 hello")
	})
	route := reach.Route{Source: netip.MustParseAddr("127.0.0.3")}
	conn, err := route.Dial(t.Context(), at.String())
	if err != nil {
		t.Skipf("this machine has no 127.0.0.3: %v", err)
	}
	_ = conn.Close()
	if got := <-from; !strings.HasPrefix(got, "127.0.0.3:") {
		t.Errorf("it came from %s", got)
	}
	if _, err := (reach.Route{}).Dial(t.Context(), "mail.example.test:25"); err == nil {
		t.Error("a name is not resolved behind the resolver's back")
	}
}

// TestIPv6: a look at ::1 says where it was.
func TestIPv6(t *testing.T) {
	t.Parallel()
	at := serveOn(t, "[::1]:0", func(p *peer) {
		p.says("220 hello")
		p.answers(map[string]string{"EHLO": "250 mail", "QUIT": "221 bye"})
	})
	d := reach.Door{Protocol: login.SMTP, Host: "::1", Port: at.Port(), Found: login.FoundNamed}
	look := caller(t).Look(t.Context(), d, "ip6")
	if look.Address != at || look.Stages["banner"] != ok || !strings.HasPrefix(d.Address(), "[::1]:") {
		t.Errorf("%+v", look)
	}
}

func TestKnock(t *testing.T) {
	t.Parallel()
	at := serve(t, func(p *peer) { p.stays() })
	c := caller(t)
	if !c.Knock(t.Context(), host, at.Port()) || c.Knock(t.Context(), host, 1) || c.Knock(t.Context(), "", 1) {
		t.Error("an open port is open, and nothing else")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if c.Knock(ctx, host, at.Port()) {
		t.Error("there was no time left")
	}
}

func TestErrors(t *testing.T) {
	inner := errors.New("inner")
	if err := (&reach.ProxyError{Proxy: "p:1", Err: inner}); !errors.Is(err, inner) || !strings.Contains(err.Error(), "p:1") {
		t.Error(err)
	}
}
