// Package policy knows policies by name, says what one means for each client,
// and finds those that mean the least harm.
package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Load is the policy of that name: a built-in one, such as modern or
// modern@2026.1, or the one in a YAML file. A built-in name wins; what has a
// path separator, or ends in .yaml or .yml, is a file.
func Load(name string, readFile func(string) ([]byte, error)) (login.Policy, error) {
	file := strings.ContainsAny(name, `/\`) || slices.Contains([]string{".yaml", ".yml"}, strings.ToLower(filepath.Ext(name)))
	if b, ok := builtin(name); ok && !file {
		return b.Policy, nil
	}
	data, err := readFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !file:
		return login.Policy{}, noSuchPolicy(name)
	case err != nil:
		return login.Policy{}, fmt.Errorf("policy: %w", err)
	}
	return harness.LoadPolicy(name, data)
}

// noSuchPolicy names the policy that was meant.
func noSuchPolicy(name string) error {
	var names []string
	for _, b := range Builtins() {
		names = append(names, b.Name)
		if base, version, ok := strings.Cut(name, "@"); ok && strings.EqualFold(base, b.Name) {
			return fmt.Errorf("policy %s has no version %q, but %s", b.Name, version, b.Version)
		}
	}
	_, err := login.ParseName("policy", name, names)
	return fmt.Errorf("%w, and there is no file of that name", err)
}

// Title is how a policy is called: a built-in one with its version, a file by
// its name.
func Title(name string) string {
	if b, ok := builtin(name); ok {
		return b.ID()
	}
	return name
}
