package recording

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Case is a posture of the server, and how the client was configured.
type Case struct {
	Name     string         `json:"name"`
	Protocol login.Protocol `json:"proto"`
	// Mode is what the client does about TLS, Trust which certificates it takes.
	Mode  Mode   `json:"mode"`
	Trust Trust  `json:"trust"`
	Doc   string `json:"doc"`
	Spec  Spec   `json:"spec"`
}

// Mode is how the client is configured to encrypt.
type Mode string

const (
	Off           Mode = "off"
	Opportunistic Mode = "opp"
	Required      Mode = "req" // STARTTLS or STLS, or nothing
	Implicit      Mode = "imp" // TLS from the first octet
)

// Trust is which certificates the client is told to trust.
type Trust string

const (
	TrustDefault   Trust = "default"
	TrustAuthority Trust = "ca" // the authority of the server is configured
	TrustAnything  Trust = "no" // checks are off
)

// Spec is the posture. What is absent has the default of the README: a field
// whose default is true is a pointer.
type Spec struct {
	TLS      string            `json:"tls,omitempty"`
	Cert     string            `json:"cert,omitempty"`
	User     *bool             `json:"user,omitempty"`
	APOP     bool              `json:"apop,omitempty"`
	CAPA     *bool             `json:"capa,omitempty"`
	AuthList *bool             `json:"auth_list,omitempty"`
	Mechs    []string          `json:"mechs"`
	MechsTLS []string          `json:"mechs_tls,omitzero"`
	Reject   map[string]string `json:"reject,omitempty"`
	Refuse   map[string]string `json:"refuse,omitempty"`

	AuthEq     bool  `json:"auth_eq,omitempty"`
	AuthEqOnly bool  `json:"auth_eq_only,omitempty"`
	Lower      bool  `json:"lower,omitempty"`
	EHLOReject bool  `json:"ehlo_reject,omitempty"`
	NeedAuth   *bool `json:"need_auth,omitempty"`
	Messages   int   `json:"messages,omitempty"`
}

// Values of Spec.TLS, with what the server does about STARTTLS and STLS.
var stripping = map[string]login.Stripping{
	"":                 login.TLSOffered, // "none", the default
	"none":             login.TLSOffered,
	"starttls":         login.TLSOffered,
	"implicit":         login.TLSOffered,
	"starttls-refused": login.TLSRefused,
	"starttls-broken":  login.TLSBroken,
}

// Values of Spec.Cert.
var certificates = map[string]login.CertificateKind{
	"": login.CertValid, "good": login.CertValid, "self": login.CertSelfSigned,
	"wrongname": login.CertOtherName, "expired": login.CertExpired,
}

// check finds what no posture can have.
func (s Spec) check() error {
	if _, ok := stripping[s.TLS]; !ok {
		return fmt.Errorf("tls cannot be %q", s.TLS)
	}
	if _, ok := certificates[s.Cert]; !ok {
		return fmt.Errorf("cert cannot be %q", s.Cert)
	}
	if s.Messages != 0 {
		return fmt.Errorf("messages can only be 0: the server's mailboxes are empty")
	}
	for _, m := range slices.Concat(s.Mechs, s.MechsTLS) {
		if m == "" || strings.ContainsAny(m, " \t\r\n") {
			return fmt.Errorf("%q is not the name of a mechanism", m)
		}
	}
	for _, replies := range []map[string]string{s.Reject, s.Refuse} {
		for m, reply := range replies {
			if reply == "" || strings.ContainsAny(reply, "\r\n") {
				return fmt.Errorf("the reply to %s is not one line", m)
			}
		}
	}
	return nil
}

func (c Case) check() error {
	switch {
	case c.Protocol != login.SMTP && c.Protocol != login.POP3:
		return fmt.Errorf("proto cannot be %q", c.Protocol)
	case !slices.Contains([]Mode{Off, Opportunistic, Required, Implicit}, c.Mode):
		return fmt.Errorf("mode cannot be %q", c.Mode)
	case !slices.Contains([]Trust{TrustDefault, TrustAuthority, TrustAnything}, c.Trust):
		return fmt.Errorf("trust cannot be %q", c.Trust)
	}
	return c.Spec.check()
}

// Cases are cases by their names.
type Cases map[string]Case

// Find is the case of that name.
func (cs Cases) Find(name string) (Case, error) {
	c, ok := cs[name]
	if !ok {
		return Case{}, fmt.Errorf("no case is called %q", name)
	}
	return c, nil
}

// ReadCases reads a JSON object of cases by their names. An error names the
// line and what is wrong there.
func ReadCases(r io.Reader) (Cases, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	failed := func(at int64, err error) error {
		return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:min(at, int64(len(data)))], []byte("\n")), err)
	}
	if token, err := d.Token(); err != nil {
		return nil, failed(d.InputOffset(), plainly(err))
	} else if token != json.Delim('{') {
		return nil, failed(0, fmt.Errorf("the cases are an object by name, not %v", token))
	}
	cases := Cases{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, failed(d.InputOffset(), plainly(err))
		}
		name, at := key.(string), d.InputOffset()
		if _, twice := cases[name]; twice {
			return nil, failed(at, fmt.Errorf("case %q stands there twice", name))
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, failed(d.InputOffset(), plainly(err))
		}
		var c Case
		if err = decodeStrict(raw, &c); err == nil {
			err = c.check()
		}
		if err == nil && c.Name != name {
			err = fmt.Errorf("it calls itself %q", c.Name)
		}
		if err != nil {
			return nil, failed(at, fmt.Errorf("case %q: %w", name, err))
		}
		cases[name] = c
	}
	if _, err := d.Token(); err != nil {
		return nil, failed(d.InputOffset(), plainly(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, failed(d.InputOffset(), fmt.Errorf("something follows the cases"))
	}
	return cases, nil
}
