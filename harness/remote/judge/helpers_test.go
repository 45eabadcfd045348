package judge

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// row builds a row of a ledger: what is said of Offered, Starts and Completes
// is one letter each, "y", "n" or "-" for not tried.
func row(m login.Mechanism, known string) login.MechanismResult {
	b := func(c byte) *bool {
		v := c == 'y'
		if c == '-' {
			return nil
		}
		return &v
	}
	r := login.MechanismResult{Mechanism: m, Offered: b(known[0]), Starts: b(known[1]), Completes: b(known[2]), Setting: login.Unknown}
	if known[0] == 'y' {
		r.Evidence = "250-AUTH " + string(m)
	}
	return r
}

// rows are several of them, such as "PLAIN y--".
func rows(all ...string) []login.MechanismResult {
	var rs []login.MechanismResult
	for _, a := range all {
		name, known, _ := strings.Cut(a, " ")
		rs = append(rs, row(login.Mechanism(name), known))
	}
	return rs
}

func link(t login.Transport, all ...string) login.TransportResult {
	return login.TransportResult{Transport: t, Mechanisms: rows(all...)}
}

// smtp is a door that answers, with a good certificate that every door shows.
func smtp(port string, links ...login.TransportResult) login.DoorResult {
	return answers(login.SMTP, port, links...)
}

func pop3(port string, links ...login.TransportResult) login.DoorResult {
	return answers(login.POP3, port, links...)
}

func answers(p login.Protocol, port string, links ...login.TransportResult) login.DoorResult {
	d := login.DoorResult{Protocol: p, Address: "192.0.2.10:" + port, Host: "mail.example.test", Found: login.FoundPort,
		Implicit: port == "465" || port == "995", Transports: links,
		Stages: map[login.Stage]string{login.StageDNS: "ok", login.StageConnect: "ok", login.StageBanner: "ok", login.StageHello: "ok",
			login.StageHandshake: "ok", login.StageCertificate: "ok"},
		Certificate: &login.CertificateResult{Days: 60, Until: "2027-01-01", SHA256: "aa"}}
	if !d.Implicit {
		d.Stages[login.StageStartTLS] = "ok"
	}
	return d
}

func closed(p login.Protocol, port string) login.DoorResult {
	d := answers(p, port)
	d.Certificate = nil
	d.Stages = map[login.Stage]string{login.StageDNS: "ok", login.StageConnect: "refused"}
	d.Explained = map[login.Stage]string{login.StageConnect: "the connection was refused"}
	return d
}

func with(d login.DoorResult, change func(*login.DoorResult)) login.DoorResult {
	change(&d)
	return d
}

// find is the finding whose ID ends so; it must be there.
func find(t *testing.T, all []Judged, end string) Judged {
	t.Helper()
	for _, r := range all {
		if r.ID == "scenario/door/"+end {
			return r
		}
	}
	var ids []string
	for _, r := range all {
		ids = append(ids, r.ID)
	}
	t.Fatalf("no finding %s among\n%s", end, strings.Join(ids, "\n"))
	return Judged{}
}

func count(all []Judged, v login.Verdict) (n int) {
	for _, r := range all {
		if r.Verdict == v {
			n++
		}
	}
	return n
}
