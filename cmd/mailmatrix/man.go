package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func newMan(t terminal) *cobra.Command {
	var folder string
	c := &cobra.Command{
		Use:   "man",
		Short: "write the manual pages",
		Long: `Write a manual page for every command into a folder. The pages say what --help
says, and carry no date, so that the same program writes the same pages.`,
		Example: `  mailmatrix man --dir man1 && man -l man1/mailmatrix-run.1`,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if folder == "" {
				return errors.New("--dir is missing: the folder that the pages go to")
			}
			if err := os.MkdirAll(folder, 0o777); err != nil { // less what the umask takes
				return cannotWrite(folder, err)
			}
			pages := 0
			for _, verb := range verbsOf(c.Root()) {
				name := filepath.Join(folder, pageName(verb)+".1")
				if err := writeFile(name, []byte(manPage(verb)), publicFile); err != nil {
					return err
				}
				pages++
			}
			_, err := fmt.Fprintf(t.Err, "%d pages in %s\n", pages, folder)
			return err
		},
	}
	c.Flags().StringVar(&folder, "dir", "", "the folder that the pages go to; it is made where it is missing")
	return c
}

// verbsOf are a command and all below it that a user sees, but for "help",
// which has nothing to say that the pages do not.
func verbsOf(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			all = append(all, verbsOf(sub)...)
		}
	}
	return all
}

// pageName is the name of a command's page: mailmatrix-cert-generate.
func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }
