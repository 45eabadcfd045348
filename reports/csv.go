package reports

import (
	"encoding/csv"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(Format{
	Name: "csv", Ext: "csv",
	About: "one row for each cell or, of a check, for each mechanism, for spreadsheets",
	Write: writeCSV,
})

// csvColumn is one field of what has a row.
type csvColumn[T any] struct {
	name  string
	value func(T) string
}

// cellRow is a cell with the name of its server.
type cellRow struct {
	server string
	login.CellResult
}

// csvColumns are the fields of a cell, named as in JSON. A list is one value,
// its parts divided by "; ".
var csvColumns = []csvColumn[cellRow]{
	{"id", func(c cellRow) string { return c.ID }},
	{"target", func(c cellRow) string { return c.server }},
	{"flavour", func(c cellRow) string { return string(c.Flavour) }},
	{"protocol", func(c cellRow) string { return string(c.Protocol) }},
	{"transport", func(c cellRow) string { return string(c.Transport) }},
	{"mechanism", func(c cellRow) string { return string(c.Mechanism) }},
	{"setting", func(c cellRow) string { return c.Setting.String() }},
	{"profile", func(c cellRow) string { return c.Profile }},
	{"variant", func(c cellRow) string { return c.Variant }},
	{"database", func(c cellRow) string { return string(c.Database) }},
	{"override", func(c cellRow) string { return string(c.Override) }},
	{"credential", func(c cellRow) string { return string(c.Credential) }},
	{"offered", func(c cellRow) string { return known(c.Offered) }},
	{"attempted", func(c cellRow) string { return strconv.FormatBool(c.Attempted) }},
	{"used", func(c cellRow) string { return string(c.Used) }},
	{"outcome", func(c cellRow) string { return string(c.Outcome) }},
	{"expected", func(c cellRow) string { return joined(c.Expected) }},
	{"exposure", func(c cellRow) string { return c.Exposure.String() }},
	{"exposures", func(c cellRow) string { return exposures(c.Exposures) }},
	{"verdict", func(c cellRow) string { return c.Verdict.String() }},
	{"why", func(c cellRow) string { return string(c.Why) }},
	{"reason", func(c cellRow) string { return c.Reason }},
	{"refs", func(c cellRow) string { return joined(c.Refs) }},
	{"confidence", func(c cellRow) string { return string(c.Confidence) }},
	{"basis", func(c cellRow) string { return c.Basis }},
	{"elapsed_ms", func(c cellRow) string { return strconv.FormatFloat(c.ElapsedMS, 'f', -1, 64) }},
	{"excused", func(c cellRow) string { return c.Excused }},
}

func writeCSV(w io.Writer, r login.Report, _ Options) error {
	if deployed(&r) {
		return writeLedgerCSV(w, r)
	}
	names := targetNames(&r)
	return writeRows(w, csvColumns, func(yield func(cellRow) bool) {
		for _, c := range r.Cells {
			row := cellRow{CellResult: c}
			if c.Target >= 0 && c.Target < len(names) {
				row.server = names[c.Target]
			}
			if !yield(row) {
				return
			}
		}
	})
}

// writeRows writes a table. Whoever speaks in it, no value is a formula to a
// spreadsheet.
func writeRows[T any](w io.Writer, columns []csvColumn[T], rows iter.Seq[T]) error {
	out := csv.NewWriter(w)
	values := make([]string, len(columns))
	for i, column := range columns {
		values[i] = column.name
	}
	if err := out.Write(values); err != nil {
		return err
	}
	for row := range rows {
		for i, column := range columns {
			values[i] = noFormula(ascii(column.value(row)))
		}
		if err := out.Write(values); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// noFormula puts an apostrophe before what a spreadsheet would compute, by which
// it takes it for text.
func noFormula(value string) string {
	if value != "" && strings.Contains("=+-@", value[:1]) {
		return "'" + value
	}
	return value
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
