package strictyaml_test

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/strictyaml"
)

// What is wrong is one line that says where, and shows no value.
func TestDecode(t *testing.T) {
	for _, row := range []struct{ why, text, want string }{
		{"nothing", "", ""},
		{"as it should be", "name: x\nports: {smtp: 25}\n", ""},
		{"an unknown key", "name: x\npasword: hunter2\n", `file.yaml:2:1: unknown field "pasword"`},
		{"a key that would end the line", "\"a\\nb\": hunter2\n", `file.yaml:1:1: a field that is not known`},
		{"a key that is a password", "alice:hunter2:\n", `file.yaml:1:1: a field that is not known`},
		{"a key twice", "name: hunter2\nname: hunter2\n", `file.yaml:2:1: mapping key "name" already defined`},
		{"a list for a text", "name: [hunter2]\n", "file.yaml:1:7: a value of another kind is wanted here"},
		{"a text for a number", "ports: {smtp: hunter2}\n", "file.yaml:1:15: a value of another kind is wanted here"},
		{"a text for a map", "ports: hunter2\n", "file.yaml:1:8: string was used where mapping is expected"},
		{"a number too large", "ports: {smtp: 99999999999999999999999}\n", "file.yaml:1:15: "},
		{"a small one too large", "small: 4711\n", "file.yaml:1:8: this number is too large"},
		{"a text for the whole file", "hunter2", "file.yaml:1:1: string was used where mapping is expected"},
		{"a bracket that is not closed", "name: {hunter2", "file.yaml:1:8: could not find flow map content"},
		{"an escape that does not exist", "name: \"hunter2\\q\"\n", "file.yaml:1:16: this is no YAML that can be read"},
		{"an alias to nothing", "name: *hunter2\n", "file.yaml:1:8: this is no YAML that can be read"},
		{"what the library falls over", "!00 000", "file.yaml:1:1: tag was used where mapping is expected"},
		{"two documents", "name: x\n---\nname: hunter2\n", "file.yaml: more than one YAML document: only one is read"},
	} {
		var into struct {
			Name  string         `yaml:"name"`
			Ports map[string]int `yaml:"ports"`
			Small int8           `yaml:"small"`
		}
		err := strictyaml.Decode("file.yaml", []byte(row.text), &into)
		if row.want == "" {
			if err != nil {
				t.Errorf("%s: %v", row.why, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%s: %v, want %s", row.why, err, row.want)
			continue
		}
		for _, no := range []string{"hunter2", "4711", "999", "\n"} {
			if strings.Contains(err.Error(), no) {
				t.Errorf("%s: it says %q", row.why, err)
			}
		}
	}
}

// Whatever stands in a file, the error is one line.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: x\n"))
	f.Add([]byte("? [a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var into struct {
			Name string `yaml:"name"`
		}
		if err := strictyaml.Decode("f", data, &into); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%q", err)
		}
	})
}
