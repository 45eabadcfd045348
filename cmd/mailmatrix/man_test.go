package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every command has a page, every page names its flags, and writing them twice
// makes the same bytes.
func TestMan(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "man1")
	status, out, diagnostics := mailmatrix(t, "man", "--dir", folder)
	if status != 0 || out != "" || !strings.Contains(diagnostics, " pages in "+folder) {
		t.Fatalf("exit status %d, output %q, says %q", status, out, diagnostics)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mailmatrix", "mailmatrix-run", "mailmatrix-check", "mailmatrix-cert-generate", "mailmatrix-completion-bash"} {
		if !slices.Contains(files, filepath.Join(folder, name+".1")) {
			t.Errorf("no page %s", name)
		}
	}
	run := read(t, filepath.Join(folder, "mailmatrix-run.1"))
	for _, want := range []string{
		".TH \"MAILMATRIX\\-RUN\" \"1\" \"\" \"mailmatrix " + version + "\"", `\fB\-\-output\fR \fIFORMAT=FILE\fR`, `\fB\-v\fR, \fB\-\-verbose\fR`,
		"(default text)", ".SH \"EXAMPLES\"\n.nf\n  mailmatrix run\n", "mailmatrix(1)",
	} {
		if !strings.Contains(run, want) {
			t.Errorf("the page of run lacks %q:\n%.3000s", want, run)
		}
	}
	before := read(t, files[0])
	if status, _, _ := mailmatrix(t, "man", "--dir", folder); status != 0 || read(t, files[0]) != before {
		t.Errorf("a second time: exit status %d, or other bytes", status)
	}
	groff(t, files)
}

// groff reads the pages as man(1) does, and has nothing to complain of.
func groff(t *testing.T, files []string) {
	t.Helper()
	program, err := exec.LookPath("groff")
	if err != nil {
		if os.Getenv("MAILMATRIX_INTEROP") == "required" {
			t.Fatal("groff is missing (Debian: groff-base), and MAILMATRIX_INTEROP=required")
		}
		t.Log("the pages were not typeset: groff is missing (Debian: groff-base)")
		return
	}
	for _, name := range files {
		c := exec.CommandContext(t.Context(), program, "-man", "-Tutf8", "-ww", name)
		var says bytes.Buffer
		c.Stdout, c.Stderr = io.Discard, &says
		if err := c.Run(); err != nil || says.Len() > 0 {
			t.Errorf("%s: %v\n%s", filepath.Base(name), err, says.String())
		}
	}
}

func TestManRefuses(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{"man", "--dir is missing"},
		{"man --dir /dev/null/x", "cannot write /dev/null/x"},
		{"man extra", "takes no arguments"},
	} {
		if status, out, says := mailmatrix(t, strings.Fields(row.args)...); status != 2 || out != "" || !strings.Contains(says, row.want) {
			t.Errorf("%s: exit status %d, output %q, says %q", row.args, status, out, says)
		}
	}
}

func TestRoff(t *testing.T) {
	for _, row := range []struct{ name, text, want, why string }{
		{"flag", "--x", `\-\-x`, "a hyphen that can be copied into a shell"},
		{"request", ".so /etc/passwd", `\&.so /etc/passwd`, "a line of text is no request"},
		{"request in the text", "a\n.so x", "a\n\\&.so x", "nor is its second line"},
		{"apostrophe", "'x", `\(aqx`, "the other character that begins one"},
		{"escape", `\fB`, `\efB`, "text has no escapes"},
	} {
		if got := roff(row.text); got != row.want {
			t.Errorf("%s: %q, want %q: %s", row.name, got, row.want, row.why)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
