package harness_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
)

// Every type that Target, Grid, Config, Plan and Report can hold has a name
// that an outside module may use.
func TestEverythingHasAName(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "api.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok && spec.Assign.IsValid() {
			named[spec.Type.(*ast.SelectorExpr).Sel.Name] = true
		}
		return true
	})
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(x reflect.Type) {
		if seen[x] {
			return
		}
		seen[x] = true
		if path := x.PkgPath(); x.Name() != "" && strings.Contains(path, "mailmatrix/mailmatrix") &&
			!strings.HasSuffix(path, "/harness") && !named[x.Name()] && ast.IsExported(x.Name()) {
			t.Errorf("nobody outside can name %s", x)
		}
		switch x.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(x.Elem())
		case reflect.Map:
			walk(x.Key())
			walk(x.Elem())
		case reflect.Func:
			for i := range x.NumIn() {
				walk(x.In(i))
			}
			for i := range x.NumOut() {
				walk(x.Out(i))
			}
		case reflect.Interface:
			for i := range x.NumMethod() {
				walk(x.Method(i).Type)
			}
		case reflect.Struct:
			for i := range x.NumField() {
				if f := x.Field(i); f.IsExported() {
					walk(f.Type)
				}
			}
		}
	}
	for _, root := range []any{harness.Grid{}, harness.Config{}, harness.Plan{}, harness.Report{}, harness.Setup{},
		harness.CannotError{}, harness.StartupError{}} {
		walk(reflect.TypeOf(root))
	}
	if len(seen) < 40 {
		t.Errorf("looked at %d types only", len(seen))
	}
}
