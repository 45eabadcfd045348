package clientsim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFile is more than any client needs; a longer file is no profile.
const maxFile = 256 << 10

// FileError is something wrong in a profile's file.
type FileError struct {
	File string
	Line int // 0 where it is the file as a whole
	// Wrong is what is wrong, in words; Quote is the line as it stands there.
	Wrong, Quote string
}

func (e *FileError) Error() string {
	switch {
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.Wrong)
	case secretive.MatchString(e.Quote): // a file of accounts, given by mistake
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Wrong)
	}
	return fmt.Sprintf("%s:%d: %s\n%5d | %s", e.File, e.Line, e.Wrong, e.Line, e.Quote)
}

// secretive is a line that may hold what nobody is to see.
var secretive = regexp.MustCompile(`(?i)pass|token|secret`)

// Load reads a profile with its settings states; name is the file's, for
// messages. The error is one or more [*FileError] joined.
func Load(name string, data []byte) (Profile, error) {
	p, states, err := load(name, data)
	if states == nil {
		return Profile{}, err
	}
	variants, wrong := states()
	if err := errors.Join(err, wrong); err != nil {
		return Profile{}, err
	}
	p.variants = func() []Profile { return variants }
	return p, nil
}

// load reads the client as installed. Its settings states are read when states
// is called; it is nil where the file is none.
func load(name string, data []byte) (p Profile, states func() ([]Profile, error), err error) {
	source := &source{file: name, data: data}
	if len(data) > maxFile {
		return Profile{}, nil, source.wrong(0, fmt.Sprintf("longer than the %d octets of a profile", maxFile))
	}
	file, err := source.decode()
	if err != nil {
		return Profile{}, nil, err
	}
	for _, e := range lint(file, source, nil) {
		err = errors.Join(err, e)
	}
	p = Profile{Name: file.Name, Title: file.Title, Family: file.Family, Version: file.Version, sheet: file}
	if err == nil && p.sheet.Probe {
		p.sheet.knowEverything()
	}
	return p, func() ([]Profile, error) { return source.variants(p, file.Variants) }, err
}

// variants are the client in its settings states, sorted by name. The error is
// one or more [*FileError] joined.
func (s *source) variants(p Profile, said map[string]any) (all []Profile, wrong error) {
	if len(said) == 0 {
		return nil, nil
	}
	var file map[string]any
	if err := yaml.Unmarshal(s.data, &file); err != nil {
		return nil, s.explain(err)
	}
	delete(file, "variants")
	for _, name := range sortedKeys(said) {
		state, found := s.variant(name, file, said[name])
		for _, e := range found {
			wrong = errors.Join(wrong, e)
		}
		all = append(all, Profile{Name: p.Name, Variant: name, Title: p.Title + ", " + state.About,
			Family: p.Family, Version: p.Version, sheet: state})
	}
	return all, wrong
}

// properState: settings are named by their programs, in any letter case; a
// "+" stands before those that curl and Evolution write so (+APOP).
var properState = regexp.MustCompile(`^\+?[A-Za-z0-9]+([-_.][A-Za-z0-9]+)*$`)

// variant is the client in a settings state, and what is wrong with it.
func (s *source) variant(name string, file map[string]any, said any) (*sheet, []*FileError) {
	at := []string{"variants", name}
	found := func(format string, args ...any) []*FileError {
		return []*FileError{s.wrong(s.line(at...), fmt.Sprintf(format, args...))}
	}
	changes, ok := said.(map[string]any)
	if !ok {
		return &sheet{}, found("variant %s says nothing", name)
	}
	state, err := sheetOf(inState(file, changes))
	if err != nil {
		return &sheet{}, found("variant %s: %v", name, err)
	}
	wrong := lint(state, s, at)
	if !properState.MatchString(name) {
		wrong = append(wrong, found("variant %q: letters, digits and hyphens are wanted", name)...)
	}
	if state.About == "" {
		wrong = append(wrong, found("variant %s: about is missing: which setting of the client this is", name)...)
	}
	return state, wrong
}

// source is a file that may have to be quoted.
type source struct {
	file string
	data []byte
	root ast.Node
}

// decode reads the one document of the file. What it does not know is an
// error: a misspelt fact must not be a missing one.
func (s *source) decode() (*sheet, error) {
	tree, err := parser.ParseBytes(s.data, 0)
	if err != nil {
		return nil, s.explain(err)
	}
	if len(tree.Docs) > 0 {
		s.root = tree.Docs[0].Body
	}
	var read sheet
	d := yaml.NewDecoder(bytes.NewReader(s.data), yaml.Strict())
	if err := d.Decode(&read); errors.Is(err, io.EOF) {
		return nil, s.wrong(0, "empty")
	} else if err != nil {
		return nil, s.explain(err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, s.wrong(0, "holds more than one document")
	}
	return &read, nil
}

// explain puts an error of the YAML library into our form.
func (s *source) explain(err error) error {
	var located yaml.Error
	if !errors.As(err, &located) || located.GetToken() == nil {
		return s.wrong(0, err.Error())
	}
	return s.wrong(located.GetToken().Position.Line, located.GetMessage())
}

func (s *source) wrong(line int, what string) *FileError {
	e := &FileError{File: s.file, Line: line, Wrong: what}
	if lines := strings.Split(string(s.data), "\n"); 0 < line && line <= len(lines) {
		e.Quote = strings.TrimRight(lines[line-1], "\r")
	}
	return e
}

// line finds the key at the end of path; where it is missing, the last one on
// the way that is there.
func (s *source) line(path ...string) int {
	line, at := 0, s.root
	for _, name := range path {
		mapping, ok := at.(ast.MapNode)
		if !ok {
			return line
		}
		found := false
		for entries := mapping.MapRange(); entries.Next() && !found; {
			if found = entries.Key().String() == name; found {
				line, at = entries.Key().GetToken().Position.Line, entries.Value()
			}
		}
		if !found {
			return line
		}
	}
	return line
}
