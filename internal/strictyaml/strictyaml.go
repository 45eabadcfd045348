// Package strictyaml reads YAML that people write by hand: what it does not
// know is an error, in one line with its place. The error shows keys and no
// values, because the file may be another than was meant, with passwords in it.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// Decode reads data into the struct behind into; name is the file's, for
// messages. An empty file leaves it as it is.
func Decode(name string, data []byte, into any) (err error) {
	// The library falls over some that is no YAML, such as "!00 000".
	defer func() {
		if accident := recover(); accident != nil {
			err = fmt.Errorf("%s: %s", name, unreadable)
		}
	}()
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // some editors begin a file with it
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	err = decoder.Decode(into)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("%s%s: %s", name, place(err), wrong(err))
	}
	// What stands behind "---" would be read by nobody.
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: more than one YAML document: only one is read", name)
	}
	return nil
}

// looksLikeKey is what the keys of our files are like.
var looksLikeKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_/-]{0,30}$`)

const unreadable = "this is no YAML that can be read"

// place is ":LINE:COLUMN", or "" where that is not known.
func place(err error) string {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return ""
	}
	p := at.GetToken().Position
	return fmt.Sprintf(":%d:%d", p.Line, p.Column)
}

// wrong is what the library complains of, without what it quotes of the file but
// keys.
func wrong(err error) string {
	var (
		syntax  *yaml.SyntaxError
		field   *yaml.UnknownFieldError
		kind    *yaml.TypeError
		another *yaml.UnexpectedNodeTypeError
		large   *yaml.OverflowError
	)
	switch {
	case errors.As(err, &field):
		key := strings.TrimSuffix(strings.TrimPrefix(field.Message, `unknown field "`), `"`)
		if !looksLikeKey.MatchString(key) { // of "alice:hunter2:" the key is a password
			return "a field that is not known"
		}
		return fmt.Sprintf("unknown field %q", key)
	case errors.As(err, &kind):
		return "a value of another kind is wanted here"
	case errors.As(err, &another):
		return another.GetMessage()
	case errors.As(err, &large):
		return "this number is too large"
	case !errors.As(err, &syntax):
		return unreadable
	case strings.HasPrefix(syntax.Message, `mapping key "`):
		key, _, _ := strings.Cut(strings.TrimPrefix(syntax.Message, `mapping key "`), `"`)
		if !looksLikeKey.MatchString(key) {
			return "a key that is already defined"
		}
		return fmt.Sprintf("mapping key %q already defined", key)
	case strings.Contains(syntax.Message, `"`) || strings.Contains(syntax.Message, "character '"):
		return unreadable // it quotes a value
	default:
		return syntax.Message
	}
}
