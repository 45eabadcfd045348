package results

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// claimedRun is a run of one server, with a result of each sort; one warns, and
// is excused.
func claimedRun() login.Report {
	r := login.Report{
		Started: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC), Tool: "mailmatrix 0.1.0", Catalogue: "2026.1", Vantage: "127.0.0.1", Complete: true,
		Selection: map[string][]string{"expect": {"known.yaml"}},
		Targets: []login.TargetResult{{Name: "127.0.0.1", Kind: "remote", Doors: []login.DoorResult{
			{Protocol: login.SMTP, Address: "127.0.0.1:587", Host: "mail.example.test", Stages: map[login.Stage]string{login.StageBanner: login.StageOK}},
			{Protocol: login.POP3, Address: "[::1]:995", Implicit: true, Host: "::1", Stages: map[login.Stage]string{login.StageBanner: login.StageOK}},
			{Protocol: login.POP3, Address: "127.0.0.1:110"}, // silent
		}}},
		Cells: []login.CellResult{
			{ID: "remote/a", Profile: "probe", Basis: "measured", Verdict: login.Pass},
			{ID: "remote/b", Profile: "curl", Variant: "sasl-ir", Basis: "measured", Verdict: login.Skip, Why: login.WhyCannot},
			{ID: "remote/c", Profile: "curl", Basis: "predicted"},
		},
		Scenarios: []login.ScenarioResult{
			{ID: "scenario/control/x", Kind: login.KindControl, Verdict: login.Pass},
			{ID: "scenario/relay/x", Kind: login.KindRelay, Verdict: login.Pass},
		},
		Cases: []login.CaseResult{
			{ID: "smtp/auth/001", Level: login.Must, Verdict: login.Pass},
			{ID: "smtp/auth/002", Level: login.Should, Verdict: login.Pass},
			{ID: "smtp/auth/003", Level: login.Should, Verdict: login.Warn, Reason: "502, not 503", Excused: "known"},
			{ID: "client/smtp/001", Level: login.Must, Profile: "curl", Verdict: login.Fail}, // a client's own fault
		},
		NotTested: []login.NotTested{{What: "relay? yes, no: \x1b[31mwho knows", Why: login.WhyOperator, Flag: "--login"}},
	}
	r = OfServer(r)
	r.Cases[2].Excused = "known"
	r.Count()
	return r
}

func claimOf(t *testing.T, r login.Report, start *Start) Claim {
	t.Helper()
	c, err := NewClaim(&r, Subject{Name: "Example Mail", Version: "4.10", Vendor: "Example Ltd"}, start)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const claimedEntries = "# known\n- pattern: smtp/auth/003@smtp\n  verdict: warn\n  reason: known\n  source: us\n"

// The claim says what passes, counted, and what does not; the schema takes it,
// and it is read as it was written.
func TestClaimWritten(t *testing.T) {
	c := claimOf(t, claimedRun(), &Start{Command: "./start.sh", Policy: "policy.yaml"})
	var b bytes.Buffer
	if err := c.Write(&b, claimedEntries); err != nil {
		t.Fatal(err)
	}
	const want = `# What is claimed of a server, and can be put to the test (docs/claims.md):
# mailmatrix report verify THIS-FILE RUN.json
claim: mailmatrix/claim/1
subject:
  name: Example Mail
  version: "4.10"
  vendor: Example Ltd
standing: reproducible
start:
  command: ./start.sh
  policy: policy.yaml
made:
  by: mailmatrix 0.1.0
  date: "2026-11-29"
  catalogue: "2026.1"
  kind: remote
  vantage: 127.0.0.1
  doors:
  - smtp://mail.example.test:587
  - pop3s://[::1]:995
conforms:
- MUST
levels:
- {area: smtp/auth, level: MUST, pass: 1}
- {area: smtp/auth, level: SHOULD, pass: 1, excused: 1}
profiles:
- {profile: curl+sasl-ir, pass: 0, skip: 1}
- {profile: probe, pass: 1}
scenarios:
- {kind: relay, pass: 1}
skipped:
- {"what": "relay? yes, no:  [31mwho knows", "why": "operator", "flag": "--login"}
- {"what": "profile curl+sasl-ir", "why": "cannot", "count": 1}
expectations:
  # known
  - pattern: smtp/auth/003@smtp
    verdict: warn
    reason: known
    source: us
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
	valid(t, b.Bytes())
	read, err := ReadClaim("claim.yaml", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	read.Expectations = nil
	if err := read.Write(&again, claimedEntries); err != nil || again.String() != want {
		t.Errorf("%v, read and written again\n%s", err, again.String())
	}
}

// Nobody is excused of anything, and no client was looked at.
func TestClaimEmpty(t *testing.T) {
	r := claimedRun()
	r.Cells, r.Scenarios, r.NotTested, r.Vantage = nil, nil, nil, ""
	r.Count()
	var b bytes.Buffer
	if err := claimOf(t, r, nil).Write(&b, "[]\n"); err != nil {
		t.Fatal(err)
	}
	valid(t, b.Bytes())
	if !strings.Contains(b.String(), "standing: self-declared\n") {
		t.Errorf("nobody said how to start it:\n%s", b.String())
	}
}

// The example in the repository is a claim.
func TestClaimExample(t *testing.T) {
	text, err := os.ReadFile("../../examples/claim.yaml")
	if err != nil {
		t.Fatal(err)
	}
	valid(t, text)
	if _, err := ReadClaim("claim.yaml", text); err != nil {
		t.Error(err)
	}
}

// valid holds a claim against its schema.
func valid(t *testing.T, text []byte) {
	t.Helper()
	raw, err := os.ReadFile("../../docs/claim.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("claim.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("claim.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	json, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(json))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

// A run that tells nothing makes no claim.
func TestClaimRefused(t *testing.T) {
	for _, row := range []struct {
		why    string
		change func(*login.Report)
		says   string
	}{
		{"interrupted", func(r *login.Report) { r.Complete = false }, "not complete"},
		{"a control failed", func(r *login.Report) { r.Scenarios[0].Verdict = login.Fail }, "a control did not hold: scenario/control/x"},
		{"two servers", func(r *login.Report) { r.Targets = append(r.Targets, login.TargetResult{}) }, "the report is of 2 servers"},
		{"a part", func(r *login.Report) { r.Selection = map[string][]string{"shard": {"1/2"}} }, "merge it"},
		{"ours, not theirs", func(r *login.Report) { r.Cells[0].Verdict = login.Broken }, "the harness itself failed"},
		{"nothing", func(r *login.Report) { r.Cells, r.Scenarios, r.Cases = nil, nil, nil }, "nothing was decided"},
	} {
		t.Run(row.why, func(t *testing.T) {
			r := claimedRun()
			row.change(&r)
			r.Count()
			if _, err := NewClaim(&r, Subject{Name: "x", Version: "1"}, nil); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("says %v, want %q", err, row.says)
			}
		})
	}
	r := claimedRun()
	r.Targets[0].Kind = "reference"
	if _, err := NewClaim(&r, Subject{Name: "x", Version: "1"}, &Start{Command: "x"}); err == nil {
		t.Error("the reference server was to be started")
	}
	if c := claimOf(t, r, nil); c.Standing != Reproducible || c.Made.Doors != nil {
		t.Errorf("everybody has the reference server: %+v", c)
	}
}

func TestNewStart(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	for _, row := range []struct{ how, policy, image, command, says string }{
		{"", "", "", "", ""},
		{"", "p.yaml", "", "", "of use only to who knows"},
		{"example/mail@" + digest, "", "example/mail@" + digest, "", ""},
		{"example/mail@sha256:12", "", "", "", "64 hexadecimal digits"},
		{"docker run example/mail@" + digest, "", "", "docker run example/mail@" + digest, ""},
		{"./start.sh", "p.yaml", "", "./start.sh", ""},
		{"MAIL_PASSWORD=hunter2 ./start.sh", "", "", "", `it would publish a secret, "MAIL_PASSWORD"`},
		{"./start --api-token 'hunter2'", "", "", "", `a secret, "--api-token"`},
		{"./start smtp://alice:hunter2@127.0.0.1", "", "", "", `a secret, "smtp://alice"`},
		{`MAIL_PASSWORD="$MAIL_PASSWORD" ./start.sh`, "", "", `MAIL_PASSWORD="$MAIL_PASSWORD" ./start.sh`, ""},
		{"./start --password-file pw.txt", "", "", "./start --password-file pw.txt", ""},
	} {
		s, err := NewStart(row.how, row.policy, "")
		switch {
		case row.says != "":
			if err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: says %v, want %q", row.how, err, row.says)
			}
		case err != nil:
			t.Errorf("%q: %v", row.how, err)
		case row.image+row.command == "" && s != nil, s != nil && (s.Image != row.image || s.Command != row.command || s.Policy != row.policy):
			t.Errorf("%q: %+v", row.how, s)
		}
	}
}

// What is no claim, or another version's, is refused by one line.
func TestReadClaim(t *testing.T) {
	var b bytes.Buffer
	if err := claimOf(t, claimedRun(), &Start{Command: "./start.sh"}).Write(&b, "[]\n"); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	for _, row := range []struct{ why, old, new, says string }{
		{"a later version", "claim/1", "claim/2", `claim "mailmatrix/claim/2": this version knows mailmatrix/claim/1`},
		{"a typing error", "conforms:", "confroms:", "confroms"},
		{"no name", "name: Example Mail", "name: ''", "subject: it wants a name and a version"},
		{"no day", "date: \"2026-11-29\"", "date: ''", "made: it wants"},
		{"more than it is", "start:\n  command: ./start.sh\n", "", `standing "reproducible": by what it says of its start, it is self-declared`},
		{"two ways", "command: ./start.sh", "command: x\n  image: y", "one of the two"},
		{"an image that changes", "command: ./start.sh", "image: example/mail:latest", "64 hexadecimal digits"},
		{"a level too many", "conforms:\n", "conforms:\n- MAY\n", "conforms "},
		{"a secret", "./start.sh", "PASSWORD=hunter2 ./start.sh", `start: the command shows a secret, "PASSWORD"`},
		{"a list", good, "- {pattern: a, verdict: fail, reason: b, source: c}\n", "claim.yaml"},
		{"nothing", good, "", "this is no claim"},
	} {
		t.Run(row.why, func(t *testing.T) {
			text := strings.Replace(good, row.old, row.new, 1)
			if text == good {
				t.Fatal("nothing was changed")
			}
			_, err := ReadClaim("claim.yaml", []byte(text))
			if err == nil || !strings.Contains(err.Error(), row.says) || !strings.HasPrefix(err.Error(), "claim.yaml") || strings.Contains(err.Error(), "\n") {
				t.Errorf("says %v, want %q", err, row.says)
			}
		})
	}
}

func FuzzReadClaim(f *testing.F) {
	f.Add([]byte("claim: mailmatrix/claim/1\nsubject: {name: a, version: b}\n"))
	f.Add([]byte("levels: [{area: x, level: MUST, pass: -1}]"))
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = ReadClaim("x", text) })
}

// What a run says of a claim.
func TestVerify(t *testing.T) {
	const kept, broken, open = ClaimKept, ClaimBroken, ClaimOpen
	for _, row := range []struct {
		why    string
		change func(*Claim, *login.Report)
		status int
		says   string // "" is nothing but that it is kept
	}{
		{"the same", func(*Claim, *login.Report) {}, kept, ""},
		{"more passes", func(_ *Claim, r *login.Report) { r.Cells[1].Verdict = login.Pass }, kept, ""},
		{"another tool", func(_ *Claim, r *login.Report) { r.Tool = "mailmatrix 0.2.0" }, kept, "the claim was made by mailmatrix 0.1.0"},
		{"self-declared", func(c *Claim, _ *login.Report) { c.Standing, c.Start = SelfDeclared, nil }, kept, "self-declared: "},
		{"judged by another file", func(_ *Claim, r *login.Report) { r.Selection = map[string][]string{"fail-on": {"must"}} }, kept, ""},
		{"a cell fails", func(_ *Claim, r *login.Report) {
			r.Cells[0].Verdict, r.Cells[0].Reason = login.Fail, "\x1b[2J"
		}, broken, "remote/a: fail:  [2J"},
		{"a case warns", func(_ *Claim, r *login.Report) { r.Cases[1].Verdict = login.Warn }, broken, "smtp/auth/002@smtp: warn: the result gives no reason"},
		{"a scenario fails", func(_ *Claim, r *login.Report) { r.Scenarios[1].Verdict = login.Fail }, broken, "scenario/relay/x: fail"},
		{"an entry passes", func(_ *Claim, r *login.Report) {
			r.Expectations = []login.ExcuseProblem{{Pattern: "p", Problem: login.ExcusePass, Reason: "unexpected pass", Entry: "c:1"}}
		}, broken, "c:1: p: unexpected pass"},
		{"an entry is about nothing", func(_ *Claim, r *login.Report) {
			r.Expectations = []login.ExcuseProblem{{Pattern: "p", Problem: login.ExcuseUnused, Reason: "unused", Entry: "c:1"}}
		}, open, "c:1: p: unused"},
		{"fewer cases", func(_ *Claim, r *login.Report) { r.Cases = r.Cases[1:] }, open, "smtp/auth MUST: of 1 that are claimed, 1 were not decided"},
		{"a client was not tried", func(_ *Claim, r *login.Report) { r.Cells[0].Verdict = login.Skip }, open, "profile probe: of 1"},
		{"no relay was tried", func(_ *Claim, r *login.Report) { r.Scenarios[1].Verdict = login.Skip }, open, "scenarios relay: of 1"},
		{"fewer, and one fails", func(_ *Claim, r *login.Report) { r.Cases = r.Cases[1:]; r.Cells[0].Verdict = login.Fail }, broken, "remote/a: fail"},
		{"another catalogue", func(_ *Claim, r *login.Report) { r.Catalogue = "2027.1"; r.Cells[0].Verdict = login.Fail }, open, "catalogue 2026.1, and the run about 2027.1"},
		{"another selection", func(_ *Claim, r *login.Report) { r.Selection = map[string][]string{"profile": {"curl"}} }, open,
			"the claim was made without --profile, and the run with --profile curl"},
		{"another sort of server", func(_ *Claim, r *login.Report) { r.Targets[0].Kind = "reference" }, open, "a remote server, and the run about a reference one"},
		{"interrupted", func(_ *Claim, r *login.Report) { r.Complete = false }, open, "not complete"},
		{"a level that its own entries take back", func(c *Claim, r *login.Report) { r.Cases[0].Verdict, r.Cases[0].Excused = login.Fail, "c:1" }, broken,
			"smtp/auth MUST: 1 are excused by its entries, and it claims that no more than 0 are"},
		{"a group that it passes over", func(c *Claim, r *login.Report) {
			c.Levels = nil
			r.Cases[0].Verdict, r.Cases[0].Excused = login.Fail, "c:1"
		}, broken,
			"smtp/auth MUST: 1 are excused"},
		{"a group that it passes over, and which passes", func(c *Claim, _ *login.Report) { c.Scenarios = nil }, kept, ""},
	} {
		t.Run(row.why, func(t *testing.T) {
			r := claimedRun()
			c := claimOf(t, r, &Start{Command: "x"})
			row.change(&c, &r)
			r.Count()
			v := Verify(c, &r)
			said := strings.Join(append(append(append(v.Unfit, v.Broken...), v.Open...), v.Notes...), "\n")
			if status, _ := v.Status(); status != row.status || !strings.Contains(said, row.says) || row.says == "" && said != "" {
				t.Errorf("status %d, says %q, want %d and %q", status, said, row.status, row.says)
			}
			if row.status == kept && v.Kept < 5 {
				t.Errorf("%d are kept", v.Kept)
			}
		})
	}
}
