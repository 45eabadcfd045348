package ledger

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// lists makes the rows of what was looked at. A link that did not come about
// has none.
func lists(looks []reach.Look) []login.DoorResult {
	doors := make([]login.DoorResult, len(looks))
	for i, l := range looks {
		doors[i] = login.DoorResult{
			Protocol: l.Door.Protocol, Address: l.Door.Address(), Host: l.Door.Host, Found: l.Door.Found, Implicit: l.Door.Implicit,
			Greeting: l.Greeting, Stages: l.Stages, Explained: l.Explained, Certificate: l.Certificate,
		}
		if l.Address.IsValid() {
			doors[i].Address = l.Address.String()
		}
		for _, t := range l.Door.Transports() {
			if link := l.Links[t]; link.Open {
				doors[i].Transports = append(doors[i].Transports, login.TransportResult{Transport: t, Mechanisms: offers(l, link)})
			}
		}
	}
	return doors
}

func offers(l reach.Look, link reach.Link) []login.MechanismResult {
	var rows []login.MechanismResult
	for _, m := range mech.All() {
		if !m.In(l.Door.Protocol) {
			continue
		}
		row := login.MechanismResult{Mechanism: m.Name, Setting: login.Unknown}
		switch {
		case m.Name == login.APOP:
			// RFC 1939 7: the greeting says it, whatever CAPA does.
			row.Offered, row.Evidence = new(wire.Timestamp(l.Greeting) != ""), l.Greeting
		case link.Capabilities != nil:
			row.Offered = new(slices.Contains(link.Mechanisms, m.Name))
			row.Evidence = listing(l.Door.Protocol, m.Name, link.Capabilities)
		}
		rows = append(rows, row)
	}
	return rows
}

// listing is the line of the list that names m or, where none does, the one
// that could have; "" where there is none either. SMTP's are put together as
// they came (RFC 5321 4.2.1).
func listing(p login.Protocol, m login.Mechanism, capabilities []string) string {
	var could string
	for i, line := range capabilities {
		words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '=' })
		if len(words) == 0 {
			continue
		}
		shown := line
		if p == login.SMTP {
			separator := "-"
			if i == len(capabilities)-1 {
				separator = " "
			}
			shown = "250" + separator + line
		}
		switch keyword := strings.ToUpper(words[0]); {
		case m == login.UserPass && keyword == "USER":
			return shown
		case m == login.UserPass || keyword != listKeyword[p]:
		case slices.ContainsFunc(words[1:], func(w string) bool { return strings.EqualFold(w, string(m)) }):
			return shown
		case could == "":
			could = shown
		}
	}
	return could
}

// listKeyword begins the line that names SASL mechanisms: RFC 4954 3, RFC 5034 3.
var listKeyword = map[login.Protocol]string{login.SMTP: "AUTH", login.POP3: "SASL"}
