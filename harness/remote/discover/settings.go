package discover

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// server is what a service tells clients to use.
type server struct {
	protocol login.Protocol // "" is IMAP
	host     string
	port     uint16
	implicit bool
	// clear: clients are told to use no TLS.
	clear bool
}

func (s server) name() string {
	if s.implicit {
		return "imaps"
	}
	return "imap"
}

// told are the types of server that both formats know, in lower case.
var told = map[string]login.Protocol{"smtp": login.SMTP, "pop3": login.POP3, "imap": ""}

var errNoServer = errors.New("it names no server")

// readAutoconfig reads Thunderbird's format: a clientConfig with an
// emailProvider, which has an incomingServer and an outgoingServer for each way.
func readAutoconfig(body []byte, domain string) ([]server, error) {
	type entry struct {
		Type     string `xml:"type,attr"`
		Hostname string `xml:"hostname"`
		Port     string `xml:"port"`
		Socket   string `xml:"socketType"`
	}
	var config struct {
		XMLName  xml.Name `xml:"clientConfig"`
		Incoming []entry  `xml:"emailProvider>incomingServer"`
		Outgoing []entry  `xml:"emailProvider>outgoingServer"`
	}
	if err := decode(body, &config); err != nil {
		return nil, err
	}
	var all []server
	for _, e := range append(config.Outgoing, config.Incoming...) {
		protocol, known := told[strings.ToLower(e.Type)]
		port, err := strconv.ParseUint(strings.TrimSpace(e.Port), 10, 16)
		if !known || err != nil || port == 0 {
			continue
		}
		socket := strings.ToLower(strings.TrimSpace(e.Socket))
		all = append(all, server{protocol: protocol, host: strings.ReplaceAll(strings.TrimSpace(e.Hostname), "%EMAILDOMAIN%", domain),
			port: uint16(port), implicit: socket == "ssl", clear: socket == "plain"})
	}
	if len(all) == 0 {
		return nil, errNoServer
	}
	return all, nil
}

// autodiscoverRequest is Outlook's question ("plain old XML").
const autodiscoverRequest = `<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>` +
	`<EMailAddress>%s</EMailAddress>` +
	`<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>` +
	`</Request></Autodiscover>
`

// usual are the ports where an answer leaves them out, in clear and inside TLS.
var usual = map[login.Protocol][2]uint16{login.SMTP: {587, 465}, login.POP3: {110, 995}, "": {143, 993}}

// readAutodiscover reads the answer: an Account with a Protocol for each way.
// Encryption says more than SSL, which does not tell TLS from the first octet
// from STARTTLS: there the port does.
func readAutodiscover(body []byte) ([]server, error) {
	var said struct {
		XMLName   xml.Name `xml:"Autodiscover"`
		Protocols []struct {
			Type       string
			Server     string
			Port       string
			SSL        string
			Encryption string
		} `xml:"Response>Account>Protocol"`
	}
	if err := decode(body, &said); err != nil {
		return nil, err
	}
	var all []server
	for _, p := range said.Protocols {
		protocol, known := told[strings.ToLower(strings.TrimSpace(p.Type))]
		if !known || strings.TrimSpace(p.Server) == "" {
			continue
		}
		s := server{protocol: protocol, host: strings.TrimSpace(p.Server)}
		ssl, encryption := strings.ToLower(strings.TrimSpace(p.SSL)), strings.ToLower(strings.TrimSpace(p.Encryption))
		inTLS := usual[protocol][1]
		if port, err := strconv.ParseUint(strings.TrimSpace(p.Port), 10, 16); err == nil && port > 0 {
			s.port = uint16(port)
		}
		switch {
		case encryption == "none", encryption == "" && ssl == "off":
			s.clear = true
		case encryption == "ssl", encryption == "" && (s.port == inTLS || s.port == 0):
			s.implicit = true
		}
		if s.port == 0 {
			s.port = usual[protocol][0]
			if s.implicit {
				s.port = inTLS
			}
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, errNoServer
	}
	return all, nil
}

func decode(body []byte, into any) error {
	if err := xml.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil {
		return errors.New("it is not the XML that it should be")
	}
	return nil
}
