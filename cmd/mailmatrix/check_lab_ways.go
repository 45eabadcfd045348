package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailmatrix/mailmatrix/harness/remote/apply"
	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// ways are the doors of a laboratory, each with its address.
type ways struct {
	route reach.Route
	all   []way
}

type way struct {
	reach.Door
	to netip.AddrPort
}

// waysTo finds the addresses. One that the Internet reaches is refused: it would
// be somebody's server.
func waysTo(ctx context.Context, doors []reach.Door, route reach.Route) (*ways, error) {
	w := &ways{route: route}
	for _, d := range doors {
		found, err := route.Lookup(ctx, d.Host, d.Port, "ip")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Address(), err)
		}
		if !reach.Private(found[0]) {
			return nil, fmt.Errorf("--lab is for a server that may be thrown away, on a loopback or private address: %s is %s", d.Host, found[0])
		}
		w.all = append(w.all, way{d, netip.AddrPortFrom(found[0], d.Port)})
	}
	return w, nil
}

// first is the transport on which the door greets whoever comes.
func (w way) first() login.Transport {
	if w.Implicit {
		return login.TLS
	}
	return login.Plain
}

func (w *ways) doors() []apply.Door {
	all := make([]apply.Door, len(w.all))
	for i, d := range w.all {
		all[i] = apply.Door{Protocol: d.Protocol, Transport: d.first(), Address: d.to.String()}
	}
	return all
}

// dial connects to the first door that has the transport.
func (w *ways) dial(ctx context.Context, p login.Protocol, t login.Transport) (net.Conn, error) {
	for _, d := range w.all {
		if d.Protocol == p && slices.Contains(d.Transports(), t) {
			return w.route.Dial(ctx, d.to.String())
		}
	}
	return nil, &login.CannotError{What: fmt.Sprintf("speak %s on %s: no such door is named", p, t)}
}

// trusted is what clients trust, and the name by which they know the server. In
// a laboratory that is whatever it shows, under a name that it shows, unless
// --trust says otherwise.
func (w *ways) trusted(ctx context.Context, trust reach.Trust, host string) (*x509.CertPool, string) {
	if trust.Roots != nil {
		return trust.Roots, host
	}
	pool := x509.NewCertPool()
	for _, d := range w.all {
		shown := w.shown(ctx, d)
		if len(shown) == 0 || len(trust.Pins) > 0 && !slices.Contains(trust.Pins, sha256.Sum256(shown[0].Raw)) {
			continue
		}
		for _, c := range shown {
			pool.AddCert(c)
		}
		if shown[0].VerifyHostname(host) != nil && len(shown[0].DNSNames) > 0 {
			host = strings.Replace(shown[0].DNSNames[0], "*", "mail", 1)
		}
	}
	return pool, host
}

// shown are the certificates of a door; none where it shows none.
func (w *ways) shown(ctx context.Context, d way) []*x509.Certificate {
	t := login.StartTLS
	if d.Implicit {
		t = login.TLS
	}
	session := &scenarios.Session{Door: only{w, d}, Host: d.Host, AnyCertificate: true, Limit: lookLimit}
	talk, err := session.Open(ctx, d.Protocol, t)
	if err != nil {
		return nil
	}
	defer talk.Quit()
	return talk.TLSState().PeerCertificates
}

// lookLimit is how long a door may take for an answer to who looks at its
// certificate.
const lookLimit = 10 * time.Second

// only is one door of several.
type only struct {
	*ways
	way
}

func (o only) Dial(ctx context.Context, _ login.Protocol, _ login.Transport) (net.Conn, error) {
	return o.route.Dial(ctx, o.to.String())
}
func (only) Authority() *x509.CertPool { return nil }
func (only) Record() []login.Record    { return nil }
func (only) Close() error              { return nil }

// describe names the doors in the report: each has greeted, or the run would not
// have begun. A case is about the first of its protocol.
func (w *ways) describe(r *login.Report) {
	target := &r.Targets[0]
	target.Doors, target.Addresses = nil, nil
	first := map[login.Protocol]int{}
	for i, d := range w.all {
		if _, known := first[d.Protocol]; !known {
			first[d.Protocol] = i
		}
		target.Doors = append(target.Doors, login.DoorResult{
			Protocol: d.Protocol, Address: d.to.String(), Host: d.Host, Found: d.Found, Implicit: d.Implicit,
			Stages: map[login.Stage]string{login.StageConnect: login.StageOK, login.StageBanner: login.StageOK},
		})
		if a := d.to.Addr().String(); !slices.Contains(target.Addresses, a) {
			target.Addresses = append(target.Addresses, a)
		}
	}
	for i := range r.Cases {
		c := &r.Cases[i]
		c.Door = first[login.Protocols()[c.Door]]
	}
}
