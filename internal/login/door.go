package login

import (
	"fmt"
	"slices"
	"strings"
)

// TargetResult is a server that was looked at.
type TargetResult struct {
	Name  string       `json:"name"`
	Kind  string       `json:"kind"` // ReferenceTarget or RemoteTarget
	Doors []DoorResult `json:"doors"`
	// Addresses are those of a remote server; the first is the one that was
	// asked, and of the others only whether they say the same.
	Addresses []string `json:"addresses,omitempty"`
	// Effort is what a remote server was asked to do; nil for one that is ours.
	Effort *Effort `json:"effort,omitempty"`
	// Asked, in a report of several servers, is how the run about this one was
	// asked: a selection of the whole would be nobody's.
	Asked *Asked `json:"asked,omitempty"`
}

// Asked is what repeats a run: its number, and what narrowed it.
type Asked struct {
	Seed      uint64              `json:"seed"`
	Selection map[string][]string `json:"selection"`
}

// AskedOf is how the run about a target was asked. Of several servers in a
// report that does not say it for each, nobody knows.
func (r *Report) AskedOf(target int) (_ Asked, known bool) {
	if asked := r.Targets[target].Asked; asked != nil {
		return *asked, true
	}
	return Asked{r.Seed, r.Selection}, len(r.Targets) == 1
}

// DoorResult is one address of a server.
type DoorResult struct {
	Protocol Protocol `json:"protocol"`
	// Address is an IP address with its port, or the name with its port where
	// none was found.
	Address string `json:"address"`
	// Host is the name by which the door was asked for, Found how we came to
	// it, and Software what greets there, guessed; "" where that is not known.
	Host     string `json:"host,omitempty"`
	Found    Found  `json:"found,omitempty"`
	Software string `json:"software,omitempty"`
	// Implicit: TLS from the first octet.
	Implicit bool   `json:"implicit,omitempty"`
	Greeting string `json:"greeting,omitempty"`
	// Stages are the steps that were taken, each [StageOK] or a word for what
	// was wrong; Explained says the latter in a sentence.
	Stages      map[Stage]string      `json:"stages"`
	Explained   map[Stage]string      `json:"explained,omitempty"`
	Certificate *CertificateResult    `json:"certificate,omitempty"`
	Transports  []TransportResult     `json:"transports"`
	Policy      map[Mechanism]Setting `json:"policy"`
}

// Found is how a door was found.
type Found string

const (
	FoundNamed        Found = "named"        // the user has named this very door
	FoundPort         Found = "port"         // a usual port of a name
	FoundSRV          Found = "srv"          // RFC 6186, RFC 8314 5.1
	FoundMX           Found = "mx"           // RFC 5321 5.1
	FoundAutoconfig   Found = "autoconfig"   // Thunderbird's
	FoundAutodiscover Found = "autodiscover" // Microsoft's
)

// Stage is a step on the way into a door.
type Stage string

const (
	StageDNS         Stage = "dns"         // the name has an address
	StageConnect     Stage = "connect"     // the port takes connections
	StageBanner      Stage = "banner"      // the server greets, and takes us in
	StageHello       Stage = "hello"       // EHLO, CAPA
	StageStartTLS    Stage = "starttls"    // STARTTLS, STLS
	StageHandshake   Stage = "handshake"   // TLS
	StageCertificate Stage = "certificate" // what it shows there
	StageHelloTLS    Stage = "hello-tls"   // EHLO, CAPA inside TLS
	StageAuth        Stage = "auth"        // there is a way to log in
)

// Stages lists them in the order in which they come.
func Stages() []Stage {
	return []Stage{StageDNS, StageConnect, StageBanner, StageHello, StageStartTLS, StageHandshake, StageCertificate,
		StageHelloTLS, StageAuth}
}

// StageOK is the status of a step that led on.
const StageOK = "ok"

// ConnectStopped is the status of [StageConnect] at a door that was never
// knocked at, because the server had shown elsewhere that it has had enough.
const ConnectStopped = "stopped"

// AuthNone is the status of [StageAuth] where the lists name no way to log in.
const AuthNone = "none"

// What a certificate can have wrong: statuses of [StageCertificate].
const (
	CertificateSelfSigned = "self-signed"
	CertificateUnknown    = "unknown-authority"
	CertificateIncomplete = "incomplete-chain"
	CertificateExpired    = "expired"
	CertificateNotYet     = "not-yet-valid"
	CertificateOtherName  = "other-name"
)

// Speaks reports whether somebody behind the door speaks its protocol: greets,
// and answers when asked what is offered. Who knows no more than HELO has not
// passed that stage, and has a transport all the same.
func (d DoorResult) Speaks() bool {
	first := StageHello
	if d.Implicit {
		first = StageHelloTLS
	}
	if d.Stages[StageBanner] != StageOK {
		return false
	}
	asked := d.Stages[first]
	return asked == "" || asked == StageOK || len(d.Transports) > 0
}

// Trouble is the first step that did not lead on, "" where all did. What is wrong
// with a certificate or with the ways to log in ends nothing.
func (d DoorResult) Trouble() Stage {
	for _, s := range Stages() {
		if status := d.Stages[s]; status != "" && status != StageOK && s != StageCertificate && s != StageAuth {
			return s
		}
	}
	return ""
}

// Transport is what the door offers on t; ok is false where it was not looked at.
func (d DoorResult) Transport(t Transport) (_ TransportResult, ok bool) {
	i := slices.IndexFunc(d.Transports, func(r TransportResult) bool { return r.Transport == t })
	if i < 0 {
		return TransportResult{}, false
	}
	return d.Transports[i], true
}

// Port is that of the address.
func (d DoorResult) Port() string { return d.Address[strings.LastIndexByte(d.Address, ':')+1:] }

// CertificateResult is what a server shows inside TLS.
type CertificateResult struct {
	Names []string `json:"names"`
	// Until is when it ends, as a date.
	Until string `json:"until"`
	// Days are those that are left; negative once it has ended.
	Days   int    `json:"days"`
	Issuer string `json:"issuer"`
	SHA256 string `json:"sha256"`
	// Version is that of TLS which was agreed on.
	Version TLSVersion `json:"version"`
}

// TransportResult is what a door offers on one transport.
type TransportResult struct {
	Transport  Transport         `json:"transport"`
	Mechanisms []MechanismResult `json:"mechanisms"`
}

// Of is what is known of m there; the zero value with its name where nothing is.
func (t TransportResult) Of(m Mechanism) MechanismResult {
	for _, r := range t.Mechanisms {
		if r.Mechanism == m {
			return r
		}
	}
	return MechanismResult{Mechanism: m, Setting: Unknown}
}

// MechanismResult is what is known of one mechanism at a door.
type MechanismResult struct {
	Mechanism Mechanism `json:"mechanism"`
	// Offered is whether the door lists it here; nil where it has no list.
	Offered *bool `json:"offered"`
	// Starts is whether an attempt is taken up, and Completes whether it ends
	// in a login with right credentials; nil where that was not tried.
	Starts    *bool   `json:"starts"`
	Completes *bool   `json:"completes"`
	Setting   Setting `json:"setting"`
	// Evidence is the line that Offered rests on, or "inferred"; Reply the answer
	// that Starts or Completes rests on.
	Evidence string `json:"evidence"`
	Reply    string `json:"reply"`
}

// EvidenceInferred: what does not start does not complete, and was not tried.
const EvidenceInferred = "inferred"

// Takes is whether a login is to be had, by the best that is known: what was
// tried before what is listed. known is false where neither is.
func (m MechanismResult) Takes() (takes, known bool) {
	for _, b := range []*bool{m.Completes, m.Starts, m.Offered} {
		if b != nil {
			return *b, true
		}
	}
	return false, false
}

// Effort is what a server was asked to do.
type Effort struct {
	Connections int `json:"connections"`
	// Trips are the waits for an answer.
	Trips int `json:"trips"`
	// Passwords that it judged, proofs included; Auths that it refused or saw
	// cancelled; Recipients that it refused.
	Passwords  int `json:"passwords"`
	Auths      int `json:"auths"`
	Recipients int `json:"recipients"`
	// Stopped is why it was left alone before the end; "" if it was not.
	Stopped string `json:"stopped,omitempty"`
}

func (e Effort) String() string {
	return fmt.Sprintf("%d connections, %d round trips, %d passwords, %d AUTH refused or cancelled, %d RCPT refused",
		e.Connections, e.Trips, e.Passwords, e.Auths, e.Recipients)
}

// Advice is how a finding is put right, and how it is seen without us.
type Advice struct {
	// Software is whose words Fix has, such as "Postfix"; "" where it is not
	// known.
	Software string `json:"software,omitempty"`
	// Fix are settings, one a line.
	Fix []string `json:"fix,omitempty"`
	// Command is a line for a shell that shows the same. It holds no secret.
	Command string `json:"command,omitempty"`
}
