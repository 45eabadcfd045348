package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fence is a piece of a page that is no prose.
type fence struct {
	language, text string
	file           string // what its first line names, in a remark
}

var fileNamed = regexp.MustCompile(`^(?:#|//) ([\w-]+(?:\.[\w-]+)+)\n`)

func fencesOf(text string) []fence {
	var all []fence
	var open *fence
	for line := range strings.Lines(text) {
		mark, isMark := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case !isMark && open != nil:
			open.text += line
		case isMark && open == nil:
			open = &fence{language: mark}
		case isMark:
			if m := fileNamed.FindStringSubmatch(open.text); m != nil && open.language != "sh" {
				open.file = m[1]
			}
			all = append(all, *open)
			open = nil
		}
	}
	return all
}

// commands are the lines of a fence for a shell.
func (f fence) commands() []string {
	if f.language != "sh" {
		return nil
	}
	var all []string
	for _, line := range f.whole() {
		if line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

// steps are the commands of ours in a workflow.
func (f fence) steps() []string {
	if f.language != "yaml" {
		return nil
	}
	var all []string
	for _, line := range f.whole() {
		line = strings.TrimPrefix(strings.TrimPrefix(line, "- "), "run: ")
		if strings.HasPrefix(line, "mailmatrix ") {
			all = append(all, line)
		}
	}
	return all
}

// whole are the lines of a fence, with one blank between words. One that ends in
// a backslash goes on in the next.
func (f fence) whole() []string {
	var all []string
	for line := range strings.Lines(strings.ReplaceAll(f.text, "\\\n", " ")) {
		all = append(all, strings.Join(strings.Fields(line), " "))
	}
	return all
}

func TestDocsFences(t *testing.T) {
	workflow := fence{language: "yaml", text: "- run: mailmatrix plan\n- run: |\n    mailmatrix run \\\n      --full\n    cat x\n"}
	if got, want := workflow.steps(), []string{"mailmatrix plan", "mailmatrix run --full"}; !slices.Equal(got, want) {
		t.Errorf("steps %q, want %q", got, want)
	}
	page := "a\n```sh\nmailmatrix run \\\n  --full   # exit 1\n\n# remark\ngo test ./x\n```\nb\n```yaml\n# mine.yaml\nx: y\n```\n```text\nno 3 ... end\n```\n"
	fences := fencesOf(page)
	if len(fences) != 3 || fences[1].file != "mine.yaml" || fences[1].text != "# mine.yaml\nx: y\n" || fences[0].file != "" {
		t.Fatalf("%+v", fences)
	}
	if got, want := fences[0].commands(), []string{"mailmatrix run --full # exit 1", "go test ./x"}; !slices.Equal(got, want) {
		t.Errorf("commands %q, want %q", got, want)
	}
	for _, row := range []struct {
		output string
		want   []string
		why    string
	}{
		{"x no   41 y end", nil, "numbers and blanks may differ"},
		{"x no 41", []string{"end"}, "what stands behind the gap is missing"},
		{"yes end", []string{"no 3"}, "what stands before it is"},
	} {
		if got := notShown(fences[2].text, row.output); !slices.Equal(got, row.want) {
			t.Errorf("%q: %q, want %q: %s", row.output, got, row.want, row.why)
		}
	}
}
