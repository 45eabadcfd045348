package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// readPassword takes a password from a file's first line, from the
// environment, or from a prompt; never from a flag, which everybody on the
// machine can read.
func readPassword(t terminal, file, prompt string) (string, error) {
	if file != "" {
		data, err := os.ReadFile(file) //nolint:gosec // the user names the file
		if err != nil {
			return "", fmt.Errorf("password file: %w", err)
		}
		line, _, _ := strings.Cut(string(data), "\n")
		return strings.TrimSuffix(line, "\r"), nil
	}
	if password, ok := os.LookupEnv("MAILMATRIX_PASSWORD"); ok {
		return password, nil
	}
	in, ok := t.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", errors.New("a password is needed: set MAILMATRIX_PASSWORD or name a --password-file")
	}
	if _, err := fmt.Fprintf(t.Err, "%s: ", prompt); err != nil {
		return "", err
	}
	password, err := term.ReadPassword(int(in.Fd()))
	_, _ = fmt.Fprintln(t.Err)
	return string(password), err
}
