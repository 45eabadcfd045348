package reports

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(Format{
	Name: "csv", Ext: "csv",
	About: "one row for each cell or, of a check, for each mechanism, for spreadsheets",
	Write: writeCSV,
})

// csvColumns are the fields of a cell, named as in JSON. A list is one value,
// its parts divided by "; ".
var csvColumns = []struct {
	name  string
	value func(login.CellResult) string
}{
	{"id", func(c login.CellResult) string { return c.ID }},
	{"target", func(c login.CellResult) string { return strconv.Itoa(c.Target) }},
	{"flavour", func(c login.CellResult) string { return string(c.Flavour) }},
	{"protocol", func(c login.CellResult) string { return string(c.Protocol) }},
	{"transport", func(c login.CellResult) string { return string(c.Transport) }},
	{"mechanism", func(c login.CellResult) string { return string(c.Mechanism) }},
	{"setting", func(c login.CellResult) string { return c.Setting.String() }},
	{"profile", func(c login.CellResult) string { return c.Profile }},
	{"variant", func(c login.CellResult) string { return c.Variant }},
	{"database", func(c login.CellResult) string { return string(c.Database) }},
	{"override", func(c login.CellResult) string { return string(c.Override) }},
	{"credential", func(c login.CellResult) string { return string(c.Credential) }},
	{"offered", func(c login.CellResult) string { return known(c.Offered) }},
	{"attempted", func(c login.CellResult) string { return strconv.FormatBool(c.Attempted) }},
	{"used", func(c login.CellResult) string { return string(c.Used) }},
	{"outcome", func(c login.CellResult) string { return string(c.Outcome) }},
	{"expected", func(c login.CellResult) string { return joined(c.Expected) }},
	{"exposure", func(c login.CellResult) string { return c.Exposure.String() }},
	{"exposures", func(c login.CellResult) string { return exposures(c.Exposures) }},
	{"verdict", func(c login.CellResult) string { return c.Verdict.String() }},
	{"why", func(c login.CellResult) string { return string(c.Why) }},
	{"reason", func(c login.CellResult) string { return ascii(c.Reason) }},
	{"refs", func(c login.CellResult) string { return joined(c.Refs) }},
	{"confidence", func(c login.CellResult) string { return string(c.Confidence) }},
	{"basis", func(c login.CellResult) string { return c.Basis }},
	{"elapsed_ms", func(c login.CellResult) string { return strconv.FormatFloat(c.ElapsedMS, 'f', -1, 64) }},
	{"excused", func(c login.CellResult) string { return ascii(c.Excused) }},
}

func writeCSV(w io.Writer, r login.Report, _ Options) error {
	if deployed(&r) {
		return writeLedgerCSV(w, r)
	}
	out := csv.NewWriter(w)
	row := make([]string, len(csvColumns))
	for i, column := range csvColumns {
		row[i] = column.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for _, c := range r.Cells {
		for i, column := range csvColumns {
			row[i] = column.value(c)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// known writes a fact that need not be known; "" is JSON's null.
func known(fact *bool) string {
	if fact == nil {
		return ""
	}
	return strconv.FormatBool(*fact)
}

func joined[T ~string](all []T) string {
	parts := make([]string, len(all))
	for i, s := range all {
		parts[i] = string(s)
	}
	return strings.Join(parts, "; ")
}

func exposures(all []login.Exposure) string {
	parts := make([]string, len(all))
	for i, e := range all {
		parts[i] = strings.Join([]string{
			e.Class.String(), string(e.Mechanism), string(e.When), string(e.Transport), string(e.Secret),
		}, " ")
	}
	return joined(parts)
}
