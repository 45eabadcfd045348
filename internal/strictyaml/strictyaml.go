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
func Decode(name string, data []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, true))
	}
	return nil
}
