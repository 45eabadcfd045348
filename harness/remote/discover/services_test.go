package discover_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/discover"
	"github.com/mailmatrix/mailmatrix/internal/certs"
)

const thunderbird = `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1"><emailProvider id="example.test">
<incomingServer type="imap"><hostname>mail.example.test</hostname><port>993</port><socketType>SSL</socketType></incomingServer>
<incomingServer type="pop3"><hostname>pop.%EMAILDOMAIN%</hostname><port>110</port><socketType>STARTTLS</socketType></incomingServer>
<outgoingServer type="smtp"><hostname>mail.example.test</hostname><port>465</port><socketType>SSL</socketType></outgoingServer>
<outgoingServer type="smtp"><hostname>mail.example.test</hostname><port>25</port><socketType>plain</socketType></outgoingServer>
</emailProvider></clientConfig>`

const outlook = `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
<Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"><Account>
<Protocol><Type>POP3</Type><Server>pop.example.test</Server><Port>995</Port><SSL>on</SSL></Protocol>
<Protocol><Type>SMTP</Type><Server>mail.example.test</Server><Port>587</Port><SSL>on</SSL><Encryption>TLS</Encryption></Protocol>
<Protocol><Type>IMAP</Type><Server>mail.example.test</Server><SSL>off</SSL></Protocol>
<Protocol><Type>WEB</Type><Server>www.example.test</Server></Protocol>
</Account></Response></Autodiscover>`

// TestServices has a web server for each thing that a domain's can say.
func TestServices(t *testing.T) {
	t.Parallel()
	domain := zone{"example.test. MX 10 mx.example.test."}
	const mx = "smtp://mx.example.test:25 mx"
	guessed := []string{
		"smtp://example.test:25 port typed", "smtp://example.test:587 port typed", "smtps://example.test:465 port typed",
		"pop3://example.test:110 port typed", "pop3s://example.test:995 port typed",
	}
	guessedElsewhere := []string{"example.test:143 imap", "example.test:993 imaps"}
	for _, row := range []struct {
		name, why string
		pages     map[string]string // what is at a host and path; a number is a status
		want      []string          // besides what DNS says
		elsewhere []string
		notes     []string
	}{
		{"nothing", "most domains have neither", nil, nil, nil, nil},
		{"autoconfig", "", map[string]string{"autoconfig.example.test/mail/config-v1.1.xml": thunderbird},
			[]string{"smtps://mail.example.test:465 autoconfig", "smtp://mail.example.test:25 autoconfig", "pop3://pop.example.test:110 autoconfig"},
			[]string{"mail.example.test:993 imaps"}, []string{"tells clients to use mail.example.test port 25 without TLS"}},
		{"well-known", "the second place", map[string]string{"example.test/.well-known/autoconfig/mail/config-v1.1.xml": thunderbird},
			[]string{"smtps://mail.example.test:465 autoconfig", "smtp://mail.example.test:25 autoconfig", "pop3://pop.example.test:110 autoconfig"},
			[]string{"mail.example.test:993 imaps"}, []string{"without TLS"}},
		{"autodiscover", "Encryption says more than SSL", map[string]string{"autodiscover.example.test/autodiscover/autodiscover.xml": outlook},
			[]string{"pop3s://pop.example.test:995 autodiscover", "smtp://mail.example.test:587 autodiscover"},
			[]string{"mail.example.test:143 imap"}, nil},
		{"a login is wanted", "Exchange says nothing to strangers", map[string]string{"autodiscover.example.test/autodiscover/autodiscover.xml": "401"}, nil, nil,
			[]string{"wants a login before it says anything (401)"}},
		{"no XML", "", map[string]string{"autoconfig.example.test/mail/config-v1.1.xml": "<html><body>Welcome"}, nil, nil,
			[]string{"cannot be read: it is not the XML"}},
		{"no server", "", map[string]string{"autodiscover.example.test/autodiscover/autodiscover.xml": "<Autodiscover/>"}, nil, nil,
			[]string{"cannot be read: it names no server"}},
		{"no host name", "it is named, quoted", map[string]string{"autoconfig.example.test/mail/config-v1.1.xml": strings.NewReplacer("mail.example.test", "m\x7fil").Replace(thunderbird)},
			[]string{"pop3://pop.example.test:110 autoconfig"}, nil, []string{`tells clients of "m\x7fil"`}},
		{"without end", "256 KiB are read", map[string]string{"autoconfig.example.test/mail/config-v1.1.xml": strings.Repeat(" ", 300<<10) + thunderbird}, nil, nil,
			[]string{"more than 262144 octets"}},
		{"elsewhere by HTTPS", "a redirection is followed", map[string]string{"autoconfig.example.test/mail/config-v1.1.xml": "https://example.test/x", "example.test/x": thunderbird},
			[]string{"smtps://mail.example.test:465 autoconfig", "smtp://mail.example.test:25 autoconfig", "pop3://pop.example.test:110 autoconfig"},
			[]string{"mail.example.test:993 imaps"}, []string{"without TLS"}},
		{"elsewhere in clear", "HTTP is not", map[string]string{"autoconfig.example.test/mail/config-v1.1.xml": "http://example.test/x", "example.test/x": thunderbird}, nil, nil, nil},
		{"round and round", "", map[string]string{"autoconfig.example.test/mail/config-v1.1.xml": "https://autoconfig.example.test/mail/config-v1.1.xml"}, nil, nil, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			web, options := website(t, "*.example.test", "example.test")
			web.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, _, secret := r.BasicAuth(); secret || r.TLS == nil {
					t.Errorf("%s is asked with a login, or in clear", r.URL)
				}
				switch page := row.pages[r.Host+r.URL.Path]; {
				case page == "":
					http.NotFound(w, r)
				case page == "401":
					w.WriteHeader(http.StatusUnauthorized)
				case strings.HasPrefix(page, "http"):
					http.Redirect(w, r, page, http.StatusFound)
				case strings.HasSuffix(r.URL.Path, "autodiscover.xml") && r.Method == http.MethodPost:
					if body, _ := io.ReadAll(r.Body); !strings.Contains(string(body), "<EMailAddress>postmaster@example.test<") {
						t.Errorf("asked %s", body)
					}
					fallthrough
				default:
					_, _ = io.WriteString(w, page)
				}
			})
			route := domain.route(t)
			route.Proxy = options.Route.Proxy
			options.Route = route
			found, err := discover.Find(t.Context(), discover.Asked{Names: []string{"example.test"}}, options)
			// Behind a proxy the name may have an address that is not known here.
			want := slices.Concat(row.want, []string{mx}, guessed, guessedElsewhere, row.elsewhere)
			if got := shown(found); err != nil || !slices.Equal(got, want) {
				t.Errorf("%v: %s\n%s\nwant\n%s", err, row.why, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			checkNotes(t, found.Notes, row.notes)
		})
	}
}

// website is one that every connection ends at, with a certificate for the
// names, and the options that trust it.
func website(t *testing.T, names ...string) (*httptest.Server, discover.Options) {
	t.Helper()
	authority, err := certs.NewAuthority("discover tests", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(certs.Leaf{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	own, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(http.NotFoundHandler())
	web.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
	web.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail, as they are meant to
	web.StartTLS()
	t.Cleanup(web.Close)
	options := discover.Options{Autoconfig: true, Roots: authority.Pool()}
	options.Route.Proxy = through(t, web.Listener.Addr().String())
	return web, options
}

// TestServiceWithBadCertificate: clients are refused there, which is worth a
// note, and nothing is believed.
func TestServiceWithBadCertificate(t *testing.T) {
	t.Parallel()
	_, options := website(t, "other.test")
	route := zone{"example.test. MX 10 mx.example.test."}.route(t)
	route.Proxy = options.Route.Proxy
	options.Route = route
	found, err := discover.Find(t.Context(), discover.Asked{Names: []string{"example.test"}}, options)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Notes) != 3 || !strings.Contains(fmt.Sprint(found.Notes), "autoconfig.example.test shows a certificate that clients refuse") {
		t.Errorf("%q", found.Notes)
	}
}
