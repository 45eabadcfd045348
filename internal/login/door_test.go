package login

import "testing"

func TestSpeaks(t *testing.T) {
	for _, c := range []struct {
		name, why string
		implicit  bool
		stages    map[Stage]string
		links     []TransportResult
		speaks    bool
		trouble   Stage
	}{
		{"it answers", "", false, map[Stage]string{StageBanner: StageOK, StageHello: StageOK}, nil, true, ""},
		{"it turns us away", "", false, map[Stage]string{StageBanner: "turned-away"}, nil, false, StageBanner},
		{"it greets and hangs", "a banner alone is no service", false, map[Stage]string{StageBanner: StageOK, StageHello: "silent"}, nil, false, StageHello},
		{"HELO alone", "RFC 5321 3.2: it lets us in, without a list", false, map[Stage]string{StageBanner: StageOK, StageHello: "refused"},
			[]TransportResult{{Transport: Plain}}, true, StageHello},
		{"lost inside TLS", "in clear it answers", false, map[Stage]string{StageBanner: StageOK, StageHello: StageOK, StageHelloTLS: "closed"},
			[]TransportResult{{Transport: Plain}}, true, StageHelloTLS},
		{"lost on a port for TLS", "there is nothing else, and its certificate did not end it", true,
			map[Stage]string{StageBanner: StageOK, StageHandshake: StageOK, StageCertificate: CertificateExpired, StageHelloTLS: "closed"}, nil, false, StageHelloTLS},
		{"no way to log in", "it speaks", true, map[Stage]string{StageBanner: StageOK, StageHelloTLS: StageOK, StageAuth: AuthNone},
			[]TransportResult{{Transport: TLS}}, true, ""},
		{"nobody asked", "a report of others has what it has", false, map[Stage]string{StageBanner: StageOK}, nil, true, ""},
	} {
		d := DoorResult{Implicit: c.implicit, Stages: c.stages, Transports: c.links}
		if d.Speaks() != c.speaks || d.Trouble() != c.trouble {
			t.Errorf("%s: %s: speaks %v, trouble %q, want %v, %q", c.name, c.why, d.Speaks(), d.Trouble(), c.speaks, c.trouble)
		}
	}
}
