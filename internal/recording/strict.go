package recording

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// decodeStrict reads one JSON value into v and demands that nothing is left
// over: no field that v does not have, none twice, and nothing behind.
func decodeStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return plainly(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the value")
	}
	return noneTwice(json.NewDecoder(bytes.NewReader(data)), "")
}

// plainly says what is wrong in the words of who wrote the file.
func plainly(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("bad JSON: it ends too soon")
	case errors.As(err, &syntax):
		return fmt.Errorf("bad JSON at octet %d: %w", syntax.Offset, err)
	case errors.As(err, &kind):
		return fmt.Errorf("field %q does not take JSON of the kind %s", cmp.Or(kind.Field, "(the whole)"), kind.Value)
	default: // `json: unknown field "x"`
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
}

// noneTwice reads the next value and finds a field that an object has twice:
// encoding/json would take the last, in any letter case.
func noneTwice(d *json.Decoder, where string) error {
	token, err := d.Token()
	if err != nil {
		return plainly(err)
	}
	seen := map[string]bool{}
	for d.More() {
		name := where
		if token == json.Delim('{') {
			key, err := d.Token()
			if err != nil {
				return plainly(err)
			}
			name, _ = key.(string)
			if folded := strings.ToLower(name); seen[folded] {
				return fmt.Errorf("field %q stands there twice", name)
			}
			seen[strings.ToLower(name)] = true
		} else if token != json.Delim('[') {
			return nil
		}
		if err := noneTwice(d, name); err != nil {
			return err
		}
	}
	if token == json.Delim('{') || token == json.Delim('[') {
		_, err = d.Token()
		return err
	}
	return nil
}
