package reports

import (
	"encoding/csv"
	"io"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// ledgerRow is what is known of a mechanism on a link of a door.
type ledgerRow struct {
	target *login.TargetResult
	door   *login.DoorResult
	login.Transport
	login.MechanismResult
}

// ledgerColumns are the fields of a row, named as in JSON.
var ledgerColumns = []struct {
	name  string
	value func(ledgerRow) string
}{
	{"target", func(r ledgerRow) string { return ascii(r.target.Name) }},
	{"host", func(r ledgerRow) string { return ascii(r.door.Host) }},
	{"address", func(r ledgerRow) string { return ascii(r.door.Address) }},
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

// said is a line of the server's. A spreadsheet would take "+OK" for a formula,
// so it is told who speaks.
func said(line string) string {
	if line == "" || line == login.EvidenceInferred {
		return line
	}
	return "S: " + ascii(line)
}

func ledgerRows(r *login.Report) []ledgerRow {
	var all []ledgerRow
	for i := range r.Targets {
		t := &r.Targets[i]
		for j := range t.Doors {
			for _, link := range t.Doors[j].Transports {
				for _, m := range link.Mechanisms {
					all = append(all, ledgerRow{t, &t.Doors[j], link.Transport, m})
				}
			}
		}
	}
	return all
}

func writeLedgerCSV(w io.Writer, r login.Report) error {
	out := csv.NewWriter(w)
	row := make([]string, len(ledgerColumns))
	for i, column := range ledgerColumns {
		row[i] = column.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for _, l := range ledgerRows(&r) {
		for i, column := range ledgerColumns {
			row[i] = column.value(l)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
