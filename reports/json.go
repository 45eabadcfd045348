package reports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var _ = register(Format{
	Name: "json", Ext: "json",
	About: "everything, for programs (docs/result.schema.json)",
	Write: writeJSON,
})

// writeJSON writes one line for each field, and within a list one line for
// each element: a report is compared with diff and searched with grep by the
// line, and written without holding all of it in memory.
func writeJSON(w io.Writer, r login.Report, _ Options) error {
	r = withoutNil(r)
	out := jsonWriter{bufio.NewWriter(w)}
	fields := reflect.ValueOf(r)
	for i := range fields.NumField() {
		name, option, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
		if name == "-" || option == "omitempty" && fields.Field(i).IsZero() {
			continue
		}
		out.put("%s\n %q: ", separator(i, "{"), name)
		if err := out.field(fields.Field(i)); err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
	}
	out.put("\n}\n")
	return out.Flush()
}

// jsonWriter keeps the first error until it is flushed.
type jsonWriter struct{ *bufio.Writer }

func (w jsonWriter) put(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }

func (w jsonWriter) field(v reflect.Value) error {
	if v.Kind() != reflect.Slice || v.Len() == 0 {
		return w.value(v)
	}
	for i := range v.Len() {
		w.put("%s\n  ", separator(i, "["))
		if err := w.value(v.Index(i)); err != nil {
			return err
		}
	}
	w.put("\n ]")
	return nil
}

func (w jsonWriter) value(v reflect.Value) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // a transcript's <secret> is to be read as such
	if err := encoder.Encode(v.Interface()); err != nil {
		return err
	}
	for _, c := range string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))) {
		if obeyed(c) { // within a string: nothing else in JSON has any
			w.put(`\u%04x`, c)
			continue
		}
		_, _ = w.WriteRune(c)
	}
	return nil
}

// writeIndented writes what is small enough to be looked at.
func writeIndented(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // a transcript's <secret> is to be read as such
	encoder.SetIndent("", " ")
	return encoder.Encode(v)
}

// obeyed reports whether a terminal does what c says, or shows what follows in
// another order. The encoder escapes those below the space.
func obeyed(c rune) bool {
	return c >= 0x7f && c <= 0x9f || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069
}

// separator stands before element i: what opens the list, then commas.
func separator(i int, open string) string {
	if i == 0 {
		return open
	}
	return ","
}

// withoutNil returns r with an empty list or map wherever it had none: the
// schema knows no null there. r itself is left alone.
func withoutNil(r login.Report) login.Report {
	r.Selection = mapOf(r.Selection)
	r.Targets = listOf(r.Targets)
	for i := range r.Targets {
		r.Targets[i].Doors = listOf(r.Targets[i].Doors)
		if asked := r.Targets[i].Asked; asked != nil {
			r.Targets[i].Asked = &login.Asked{Seed: asked.Seed, Selection: mapOf(asked.Selection)}
		}
		for j := range r.Targets[i].Doors {
			door := &r.Targets[i].Doors[j]
			door.Stages, door.Policy = mapOf(door.Stages), mapOf(door.Policy)
			if door.Certificate != nil {
				shown := *door.Certificate
				shown.Names = listOf(shown.Names)
				door.Certificate = &shown
			}
			door.Transports = listOf(door.Transports)
			for k := range door.Transports {
				door.Transports[k].Mechanisms = listOf(door.Transports[k].Mechanisms)
			}
		}
	}
	r.Cells = listOf(r.Cells)
	for i := range r.Cells {
		c := &r.Cells[i]
		c.Expected, c.Exposures, c.Refs = listOf(c.Expected), listOf(c.Exposures), listOf(c.Refs)
	}
	r.Scenarios = listOf(r.Scenarios)
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		s.Expected, s.Refs = listOf(s.Expected), listOf(s.Refs)
	}
	r.Clients = listOf(r.Clients)
	r.Cases = listOf(r.Cases)
	for i := range r.Cases {
		r.Cases[i].Refs = listOf(r.Cases[i].Refs)
	}
	r.Transcripts = listOf(r.Transcripts)
	for i := range r.Transcripts {
		r.Transcripts[i] = listOf(r.Transcripts[i])
	}
	r.Lacks, r.NotTested, r.Lines = listOf(r.Lacks), listOf(r.NotTested), listOf(r.Lines)
	r.Expectations = listOf(r.Expectations)
	return r
}

// listOf copies s; a nil one becomes an empty one.
func listOf[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return slices.Clone(s)
}

func mapOf[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}
