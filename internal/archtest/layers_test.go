// Package archtest holds the law of the house: who may import whom. It reads
// the files itself, because a child process such as "go list" would let the
// test cache say "ok" after a forbidden import was added.
package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/mailmatrix/mailmatrix"

// law lists, for each room, the rooms of ours that it may import. A room that
// is not listed does not exist: a new one has to be written down here.
var law = map[string][]string{
	"internal/login":     {},
	"internal/certs":     {},
	"internal/archtest":  {},
	"internal/wire":      {"internal/login"},
	"internal/mech":      {"internal/login", "internal/mech/ntlm"},
	"internal/mech/ntlm": {},
	"reports":            {"internal/login"},
	"docs":               {},
	"server":             {"internal/login", "internal/wire", "internal/mech", "internal/certs"},
	"clientsim":          {"internal/login", "internal/wire", "internal/mech"},
	// A case runs against any target: never server, never harness.
	"scenarios": {"internal/login", "internal/wire", "clientsim"},
	// Remote checking links no server.
	"harness":             {"internal/login", "internal/wire", "internal/mech", "clientsim", "scenarios"},
	"harness/ginkgosuite": {"internal/login", "harness"},
	"interop":             {},
	"cmd/mailmatrix": {"internal/login", "internal/wire", "internal/mech", "internal/certs", "server", "clientsim",
		"scenarios", "harness", "reports", "docs"},
}

// pure names what the core must not touch, and why.
var pure = map[string]string{
	"net": "a network", "os": "files and environment", "crypto/tls": "a network", "math/rand": "chance",
}

// confined names outside modules that only one room may import in the shipped
// program, and why.
var confined = map[string]struct{ room, why string }{
	"github.com/onsi/ginkgo":      {"harness/ginkgosuite", "it registers 52 flags"},
	"github.com/onsi/gomega":      {"harness/ginkgosuite", "it is for tests"},
	"github.com/spf13/cobra":      {"cmd/mailmatrix", "only the command line has flags"},
	"github.com/emersion/go-smtp": {"server", "client simulation has its own driver"},
}

func TestLaw(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base == ".git" || base == "testdata" || base == "examples" || base == "tools" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files++
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		room := path.Dir(filepath.ToSlash(rel))
		seen[room] = true
		checkFile(t, room, name, rel)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatal("no file was read: the law was not checked")
	}
	for room := range law {
		if _, err := os.Stat(filepath.Join(root, room)); err != nil {
			t.Errorf("the law names %s, which does not exist", room)
		}
	}
}

func checkFile(t *testing.T, room, name, rel string) {
	t.Helper()
	allowed, known := law[room]
	if !known {
		t.Errorf("%s: the law does not know the room %s", rel, room)
		return
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		t.Errorf("%s: %v", rel, err)
		return
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Errorf("%s: %v", rel, err)
			continue
		}
		if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
			if ours != room && !contains(allowed, ours) {
				t.Errorf("%s imports %s: %s may import only %v", rel, ours, room, allowed)
			}
			continue
		}
		if why, banned := pure[imported]; banned && room == "internal/login" {
			t.Errorf("%s imports %s: the core is pure and must not touch %s", rel, imported, why)
		}
		for prefix, c := range confined {
			if strings.HasPrefix(imported, prefix) && room != c.room && room != "interop" {
				t.Errorf("%s imports %s: only %s may, because %s", rel, imported, c.room, c.why)
			}
		}
	}
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}
