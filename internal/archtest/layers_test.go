// Package archtest holds the law of the house: who may import whom. It reads
// the files itself, because a child process such as "go list" would let the
// test cache say "ok" after a forbidden import was added.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/mailmatrix/mailmatrix"

// law lists, for each room, the rooms of ours that it may import. A room that
// is not listed does not exist: a new one has to be written down here.
var law = map[string][]string{
	"internal/login":         {},
	"internal/certs":         {},
	"internal/archtest":      {},
	"internal/strictyaml":    {},
	"internal/wire":          {"internal/login"},
	"internal/mech":          {"internal/login", "internal/mech/ntlm", "internal/mech/kerberos"},
	"internal/mech/ntlm":     {},
	"internal/mech/kerberos": {"internal/login"},
	"internal/recording":     {"internal/login", "internal/wire"},
	"internal/results":       {"internal/login", "internal/strictyaml"},
	"store":                  {"internal/login"},
	"reports":                {"internal/login", "internal/results"},
	"docs":                   {},
	"server":                 {"internal/login", "internal/wire", "internal/mech", "internal/mech/kerberos", "internal/certs"},
	"clientsim":              {"internal/login", "internal/wire", "internal/mech"},
	// A case runs against any target: never server, never harness.
	"scenarios":             {"internal/login", "internal/wire", "clientsim"},
	"scenarios/script":      {"internal/login", "internal/wire", "clientsim", "scenarios"},
	"scenarios/compliance":  {"internal/login", "internal/wire", "scenarios/script"},
	"scenarios/clientcases": {"internal/login", "internal/wire", "internal/recording"},
	// Remote checking links no server.
	"harness":             {"internal/strictyaml", "internal/login", "internal/wire", "internal/mech", "internal/recording", "clientsim", "scenarios", "scenarios/script", "scenarios/compliance", "scenarios/clientcases"},
	"harness/ginkgosuite": {"internal/login", "harness"},
	// A server in service is asked through these, the lowest first.
	"harness/remote/budget":   {"internal/login"},
	"harness/remote/reach":    {"internal/login", "internal/wire", "scenarios", "scenarios/script", "harness/remote/budget"},
	"harness/remote/discover": {"internal/login", "harness/remote/reach"},
	"harness/remote/ledger": {"internal/login", "internal/wire", "internal/mech", "clientsim", "scenarios", "scenarios/script", "harness/remote/budget",
		"harness/remote/reach"},
	"harness/remote/advice": {"internal/login"},
	"harness/remote/judge":  {"internal/login", "internal/mech", "harness/remote/advice"},
	"harness/remote/apply":  {"internal/login", "internal/wire", "internal/strictyaml", "harness"},
	"harness/remote": {"internal/login", "internal/wire", "internal/mech", "clientsim", "scenarios", "scenarios/script", "harness",
		"harness/remote/budget", "harness/remote/reach", "harness/remote/discover", "harness/remote/ledger", "harness/remote/advice", "harness/remote/judge"},
	"harness/policy":        {"internal/login", "internal/mech", "clientsim", "harness"},
	"harness/policy/render": {"internal/login", "internal/mech", "harness/policy"},
	"interop":               {},
	"cmd/mailmatrix": {"internal/strictyaml", "internal/login", "internal/wire", "internal/mech", "internal/mech/kerberos", "internal/certs", "internal/recording", "server",
		"clientsim", "scenarios", "scenarios/script", "scenarios/compliance", "scenarios/clientcases", "harness", "reports", "docs",
		"harness/remote", "harness/remote/budget", "harness/remote/reach", "harness/remote/discover", "harness/remote/ledger", "harness/remote/judge",
		"harness/remote/apply", "harness/policy", "harness/policy/render", "internal/results", "store"},
}

// pure is all that the core may import: nothing that touches a network, a
// file, a clock or chance.
var pure = []string{"encoding/json", "errors", "fmt", "maps", "slices", "strings", "time"}

// confined names outside modules that only one room may import in the shipped
// program, and why.
var confined = map[string]struct{ room, why string }{
	"github.com/onsi/ginkgo":      {"harness/ginkgosuite", "it registers 52 flags"},
	"github.com/onsi/gomega":      {"harness/ginkgosuite", "it is for tests"},
	"modernc.org/sqlite":          {"store", "only the history has a database"},
	"github.com/spf13/cobra":      {"cmd/mailmatrix", "only the command line has flags"},
	"github.com/emersion/go-smtp": {"server", "client simulation has its own driver"},
}

func TestLaw(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
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
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Errorf("%s: %v", rel, err)
		return
	}
	if room == "internal/login" {
		checkPure(t, file, rel)
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Errorf("%s: %v", rel, err)
			continue
		}
		if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
			if ours != room && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s: %s may import only %v", rel, ours, room, allowed)
			}
			continue
		}
		if room == "internal/login" && !slices.Contains(pure, imported) {
			t.Errorf("%s imports %s: the core is pure and may import only %v", rel, imported, pure)
		}
		for prefix, c := range confined {
			if strings.HasPrefix(imported, prefix) && room != c.room && room != "interop" {
				t.Errorf("%s imports %s: only %s may, because %s", rel, imported, c.room, c.why)
			}
		}
	}
}

// checkPure: the core may speak of times and durations, never ask for them,
// and starts no goroutine.
func checkPure(t *testing.T, file *ast.File, rel string) {
	t.Helper()
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			t.Errorf("%s starts a goroutine: the core is pure", rel)
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" &&
				slices.Contains([]string{"Now", "Since", "Until", "After", "Sleep", "NewTimer", "NewTicker", "Tick", "AfterFunc"}, n.Sel.Name) {
				t.Errorf("%s asks for time.%s: the core is pure", rel, n.Sel.Name)
			}
		}
		return true
	})
}
