package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Record is one run of a client against one case, as a line of the recordings.
type Record struct {
	Client    string         `json:"client"`
	Variant   string         `json:"variant"`
	Version   string         `json:"version"`
	Case      string         `json:"case"`
	Proto     login.Protocol `json:"proto"`
	ClientTLS Mode           `json:"client_tls"`
	Trust     Trust          `json:"trust"`
	Offer     Spec           `json:"offer"`

	// Commands are what the client sent, normalised: "c1 clear EHLO vm".
	Commands []string  `json:"commands"`
	Attempts []Attempt `json:"attempts"`
	Names    []string  `json:"names"` // its EHLO and HELO lines
	CAPA     int       `json:"capa"`  // how often it asked
	Quit     bool      `json:"quit"`

	TLSUp        bool    `json:"tls_up"`
	CertFail     *string `json:"cert_fail"` // why a handshake failed
	Conns        int     `json:"conns"`
	StartTLSSent int     `json:"starttls_sent"`

	ClearPassword  []string `json:"clear_password"`
	ClearHash      []string `json:"clear_hash"`
	UnauthCommands []string `json:"unauth_commands"`

	OK bool `json:"ok"`
	// RC is the client's exit status and TimedOut whether it had to be ended:
	// a simulated one has neither.
	RC       int  `json:"rc"`
	TimedOut bool `json:"timed_out"`

	line int // where it was read; 0 if it was made
}

// Attempt is one attempt to log in.
type Attempt struct {
	Mech string `json:"mech"` // the SASL name, "APOP", or "USER" for USER and PASS
	IR   bool   `json:"ir"`   // with an initial response; POP3's own always
	Ch   string `json:"ch"`   // "clear" or "tls"
	Conn int    `json:"conn"`
	// Steps counts the challenges.
	Steps int `json:"steps,omitempty"`
	// Pass: PASS was sent.
	Pass bool `json:"pass,omitempty"`
	// NTLM is the kind of response, and Verify whether it was right; nil where
	// nobody knows.
	NTLM   string `json:"ntlm,omitempty"`
	Verify *bool  `json:"verify,omitempty"`
	// Res is "ok", "aborted", or how the server refused: SMTP's code, "ERR".
	Res string `json:"res"`
}

// What Attempt says.
const (
	Clear     = "clear"
	Encrypted = "tls"

	ResOK      = "ok"
	ResAborted = "aborted"
	ResERR     = "ERR" // POP3's refusals have no number

	User = "USER"
)

// ReadRecords reads records, one in each line. An error names the line and
// what is wrong there.
func ReadRecords(r io.Reader) ([]Record, error) {
	var records []Record
	in := bufio.NewReader(r)
	for line := 1; ; line++ {
		text, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if len(bytes.TrimSpace(text)) > 0 {
			rec := Record{line: line}
			wrong := decodeStrict(text, &rec)
			if wrong == nil {
				wrong = rec.check()
			}
			if wrong != nil {
				return nil, fmt.Errorf("line %d: %w", line, wrong)
			}
			records = append(records, rec)
		}
		if err != nil {
			return records, nil
		}
	}
}

// commandForm is "c1 TLS-UP", "c1 TLS-FAIL", or connection, channel and line,
// which may be empty.
var commandForm = regexp.MustCompile(`^c[1-9][0-9]* (TLS-UP|TLS-FAIL|(clear|tls) .*)$`)

// check finds what no record can say.
func (r Record) check() error {
	if r.Client == "" {
		return errors.New("it has no client")
	}
	c := Case{Name: r.Case, Protocol: r.Proto, Mode: r.ClientTLS, Trust: r.Trust, Spec: r.Offer}
	if err := c.check(); err != nil {
		return err
	}
	for _, command := range r.Commands {
		if !commandForm.MatchString(command) {
			return fmt.Errorf("%q is not a command such as \"c1 clear QUIT\"", command)
		}
	}
	for _, a := range r.Attempts {
		switch {
		case a.Mech == "" || a.Res == "":
			return errors.New("an attempt has a mech and a res")
		case a.Ch != Clear && a.Ch != Encrypted:
			return fmt.Errorf("an attempt's ch cannot be %q", a.Ch)
		case a.Conn < 1 || a.Conn > r.Conns:
			return fmt.Errorf("an attempt on connection %d of %d", a.Conn, r.Conns)
		}
	}
	return nil
}

// CheckCases demands that each record's case is there, and that it is the one
// that the record was made with.
func CheckCases(records []Record, cases Cases) error {
	for _, r := range records {
		c, err := cases.Find(r.Case)
		if err == nil && !r.of(c) {
			err = fmt.Errorf("%s/%s was recorded under another case %q", r.Client, r.Variant, r.Case)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", r.line, err)
		}
	}
	return nil
}

// of reports whether r was made with c.
func (r Record) of(c Case) bool {
	if r.Proto != c.Protocol || r.ClientTLS != c.Mode || r.Trust != c.Trust {
		return false
	}
	one, err := json.Marshal(r.Offer)
	other, otherErr := json.Marshal(c.Spec)
	return err == nil && otherErr == nil && slices.Equal(one, other)
}

// WriteRecord writes a record as one line, in the form of the recordings.
func WriteRecord(w io.Writer, r Record) error {
	// A list is never null.
	for _, list := range []*[]string{&r.Commands, &r.Names, &r.ClearPassword, &r.ClearHash, &r.UnauthCommands, &r.Offer.Mechs} {
		if *list == nil {
			*list = []string{}
		}
	}
	if r.Attempts == nil {
		r.Attempts = []Attempt{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(r)
}
