package reports

import (
	"io"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// ledgerRow is what is known of a mechanism on a link of a door.
type ledgerRow struct {
	server string
	door   *login.DoorResult
	login.Transport
	login.MechanismResult
}

// ledgerColumns are the fields of a row, named as in JSON.
var ledgerColumns = []csvColumn[ledgerRow]{
	{"target", func(r ledgerRow) string { return r.server }},
	{"host", func(r ledgerRow) string { return r.door.Host }},
	{"address", func(r ledgerRow) string { return r.door.Address }},
	{"protocol", func(r ledgerRow) string { return string(r.door.Protocol) }},
	{"transport", func(r ledgerRow) string { return string(r.Transport) }},
	{"mechanism", func(r ledgerRow) string { return string(r.Mechanism) }},
	{"offered", func(r ledgerRow) string { return known(r.Offered) }},
	{"starts", func(r ledgerRow) string { return known(r.Starts) }},
	{"completes", func(r ledgerRow) string { return known(r.Completes) }},
	{"setting", func(r ledgerRow) string { return r.Setting.String() }},
	{"evidence", func(r ledgerRow) string { return said(r.Evidence) }},
	{"reply", func(r ledgerRow) string { return said(r.Reply) }},
}

// said is a line of the server's, behind the name of who speaks: "+OK" is no sum.
func said(line string) string {
	if line == "" || line == login.EvidenceInferred {
		return line
	}
	return "S: " + line
}

func ledgerRows(r *login.Report) []ledgerRow {
	var all []ledgerRow
	names := targetNames(r)
	for i := range r.Targets {
		t := &r.Targets[i]
		for j := range t.Doors {
			for _, link := range t.Doors[j].Transports {
				for _, m := range link.Mechanisms {
					all = append(all, ledgerRow{names[i], &t.Doors[j], link.Transport, m})
				}
			}
		}
	}
	return all
}

func writeLedgerCSV(w io.Writer, r login.Report) error {
	return writeRows(w, ledgerColumns, slices.Values(ledgerRows(&r)))
}
