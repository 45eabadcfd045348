package discover

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// longest is how much of an answer is read.
const longest = 256 << 10

// somebody is an address that every domain has (RFC 5321 4.5.1): the services
// want one, and the account's is nobody's business.
func somebody(domain string) string { return "postmaster@" + domain }

// autoconfig asks where Thunderbird looks at a domain's own place, by HTTPS
// alone.
func (s *search) autoconfig(ctx context.Context, domain string) answer {
	var a answer
	for _, url := range []string{
		"https://autoconfig." + domain + "/mail/config-v1.1.xml?emailaddress=" + somebody(domain),
		"https://" + domain + "/.well-known/autoconfig/mail/config-v1.1.xml?emailaddress=" + somebody(domain),
	} {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			continue // the name fits into no URL
		}
		body, ok := s.fetch(request, &a)
		if !ok {
			continue
		}
		servers, err := readAutoconfig(body, domain)
		if err != nil {
			a.note("what %s serves for Thunderbird cannot be read: %v", request.URL.Host, err)
			continue
		}
		a.servers(s, servers, login.FoundAutoconfig, request.URL.Host)
		return a // Thunderbird asks no further
	}
	return a
}

// autodiscover asks where Outlook looks, by HTTPS alone and without a login.
func (s *search) autodiscover(ctx context.Context, domain string) answer {
	var a answer
	for _, host := range []string{"autodiscover." + domain, domain} {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+host+"/autodiscover/autodiscover.xml",
			strings.NewReader(fmt.Sprintf(autodiscoverRequest, somebody(domain))))
		if err != nil {
			continue
		}
		request.Header.Set("Content-Type", "text/xml; charset=utf-8")
		body, ok := s.fetch(request, &a)
		if !ok {
			continue
		}
		servers, err := readAutodiscover(body)
		if err != nil {
			a.note("what %s serves for Outlook cannot be read: %v", host, err)
			continue
		}
		a.servers(s, servers, login.FoundAutodiscover, host)
		return a
	}
	return a
}

// fetch reads what is served. That there is nothing is no news.
func (s *search) fetch(request *http.Request, a *answer) (body []byte, ok bool) {
	client := &http.Client{
		Timeout: patience,
		CheckRedirect: func(next *http.Request, before []*http.Request) error {
			if next.URL.Scheme != "https" || len(before) >= most {
				return http.ErrUseLastResponse
			}
			return nil
		},
		Transport: &http.Transport{DialContext: s.dial, DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{RootCAs: s.Roots, MinVersion: tls.VersionTLS12}},
	}
	response, err := client.Do(request)
	if err != nil {
		if wrong := (*tls.CertificateVerificationError)(nil); errors.As(err, &wrong) {
			a.note("%s shows a certificate that clients refuse, so they learn no settings there", request.URL.Host)
		}
		return nil, false
	}
	defer func() { _ = response.Body.Close() }()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		a.note("%s wants a login before it says anything (401): what it tells clients is not known", request.URL.Host)
		return nil, false
	default:
		return nil, false
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, longest+1))
	switch {
	case err != nil:
		return nil, false
	case len(body) > longest:
		a.note("%s serves more than %d octets of settings: they are not read", request.URL.Host, longest)
		return nil, false
	}
	return body, true
}

// dial goes the same way as all else.
func (s *search) dial(ctx context.Context, _, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	found, err := s.Route.Lookup(ctx, host, uint16(number), "ip")
	if err != nil {
		if s.Route.Proxy != nil {
			return s.Route.Dial(ctx, address)
		}
		return nil, err
	}
	var conn net.Conn
	for _, a := range found {
		if conn, err = s.Route.Dial(ctx, netip.AddrPortFrom(a, uint16(number)).String()); err == nil {
			break
		}
	}
	return conn, err
}

// servers takes in what a service tells clients.
func (a *answer) servers(s *search, told []server, found login.Found, by string) {
	if len(told) > most*len(services) {
		a.note("%s tells clients of %d servers: the first %d are looked at", by, len(told), most*len(services))
		told = told[:most*len(services)]
	}
	for _, t := range told {
		host, err := hostName(t.host)
		if err != nil {
			a.note("%s tells clients of %.80q: %v", by, t.host, err)
			continue
		}
		if t.protocol == "" {
			a.elsewhere = append(a.elsewhere, Elsewhere{t.name(), host, t.port})
			continue
		}
		if t.clear {
			a.note("%s tells clients to use %s port %d without TLS", by, host, t.port)
		}
		a.doors = append(a.doors, s.door(t.protocol, t.implicit, host, t.port, found))
	}
}
