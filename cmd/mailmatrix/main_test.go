package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailmatrix/mailmatrix/docs"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// mailmatrix runs the program in this process.
func mailmatrix(t *testing.T, args ...string) (status int, out, diagnostics string) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(context.Background(), args, terminal{In: strings.NewReader(""), Out: &o, Err: &e})
	return status, o.String(), e.String()
}

// file writes a file for a test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Bad input gets one clear line that says what was wrong and what to do, and
// exit status 2; nothing is printed as if it were a result.
func TestBadInput(t *testing.T) {
	typo := file(t, "typo.yaml", "policy: {PLIAN: secure}\n")
	extra := file(t, "extra.yaml", "polcy: {PLAIN: secure}\n")
	profile := file(t, "profile.yaml", "name: x\nnonsense: y\n")
	serve := file(t, "serve.yaml", "flavour: modern\nportz: 3\n")
	garbage := file(t, "garbage.pem", "hello\n")
	for _, row := range []struct {
		args string
		want string
	}{
		{"rnu", `unknown command "rnu", did you mean "run"?`},
		{"run extra", `takes no arguments`},
		{"run --porfile x", "unknown flag: --porfile (see `mailmatrix run --help`)"},
		{"run --profile outlok", `did you mean "outlook"?`},
		{"run --profile outlook --mechanism APOP", "nothing matches mechanism APOP, profile outlook"},
		{"run --protocol imap", `unknown protocol "imap"`},
		{"run --transport ssl", `unknown transport "ssl"`},
		{"run --mechanism PLIAN", `did you mean "PLAIN"?`},
		{"run --setting maybe", `unknown setting "maybe"`},
		{"run --database oracle", `unknown database "oracle"`},
		{"run --flavour bitter", `unknown flavour "bitter"`},
		{"run --override yes", `unknown override "yes"`},
		{"run --credential right", `unknown credential "right"`},
		{"run --format pdf", `unknown format "pdf"`},
		{"run --output json", "--output wants FORMAT=FILE"},
		{"run --output pdf=x", `unknown format "pdf"`},
		{"run --output json=/nonexistent/x.json", "cannot write /nonexistent/x.json"},
		{"run --output json=x --output text=./x", "two outputs to x"},
		{"run --transcripts some", "unknown value of --transcripts"},
		{"run --parallel -1", "--parallel wants"},
		{"run --seed x", "invalid argument"},
		{"run --policy /nonexistent.yaml", "no such file"},
		{"run --policy " + typo, `did you mean "PLAIN"?`},
		{"run --policy " + extra, "unknown field"},
		{"run --policy " + typo + " --setting allow", "exclude each other"},
		{"run --profile-file " + profile, "nonsense"},
		{"plan --format pdf", `unknown format "pdf"`},
		{"list", "list what?"},
		{"list prof", `did you mean "profiles"?`},
		{"serve --flavour bitter", `unknown flavour "bitter"`},
		{"serve --pop3 99999", "port for pop3"},
		{"serve --certificate x.pem", "needs its key"},
		{"serve --keytab " + garbage, "of no use to database wingate"},
		{"serve --database full --keytab " + garbage, "this is no keytab"},
		{"serve --database full --keytab /nonexistent/k", "no such file"},
		{"serve --config " + serve, `unknown field "portz"`},
		{"observe", "--name is missing"},
		{"observe --name mine", "--output is missing"},
		{"observe --name a/b --output x", `--name "a/b": letters and digits are wanted`},
		{"observe --name a --variant a/b --output x", "--variant"},
		{"observe --name a --output x --profile ./x", "one would be lost"},
		{"observe --name a --output /nonexistent/x --exec true", "cannot write /nonexistent/x"},
		{"observe --name a --output x --when req=-t", "--when is about the command of --exec"},
		{"observe --name a --output x --exec nosuchprogram", `"nosuchprogram": executable file not found`},
		{"observe --name a --output x --exec '", "a quote ' is not closed"},
		{"observe --name a --output x --exec true{prot}", `unknown placeholder "prot"`},
		{"observe --name a --output x --exec true{password}", "can be read by everybody"},
		{"observe --name a --output x --exec true --when req", "--when wants WHAT=ARGUMENTS"},
		{"observe --name a --output x --exec true --when rqe=x", `did you mean "req"?`},
		{"observe --name a --output x --exec true --when req=x --when req=y", "twice"},
		{"observe --name a --output x --exec true --case S99", `unknown posture "S99"`},
		{"observe --name a --output x --exec true --case S1 --protocol pop3", "no posture matches"},
		{"observe --name a --output x --exec true --protocol imap", `unknown protocol "imap"`},
		{"observe --name a --output x --exec true --cases " + garbage, "line 1:"},
		{"observe --name a --output x --exec true --timeout 0s", "--timeout wants a time"},
		{"observe --name a --output x --exec true --parallel 0", "--parallel wants 1 or more"},
		{"observe --name a --output x --exec true --host a..b", "--host: "},
		{"cert generat", `did you mean "generate"?`},
		{"cert generate --name a..b --out x --key-out y", "a..b"},
		{"cert generate --name a.b --days 0 --out x", "--days wants"},
		{"cert generate --name a.b", "say where to write it"},
		{"cert convert", "name a file with --in"},
		{"cert convert --in " + garbage + " --out x", garbage},
		{"cert inspect " + garbage, garbage},
	} {
		t.Run(row.args, func(t *testing.T) {
			status, out, diagnostics := mailmatrix(t, strings.Fields(row.args)...)
			if status != 2 || out != "" {
				t.Errorf("exit status %d, output %q", status, out)
			}
			first, _, _ := strings.Cut(diagnostics, "\n")
			if !strings.HasPrefix(first, "mailmatrix: ") || !strings.Contains(diagnostics, row.want) {
				t.Errorf("says %q, want %q", diagnostics, row.want)
			}
		})
	}
}

// Every verb's help has examples, and every example is understood.
func TestHelp(t *testing.T) {
	for _, verb := range []string{"", "run", "plan", "list", "serve", "observe", "cert", "cert generate", "cert convert", "cert inspect"} {
		status, out, _ := mailmatrix(t, append(strings.Fields(verb), "--help")...)
		if status != 0 || !strings.Contains(out, "Examples:\n  mailmatrix") {
			t.Errorf("%q: exit status %d, help %q", verb, status, out)
		}
	}
}

func TestRunJSON(t *testing.T) {
	matrix := filepath.Join(t.TempDir(), "matrix.json")
	status, out, diagnostics := mailmatrix(t, "run", "--profile", "outlook", "--database", "nt", "--seed", "7",
		"--transcripts", "all", "--output", "json="+matrix)
	if status != 0 || diagnostics != "" || !strings.Contains(out, "exit status 0") {
		t.Fatalf("exit status %d, says %q, output:\n%s", status, diagnostics, out)
	}
	data, err := os.ReadFile(matrix)
	if err != nil {
		t.Fatal(err)
	}
	validate(t, data)
	var report login.Report
	if err := json.Unmarshal(data, &report); err != nil {
		t.Fatal(err)
	}
	if report.Seed != 7 || report.Totals.Cells != 360 || report.Totals.Pass != 360 ||
		!slices.Equal(report.Selection["profile"], []string{"outlook"}) || len(report.Transcripts) < 360-60 {
		t.Errorf("seed %d, totals %+v, selection %v, %d transcripts", report.Seed, report.Totals, report.Selection, len(report.Transcripts))
	}
}

// validate holds JSON against the published schema.
func validate(t *testing.T, data []byte) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(docs.ResultSchema))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource("result.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("result.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(value); err != nil {
		t.Error(err)
	}
}

func TestRunPolicy(t *testing.T) {
	policy := file(t, "policy.yaml", "policy: {PLAIN: secure, USER/PASS: secure, CRAM-MD5: allow}\n")
	status, out, diagnostics := mailmatrix(t, "run", "--policy", policy)
	if status != 0 || diagnostics != "" || !strings.Contains(out, "WHO CAN LOG IN") {
		t.Errorf("exit status %d, says %q, output:\n%s", status, diagnostics, out)
	}
}

// A run that is interrupted prints what it has, and ends with 2.
func TestRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var o, e bytes.Buffer
	status := run(ctx, []string{"run", "--format", "json"}, terminal{In: strings.NewReader(""), Out: &o, Err: &e})
	if status != 2 || !strings.Contains(o.String(), `"complete": false`) {
		t.Errorf("exit status %d, output %.300s, says %q", status, o.String(), e.String())
	}
	validate(t, o.Bytes())
}

func TestPlan(t *testing.T) {
	status, out, _ := mailmatrix(t, "plan", "--profile", "eudora", "--format", "json")
	var lines []planned
	if err := json.Unmarshal([]byte(out), &lines); status != 0 || err != nil || len(lines) < 1692 {
		t.Fatalf("exit status %d, %d lines, %v", status, len(lines), err)
	}
	for _, l := range lines {
		if l.ID == "" || len(l.Expected) == 0 {
			t.Errorf("%+v: nothing is expected", l)
		}
	}
	status, out, _ = mailmatrix(t, "plan", "--profile", "eudora")
	if status != 0 || !strings.Contains(out, "1692 cells, ") {
		t.Errorf("exit status %d, output ends in %q", status, out[max(0, len(out)-100):])
	}
}

func TestLists(t *testing.T) {
	for _, l := range lists {
		status, out, _ := mailmatrix(t, "list", l.name, "--format", "json")
		var items []map[string]any
		if err := json.Unmarshal([]byte(out), &items); status != 0 || err != nil || len(items) == 0 {
			t.Fatalf("%s: exit status %d, %v, %d items", l.name, status, err, len(items))
		}
		for _, i := range items {
			if i["id"] == "" || i["id"] == nil {
				t.Errorf("%s: an item without an id: %v", l.name, i)
			}
		}
		for _, must := range map[string][]string{"mechanisms": {"class"}, "profiles": {"variants", "protocols", "confidence"}}[l.name] {
			if _, ok := items[0][must]; !ok {
				t.Errorf("%s: no %s in %v", l.name, must, items[0])
			}
		}
	}
}
