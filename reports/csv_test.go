package reports

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func readCSV(t *testing.T, r login.Report) (header []string, rows [][]string) {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(written(t, "csv", r, Options{}))).ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatalf("%d rows, %v", len(all), err)
	}
	return all[0], all[1:]
}

// A spreadsheet computes what begins with one of these, and asks other programs
// and servers for it.
func TestCSVHasNoFormulas(t *testing.T) {
	spoilt, check := smallReport(), checkReport()
	const formula = `=HYPERLINK("https://evil.example")`
	spoilt.Targets[0].Name = formula
	for i := range spoilt.Cells {
		for _, field := range []*string{&spoilt.Cells[i].ID, &spoilt.Cells[i].Profile, &spoilt.Cells[i].Variant, &spoilt.Cells[i].Reason, &spoilt.Cells[i].Excused} {
			*field = formula
		}
		spoilt.Cells[i].Refs = []string{"+1"}
	}
	check.Targets[0].Name, check.Targets[0].Doors[0].Host, check.Targets[0].Doors[0].Address = "@SUM(A1)", "-1+1", "\t=1"
	for name, r := range map[string]login.Report{"a run": spoilt, "a check": check, "hostile": hostileReport()} {
		header, rows := readCSV(t, r)
		quoted := false
		for _, row := range rows {
			for i, value := range row {
				if value != "" && strings.Contains("=+-@\t\r", value[:1]) {
					t.Errorf("%s, %s: %q", name, header[i], value)
				}
				quoted = quoted || strings.HasPrefix(value, "'")
			}
		}
		if !quoted {
			t.Errorf("%s: nothing had to be quoted", name)
		}
	}
}

// Of several servers each row says which it is about, by the name that the other
// forms give it.
func TestCSVNamesTheServer(t *testing.T) {
	r := severalReport()
	header, rows := readCSV(t, r)
	if header[1] != "target" {
		t.Fatalf("column 2 is %s", header[1])
	}
	names := targetNames(&r)
	for i, row := range rows {
		if want := names[r.Cells[i].Target]; row[1] != want {
			t.Errorf("%s is of %q, want %q", row[0], row[1], want)
		}
	}
}
