package reports

import (
	"bufio"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(Format{
	Name: "jsonl", Ext: "jsonl",
	About: "the same as json, a line for each thing, for streams (docs/formats.md)",
	Write: writeJSONLines,
})

type linesKind struct{ list, one string }

// linesKinds are the lists of a report, and how a line calls one of their
// elements. What results point at comes first, so that a reader needs to keep
// nothing else.
var linesKinds = []linesKind{
	{"targets", "target"},
	{"lines", "line"},
	{"transcripts", "transcript"},
	{"clients", "client"},
	{"cells", "cell"},
	{"lacks", "lack"},
	{"scenarios", "scenario"},
	{"cases", "case"},
	{"not_tested", "not_tested"},
	{"flaky", "flake"},
	{"expectations", "expectation"},
}

// writeJSONLines writes the header, which has all other fields, then each element of each list: objects with
// one field, whose name says what it is. Nothing but the line under way is held in
// memory.
func writeJSONLines(w io.Writer, r login.Report, _ Options) error {
	r = withoutNil(r)
	out := jsonWriter{bufio.NewWriter(w)}
	lists := map[string]reflect.Value{}
	fields := reflect.ValueOf(r)
	at := 0
	for i := range fields.NumField() {
		name, option, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
		switch {
		case slices.ContainsFunc(linesKinds, func(kind linesKind) bool { return kind.list == name }):
			lists[name] = fields.Field(i)
		case name == "-" || option == "omitempty" && fields.Field(i).IsZero():
		default:
			out.put("%s%q:", separator(at, `{"header":{`), name)
			if err := out.value(fields.Field(i)); err != nil {
				return fmt.Errorf("field %s: %w", name, err)
			}
			at++
		}
	}
	out.put(`,"count":{`)
	for i, kind := range linesKinds {
		out.put("%s%q:%d", separator(i, ""), kind.one, lists[kind.list].Len())
	}
	out.put("}}}\n")
	for _, kind := range linesKinds {
		list := lists[kind.list]
		for i := range list.Len() {
			out.put("{%q:", kind.one)
			if err := out.value(list.Index(i)); err != nil {
				return fmt.Errorf("%s %d: %w", kind.one, i, err)
			}
			out.put("}\n")
		}
	}
	return out.Flush()
}
