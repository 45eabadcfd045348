package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/remote/ledger"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/strictyaml"
)

// role is what an account is there for.
type role string

const (
	roleMain      role = "main"       // it logs in
	roleThrowAway role = "throw-away" // it may be locked by wrong passwords; the other one where a case wants two
	roleDisabled  role = "disabled"   // it must not get in, with its own password
	roleOverride  role = "override"   // it has a POP3 override password
)

func roles() []role { return []role{roleMain, roleThrowAway, roleDisabled, roleOverride} }

// accountEntry is an account as it stands in a file.
type accountEntry struct {
	Name         string `yaml:"name"`
	Role         string `yaml:"role"`
	Password     string `yaml:"password"`
	PasswordEnv  string `yaml:"password-env"`
	PasswordFile string `yaml:"password-file"`
	Override     string `yaml:"override"`
	TokenFile    string `yaml:"token-file"`
	Certificate  string `yaml:"certificate"`
	Key          string `yaml:"key"`
}

// account is one whose secrets are fetched when they are wanted. Its String never
// shows one.
type account struct {
	role  role
	entry accountEntry
}

func (a account) String() string   { return "account " + a.entry.Name }
func (a account) GoString() string { return a.String() }

// accounts are those of a file.
type accounts []account

// readAccounts reads an --account-file, and says on w if others can read it too.
// What is wrong is one line, and shows nothing of what stands in the file but
// names.
func readAccounts(name string, w io.Writer) (accounts, error) {
	data, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return nil, fmt.Errorf("account file: %w", err)
	}
	const others = 0o077 // of Windows, Go does not know who may read a file
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Mode()&others != 0 && runtime.GOOS != "windows" {
		_, _ = fmt.Fprintf(w, "mailmatrix: %s can be read by others: chmod 600 %[1]s\n", name)
	}
	var file struct {
		Accounts []accountEntry `yaml:"accounts"`
	}
	if err := strictyaml.Decode(name, data, &file); err != nil {
		return nil, fmt.Errorf("%w; wanted is `accounts:`, a list of entries with name, role, password-file or password-env, and the like", err)
	}
	where := accountLines(data, len(file.Accounts))
	var all accounts
	for i, entry := range file.Accounts {
		a, err := entry.read(filepath.Dir(name), all)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, where[i], err)
		}
		all = append(all, a)
	}
	if _, ok := all.of(roleMain); !ok {
		return nil, fmt.Errorf("%s: none of its %d accounts has the role main: which one logs in?", name, len(all))
	}
	return all, nil
}

// accountLines says on which lines the n entries begin, 1 where that cannot be
// told.
func accountLines(data []byte, n int) []int {
	lines := slices.Repeat([]int{1}, n)
	tree, err := parser.ParseBytes(data, 0)
	if err != nil || len(tree.Docs) == 0 {
		return lines
	}
	ast.Walk(lineFinder(func(list *ast.SequenceNode) {
		for i, entry := range list.Values[:min(n, len(list.Values))] {
			lines[i] = entry.GetToken().Position.Line
		}
	}), tree.Docs[0].Body)
	return lines
}

// lineFinder looks at lists; there is one.
type lineFinder func(*ast.SequenceNode)

func (f lineFinder) Visit(n ast.Node) ast.Visitor {
	if list, ok := n.(*ast.SequenceNode); ok {
		f(list)
		return nil
	}
	return f
}

// read understands an entry of a file in folder, after those before it.
func (e accountEntry) read(folder string, before accounts) (account, error) {
	if e.Name == "" {
		return account{}, errors.New("an account without name: what does it log in as?")
	}
	for _, file := range []*string{&e.PasswordFile, &e.TokenFile, &e.Certificate, &e.Key} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(folder, *file)
		}
	}
	a := account{role: roleMain, entry: e}
	if e.Role != "" {
		var err error
		if a.role, err = login.ParseName("role", e.Role, roles()); err != nil {
			return a, fmt.Errorf("account %s: %w", e.Name, err)
		}
	}
	if err := a.check(before); err != nil {
		return a, fmt.Errorf("account %s: %w", e.Name, err)
	}
	return a, nil
}

func (a account) check(before accounts) error {
	e := a.entry
	passwords := 0
	for _, way := range []string{e.Password, e.PasswordEnv, e.PasswordFile} {
		if way != "" {
			passwords++
		}
	}
	if _, twice := before.of(a.role); twice {
		return fmt.Errorf("there are two of role %s: give one of them another", a.role)
	}
	switch {
	case slices.ContainsFunc(before, func(b account) bool { return b.entry.Name == e.Name }):
		return errors.New("it is there twice")
	case passwords != 1:
		return fmt.Errorf("it has %d of password, password-env and password-file, and wants one", passwords)
	case (e.Certificate == "") != (e.Key == ""):
		return errors.New("a certificate needs its key: give both certificate and key")
	case (e.Override != "") != (a.role == roleOverride):
		return errors.New("the role override and an override password go together: give both or none")
	}
	if _, set := os.LookupEnv(e.PasswordEnv); e.PasswordEnv != "" && !set {
		return fmt.Errorf("the environment has no %s, which its password-env names", e.PasswordEnv)
	}
	for _, file := range []string{e.PasswordFile, e.TokenFile, e.Certificate, e.Key} {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			return err
		}
	}
	return nil
}

// of is the account of a role.
func (all accounts) of(r role) (account, bool) {
	i := slices.IndexFunc(all, func(a account) bool { return a.role == r })
	if i < 0 {
		return account{}, false
	}
	return all[i], true
}

// main is who logs in.
func (all accounts) main() ledger.Account {
	a, _ := all.of(roleMain)
	return ledger.Account{Name: a.entry.Name, Secrets: a.secrets}
}

// secrets fetches what the account logs in by.
func (a account) secrets() (password string, issued login.Issued, err error) {
	if password, err = a.password(); err != nil {
		return "", issued, err
	}
	if a.entry.TokenFile != "" {
		if issued.Token, err = firstLineOf(a.entry.TokenFile); err != nil {
			return "", issued, err
		}
	}
	if a.entry.Certificate != "" {
		issued.Certificate, err = os.ReadFile(a.entry.Certificate)
		if err == nil {
			issued.Key, err = os.ReadFile(a.entry.Key)
		}
	}
	return password, issued, err
}

func (a account) password() (string, error) {
	switch e := a.entry; {
	case e.PasswordFile != "":
		return firstLineOf(e.PasswordFile)
	case e.PasswordEnv != "":
		return os.Getenv(e.PasswordEnv), nil
	default:
		return e.Password, nil
	}
}

// firstLineOf is what a file with a secret holds.
func firstLineOf(name string) (string, error) {
	data, err := os.ReadFile(name) //nolint:gosec // the user names the file
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSuffix(line, "\r"), err
}

// stand is what a harness is told of the accounts, with what the main one holds
// beside its password.
func (all accounts) stand() (harness.Stand, login.Issued, error) {
	var s harness.Stand
	var issued login.Issued
	for role, into := range map[role]*login.Account{roleMain: &s.Account, roleThrowAway: &s.Other} {
		a, ok := all.of(role)
		if !ok {
			continue
		}
		password, holds, err := a.secrets()
		if err != nil {
			return harness.Stand{}, login.Issued{}, err
		}
		*into = login.Account{Name: a.entry.Name, Password: password}
		if role == roleMain {
			issued = holds
		}
	}
	return s, issued, nil
}
