package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDocsTutorials does what the tutorials say: their files are written into
// an empty folder, their commands are run there one after another, and what
// they show of the output is looked for in it.
func TestDocsTutorials(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(docsFolder, "tutorials", "*.md"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d tutorials, %v", len(names), err)
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	played := maps.Clone(stages)
	for _, name := range names {
		base := filepath.Base(name)
		text := read(t, name)
		delete(played, base)
		t.Run(base, func(t *testing.T) {
			folder := t.TempDir()
			names := strings.NewReplacer()
			if stage := stages[base]; stage != nil {
				names = stage(t, folder)
			}
			t.Chdir(folder)
			follow(t, root, fencesOf(text), names)
		})
	}
	for name := range played {
		t.Errorf("a stage is set for %s, which does not exist", name)
	}
}

// follow does what the fences of a page say. names puts the doors of servers of
// ours in the place of those that the page speaks of.
func follow(t *testing.T, root string, fences []fence, names *strings.Replacer) {
	t.Helper()
	var commands []string
	for _, f := range fences {
		commands = append(commands, f.commands()...)
		if f.file != "" {
			if err := os.WriteFile(f.file, []byte(names.Replace(f.text)), privateFile); err != nil {
				t.Fatal(err)
			}
		}
	}
	shown, last := "", ""
	for i, f := range fences {
		for _, line := range f.commands() {
			last, shown = line, obey(t, root, names.Replace(line))
		}
		if f.language == "text" && i > 0 && fences[i-1].language == "sh" {
			for _, line := range notShown(f.text, shown) {
				t.Errorf("%s\ndoes not print %q, but\n%s", last, line, shown)
			}
		}
		for _, step := range f.steps() {
			if !slices.Contains(commands, step) {
				t.Errorf("the workflow runs %q, which stands in no fence of commands", step)
			}
		}
		if f.language == "go" && f.file == "" && !excerpt(t, root, f.text) {
			t.Errorf("no file of ours has these lines:\n%s", f.text)
		}
	}
}

var (
	remark     = regexp.MustCompile(`\s+# .*$`)
	exitRemark = regexp.MustCompile(`# exit (\d+)`)
)

// obey runs a command and returns what it prints. "# exit 1" behind it says
// what it ends with, where that is not 0.
func obey(t *testing.T, root, line string) string {
	t.Helper()
	want := 0
	if m := exitRemark.FindStringSubmatch(line); m != nil {
		want, _ = strconv.Atoi(m[1])
	}
	words, err := splitWords(remark.ReplaceAllString(line, ""))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	into := ""
	if n := len(words); n > 2 && words[n-2] == ">" {
		into, words = words[n-1], words[:n-2]
	}
	for _, program := range [][]string{{"mailmatrix"}, {"go", "run", "./cmd/mailmatrix"}} {
		if len(words) <= len(program) || !slices.Equal(words[:len(program)], program) {
			continue
		}
		if missing := peer(words); missing != "" {
			if os.Getenv("MAILMATRIX_INTEROP") == "required" {
				t.Fatalf("%s: %s is missing, and MAILMATRIX_INTEROP=required", line, missing)
			}
			t.Skipf("%s: %s is missing", line, missing)
		}
		var out, says bytes.Buffer
		status := run(context.Background(), words[len(program):], terminal{In: strings.NewReader(""), Out: &out, Err: &says})
		if status != want {
			t.Fatalf("%s\nexit status %d, want %d: %s\n%s", line, status, want, says.String(), out.String())
		}
		if into != "" {
			if err := os.WriteFile(into, out.Bytes(), publicFile); err != nil {
				t.Fatal(err)
			}
		}
		return out.String() + says.String()
	}
	if len(words) > 2 && words[0] == "go" && words[1] == "test" {
		return goTest(t, root, words)
	}
	t.Errorf("%s: nobody has tried it", line)
	return ""
}

// peer is the program that --exec wants and that is not here.
func peer(words []string) string {
	i := slices.Index(words, "--exec")
	if i < 0 || i+1 == len(words) {
		return ""
	}
	program, _, _ := strings.Cut(words[i+1], " ")
	if _, err := exec.LookPath(program); err == nil {
		return ""
	}
	return program
}

// goTest runs the tests of a module that the tutorial makes. Where it makes
// none they are tests of ours, which the gate runs anyway; it is enough that
// they are there.
func goTest(t *testing.T, root string, words []string) string {
	t.Helper()
	if _, err := os.Stat("go.mod"); err == nil {
		out, err := exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput()
		if err != nil {
			t.Errorf("%q: %v\n%s", words, err, out)
		}
		return string(out)
	}
	pattern := regexp.MustCompile("")
	if i := slices.Index(words, "-run"); i > 0 && i+1 < len(words) {
		pattern = regexp.MustCompile(words[i+1])
	}
	files, err := filepath.Glob(filepath.Join(root, words[2], "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)`).FindAllStringSubmatch(read(t, name), -1) {
			if pattern.MatchString(m[1]) {
				return ""
			}
		}
	}
	t.Errorf("%q: there is no such test", words)
	return ""
}

var number = regexp.MustCompile(`\d+(?:[.,]\d+)*`)

// notShown are the lines of a fence that the output has not. Numbers may
// differ, blanks too, and "..." stands for what is left out.
func notShown(text, output string) []string {
	flat := func(s string) string { return strings.Join(strings.Fields(number.ReplaceAllString(s, "9")), " ") }
	output = flat(output)
	var missing []string
	for line := range strings.Lines(text) {
		for part := range strings.SplitSeq(line, "...") {
			if !strings.Contains(output, flat(part)) {
				missing = append(missing, strings.TrimSpace(part))
			}
		}
	}
	return missing
}

// excerpt reports whether a file of ours has these lines.
func excerpt(t *testing.T, root, text string) bool {
	t.Helper()
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for _, pattern := range []string{"examples/embed/*.go", "scenarios/*/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.Contains(flat(read(t, name)), flat(text)) {
				return true
			}
		}
	}
	return false
}
