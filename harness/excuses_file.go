package harness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/strictyaml"
)

// excuseEntry is an entry as it stands in a file.
type excuseEntry struct {
	Pattern string `yaml:"pattern"`
	Verdict string `yaml:"verdict"`
	Reason  string `yaml:"reason"`
	Source  string `yaml:"source"`
	Until   string `yaml:"until,omitempty"`
}

// LoadExcuses reads a file of excuses (docs/expect.md): a YAML list of entries
// with the keys pattern, verdict (fail or warn), reason, source and, where the
// excuse ends with a day, until, such as 2027-06-30.
//
// A pattern is the ID of a cell, of a scenario or of a case. Behind an "@" it says
// in which protocol, or for which client, a case is meant; without one, all of
// them are. In it "*" stands for any letters but "/", and "**" for any letters
// at all; nothing else is special.
//
// A claim (docs/claims.md) is such a file with a heading: its entries are the list
// under "expectations".
//
// name is the file's, for messages. Each mistake is one line of the error.
func LoadExcuses(name string, data []byte) ([]Excuse, error) {
	entries, err := decodeExcuses(name, data)
	if err != nil {
		return nil, err
	}
	where := linesOf(data, len(entries))
	all := make([]Excuse, len(entries))
	first := map[string]string{}
	var wrong error
	for i, entry := range entries {
		at := fmt.Sprintf("%s:%d", name, where[i])
		e, err := entry.read()
		if key := entry.Pattern + " " + e.Verdict.String(); err == nil && first[key] != "" {
			err = fmt.Errorf("%s is excused of %s already in %s: take one of the two out", entry.Pattern, e.Verdict, first[key])
		} else {
			first[key] = at
		}
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("%s: %w", at, err))
		}
		e.entry = at
		all[i] = e
	}
	if wrong != nil {
		return nil, wrong
	}
	return all, nil
}

// claimed is what stands in a claim. Its heading is for package results; here a
// key that no claim has is all that can be wrong with it.
type claimed struct {
	Claim        string         `yaml:"claim"`
	Subject      any            `yaml:"subject"`
	Standing     any            `yaml:"standing"`
	Start        any            `yaml:"start"`
	Made         any            `yaml:"made"`
	Conforms     any            `yaml:"conforms"`
	Levels       any            `yaml:"levels"`
	Profiles     any            `yaml:"profiles"`
	Scenarios    any            `yaml:"scenarios"`
	Skipped      any            `yaml:"skipped"`
	Expectations *[]excuseEntry `yaml:"expectations"`
}

// claims is how a claim, and no list, begins a line.
var claims = regexp.MustCompile(`(?m)^claim:`)

func decodeExcuses(name string, data []byte) ([]excuseEntry, error) {
	if !claims.Match(data) {
		var entries []excuseEntry
		if err := strictyaml.Decode(name, data, &entries); err != nil {
			return nil, fmt.Errorf("%w; wanted is a list of entries with pattern (in quotes, if it begins with *), verdict, reason, source and perhaps until", err)
		}
		return entries, nil
	}
	var c claimed
	err := strictyaml.Decode(name, data, &c)
	switch {
	case err != nil:
		return nil, err
	case c.Claim != login.ClaimSchema:
		return nil, fmt.Errorf("%s: claim %.40q: this version knows %s", name, c.Claim, login.ClaimSchema)
	case c.Expectations == nil:
		return nil, fmt.Errorf("%s: expectations is missing: a claim that excuses nothing says `expectations: []`", name)
	default:
		return *c.Expectations, nil
	}
}

// read understands the entry.
func (entry excuseEntry) read() (Excuse, error) {
	e := Excuse{Pattern: entry.Pattern, Reason: oneLine(entry.Reason), Source: oneLine(entry.Source)}
	for _, field := range []struct{ name, value, hint string }{
		{"pattern", e.Pattern, "an ID, or a pattern of IDs"},
		{"verdict", entry.Verdict, "fail or warn"},
		{"reason", e.Reason, "why this was to be expected"},
		{"source", e.Source, "where that is known from"},
	} {
		if field.value == "" {
			return e, fmt.Errorf("%s is missing: say %s", field.name, field.hint)
		}
	}
	if err := checkPattern(e.Pattern); err != nil {
		return e, err
	}
	switch strings.ToLower(entry.Verdict) {
	case login.Fail.String():
		e.Verdict = login.Fail
	case login.Warn.String():
		e.Verdict = login.Warn
	default:
		return e, fmt.Errorf("verdict %q: only fail and warn can be excused", entry.Verdict)
	}
	if entry.Until != "" {
		until, err := time.Parse(day, entry.Until)
		if err != nil {
			return e, fmt.Errorf("until %q is no date: write it as 2027-06-30", entry.Until)
		}
		e.Until = until
	}
	return e, nil
}

func checkPattern(p string) error {
	id, who, named := strings.Cut(p, "@")
	switch {
	case strings.ContainsAny(p, " \t\r\n?[]{}"):
		return fmt.Errorf("pattern %q: only * and ** are special in it, and IDs have neither blanks nor brackets", p)
	case id == "" || named && who == "" || strings.Contains(who, "@"):
		return fmt.Errorf("pattern %q: write ID, or ID@PROTOCOL, or ID@CLIENT", p)
	case strings.HasPrefix(id, "scenario/control/"):
		return fmt.Errorf("pattern %q: a control cannot be excused, for without it a run proves nothing; take the entry out", p)
	}
	return nil
}

// linesOf says on which lines the n entries of a file begin, 1 where that
// cannot be told.
func linesOf(data []byte, n int) []int {
	lines := make([]int, n)
	for i := range lines {
		lines[i] = 1
	}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil || len(tree.Docs) == 0 {
		return lines
	}
	body := tree.Docs[0].Body
	if claim, ok := body.(*ast.MappingNode); ok {
		for _, v := range claim.Values {
			if v.Key.String() == "expectations" {
				body = v.Value
			}
		}
	}
	if list, ok := body.(*ast.SequenceNode); ok {
		for i, entry := range list.Values[:min(n, len(list.Values))] {
			lines[i] = entry.GetToken().Position.Line
		}
	}
	return lines
}

// WriteExcuses writes a file that LoadExcuses reads.
func WriteExcuses(w io.Writer, excuses []Excuse) error {
	b := bytes.NewBufferString("# Results that were to be expected (docs/expect.md). An entry that matches nothing,\n" +
		"# that passes, or whose date has passed is an error.\n")
	entries := make([]excuseEntry, len(excuses))
	for i, e := range excuses {
		entries[i] = excuseEntry{Pattern: e.Pattern, Verdict: e.Verdict.String(), Reason: oneLine(e.Reason), Source: oneLine(e.Source)}
		if !e.Until.IsZero() {
			entries[i].Until = e.Until.Format(day)
		}
	}
	text, err := yaml.Marshal(entries)
	if err != nil {
		return err
	}
	b.Write(text)
	_, err = w.Write(b.Bytes())
	return err
}

// oneLine is a text without line breaks, and without what a terminal would
// obey.
func oneLine(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		c, n := utf8.DecodeRuneInString(s)
		switch {
		case c == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsSpace(c):
			b.WriteByte(' ')
		case !unicode.IsPrint(c):
			for _, octet := range []byte(s[:n]) {
				fmt.Fprintf(&b, `\x%02x`, octet)
			}
		default:
			b.WriteRune(c)
		}
		s = s[n:]
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
