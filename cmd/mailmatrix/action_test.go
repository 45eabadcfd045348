package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// action is action.yml, as far as a runner follows it.
type action struct {
	Inputs  map[string]struct{ Description, Default string }
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []actionStep
	}
}

type actionStep struct {
	Name, ID, Uses, Shell, Run string
	With, Env                  map[string]string
	WorkingDirectory           string `yaml:"working-directory"`
}

// runner is a GitHub runner, as a composite action sees one: it fills in
// expressions and runs scripts. What it does not know is an error.
type runner struct {
	t        *testing.T
	action   action
	checkout string // where the action is
	temp     string
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is missing")
	}
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{t: t, checkout: checkout, temp: t.TempDir()}
	if err := yaml.UnmarshalWithOptions([]byte(read(t, filepath.Join(checkout, "action.yml"))), &r.action); err != nil {
		t.Fatal(err)
	}
	return r
}

var expression = regexp.MustCompile(`\$\{\{ *([^ }]+) *\}\}`)

// expand fills in the inputs and the place of the action.
func (r *runner) expand(text string, inputs map[string]string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		name := expression.FindStringSubmatch(e)[1]
		if name == "github.action_path" {
			return r.checkout
		}
		name, isInput := strings.CutPrefix(name, "inputs.")
		declared, ok := r.action.Inputs[name]
		if !isInput || !ok {
			r.t.Fatalf("action.yml: nobody knows %s", e)
		}
		if given, ok := inputs[name]; ok {
			return given
		}
		return declared.Default
	})
}

// ran is what a workflow sees of a step.
type ran struct {
	status                int
	log, outputs, summary string
}

// run runs the script of one step in a folder as a runner does.
func (r *runner) run(step actionStep, folder string, inputs map[string]string) ran {
	r.t.Helper()
	files := r.t.TempDir()
	script := filepath.Join(files, "script.sh")
	outputs, summary := filepath.Join(files, "output"), filepath.Join(files, "summary")
	for name, text := range map[string]string{script: step.Run, outputs: "", summary: ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	c := exec.CommandContext(r.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", script)
	c.Dir = filepath.Join(folder, r.expand(step.WorkingDirectory, inputs))
	c.Env = append(os.Environ(), "GITHUB_OUTPUT="+outputs, "GITHUB_STEP_SUMMARY="+summary, "RUNNER_TEMP="+r.temp)
	for name, value := range step.Env {
		c.Env = append(c.Env, name+"="+r.expand(value, inputs))
	}
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	if err := c.Run(); err != nil && c.ProcessState == nil {
		r.t.Fatal(err)
	}
	return ran{status: c.ProcessState.ExitCode(), log: log.String(), outputs: read(r.t, outputs), summary: read(r.t, summary)}
}

// The action's own scripts, run as a runner runs them, install the program
// from this working copy and put its results where a workflow looks.
func TestAction(t *testing.T) {
	r := newRunner(t)
	steps := slices.DeleteFunc(slices.Clone(r.action.Runs.Steps), func(s actionStep) bool { return s.Uses != "" })
	if r.action.Runs.Using != "composite" || len(steps) != 2 {
		t.Fatalf("a composite of %d scripts, not 2", len(steps))
	}
	if got := r.run(steps[0], t.TempDir(), nil); got.status != 0 || !strings.Contains(got.log, "mailmatrix "+version+"\n") {
		t.Fatalf("install: exit status %d\n%s", got.status, got.log)
	}
	const few = "run --profile outlook --database nt --protocol pop3 --transport tls"
	expired := "- {pattern: classic/x, verdict: fail, reason: r, source: s, until: 2020-01-01}\n"
	for _, row := range []struct {
		name, why string
		inputs    map[string]string
		status    int
		log       string
		summary   string
		files     []string
	}{
		{"everything as expected", "the report stands on the page of the job", map[string]string{"args": few},
			0, "exit status 0", "mailmatrix", nil},
		{"outputs", "each line is a file, in the working directory", map[string]string{"args": few, "outputs": "junit=junit.xml\njson=a b.json\n"},
			0, "exit status 0", "mailmatrix", []string{"junit.xml", "a b.json"}},
		{"no summary", "the page of a job may belong to somebody else", map[string]string{"args": few, "summary": "false"},
			0, "exit status 0", "", nil},
		{"something failed", "who fails wants to read why: the page is written all the same", map[string]string{"args": few + " --expect 'my known.yaml'"},
			1, "its date has passed", "mailmatrix", nil},
		{"fail-on", "what failed is not among what may fail the job", map[string]string{"args": few, "fail-on": "leak"},
			0, "exit status 0", "mailmatrix", nil},
		{"fail-on nonsense", "an input that is wrong is said to be", map[string]string{"args": few, "fail-on": "laek"},
			2, `did you mean "leak"?`, "", nil},
		{"nothing matched", "nobody can say is not success", map[string]string{"args": "run --profile outlok"},
			2, `did you mean "outlook"?`, "", nil},
		{"code", "an input is never part of a script", map[string]string{"args": few + ` --expect '$(touch$IFS'owned)`, "fail-on": "`touch owned`"},
			2, "", "", nil},
		{"several lines", "long arguments are written below each other", map[string]string{"args": strings.ReplaceAll(few, " --", "\n--") + "\n"},
			0, "exit status 0", "mailmatrix", nil},
		{"annotations", "the runner reads them in the log", map[string]string{"args": few + " --expect 'my known.yaml' --format annotations"},
			1, "::error file=my known.yaml,line=1", "mailmatrix", nil},
		{"an open quote", "xargs refuses it, and nothing runs", map[string]string{"args": "run 'x"},
			2, "::error title=mailmatrix::", "", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "my known.yaml"), []byte(expired), 0o600); err != nil {
				t.Fatal(err)
			}
			got := r.run(steps[1], folder, row.inputs)
			if got.status != row.status || !strings.Contains(got.log, row.log) {
				t.Errorf("%s: exit status %d, want %d and %q in\n%s", row.why, got.status, row.status, row.log, got.log)
			}
			if (row.summary == "") != (got.summary == "") || !strings.Contains(got.summary, row.summary) {
				t.Errorf("%s: summary %q, want %q", row.why, got.summary, row.summary)
			}
			if want := fmt.Sprintf("exit-status=%d\n", row.status); got.outputs != want {
				t.Errorf("outputs %q, want %q", got.outputs, want)
			}
			for _, name := range row.files {
				if len(read(t, filepath.Join(folder, name))) == 0 {
					t.Errorf("%s is empty", name)
				}
			}
			if _, err := os.Stat(filepath.Join(folder, "owned")); err == nil {
				t.Error("an input was run as code")
			}
		})
	}
}

// Each input and output says what it is for, reaches a script, and does so as
// an environment variable: text in a script would be code.
func TestActionInputs(t *testing.T) {
	r := newRunner(t)
	used := map[string]bool{}
	for _, s := range r.action.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("%s: an expression in the script", s.Name)
		}
		if s.Run != "" && s.Shell != "bash" {
			t.Errorf("%s: shell %q", s.Name, s.Shell)
		}
		for _, text := range append([]string{s.WorkingDirectory}, values(s.Env)...) {
			for _, e := range expression.FindAllStringSubmatch(text, -1) {
				used[strings.TrimPrefix(e[1], "inputs.")] = true
			}
		}
	}
	page := read(t, "../../docs/packaging.md")
	for name, input := range r.action.Inputs {
		if input.Description == "" || !used[name] {
			t.Errorf("input %s: description %q, used: %v", name, input.Description, used[name])
		}
		if !strings.Contains(page, "| `"+name+"` |") {
			t.Errorf("docs/packaging.md does not have the input %s", name)
		}
	}
	for name, output := range r.action.Outputs {
		if output.Description == "" || !strings.Contains(output.Value, "steps.run.outputs."+name) || !strings.Contains(page, "`"+name+"`") {
			t.Errorf("output %s: %+v, or it is missing in docs/packaging.md", name, output)
		}
	}
}

func values(m map[string]string) []string {
	var v []string
	for _, value := range m {
		v = append(v, value)
	}
	return v
}
