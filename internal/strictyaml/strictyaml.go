// Package strictyaml reads YAML that people write by hand: what it does not
// know is an error, and the error quotes the line.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
)

// Decode reads data into the struct behind into; name is the file's, for
// messages. An empty file leaves it as it is.
func Decode(name string, data []byte, into any) (err error) {
	// The library falls over some that is no YAML, such as "!00 000".
	defer func() {
		if accident := recover(); accident != nil {
			err = fmt.Errorf("%s: this is no YAML that can be read", name)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	err = decoder.Decode(into)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, true))
	}
	// What stands behind "---" would be read by nobody.
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: more than one YAML document: only one is read", name)
	}
	return nil
}
