package harness_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// of are the recordings of a client as installed, of all cases or of some.
func of(t *testing.T, client string, cases ...string) []recording.Record {
	t.Helper()
	var own []recording.Record
	for _, r := range recordings(t) {
		if r.Client == client && r.Variant == "" && (len(cases) == 0 || slices.Contains(cases, r.Case)) {
			own = append(own, r)
		}
	}
	if len(own) == 0 {
		t.Fatalf("no recordings of %s", client)
	}
	return own
}

// TestTryDraft: what is derived from recordings of real clients does what they
// did, and foretells most of what was held back. The figures are those of when
// it was written: swaks and Python go on after a refusal at the command, which
// S10 alone shows.
func TestTryDraft(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		client string
		// all that do not agree, and held-back ones that are not foretold
		wrong, unforetold int
	}{
		{"curl", 0, 0}, {"swaks", 0, 1}, {"mpop", 0, 0}, {"msmtp", 0, 0}, {"py-smtplib", 0, 1}, {"py-poplib", 0, 0},
		{"claws-mail", 0, 0}, {"thunderbird", 0, 0}, {"nodemailer", 0, 0}, {"go-smtp", 0, 0},
	} {
		t.Run(row.client, func(t *testing.T) {
			t.Parallel()
			records := of(t, row.client)
			trial, err := harness.TryDraft(t.Context(), reference(t), recording.Postures(), records, 2)
			if err != nil {
				t.Fatal(err)
			}
			all, foretold := trial.All.Totals, trial.Foretold.Totals
			if all.Cases != len(records) || wrongs(all) > row.wrong {
				t.Errorf("of %d records %+v agree: %+v", len(records), all, trial.All.Clients)
			}
			if foretold.Cases != len(trial.HeldBack) || foretold.Cases%3 != 0 || foretold.Cases == 0 || wrongs(foretold) > row.unforetold {
				t.Errorf("of %v %+v are foretold: %+v", trial.HeldBack, foretold, trial.Foretold.Clients)
			}
			if n := trial.Without.Totals.Cases; n != len(records)-foretold.Cases {
				t.Errorf("%d records without those held back", n)
			}
		})
	}
}

// wrongs are the cases that do not agree in the worst field.
func wrongs(a harness.Agreement) int {
	return a.Cases - min(a.Attempts, a.Commands, a.Exposure, a.Outcome)
}

// TestDraftFacts: what the recordings show is in the draft, with where it was
// seen.
func TestDraftFacts(t *testing.T) {
	for _, row := range []struct {
		client string
		cases  []string // none is all
		has    []string
		lacks  []string
	}{
		{client: "curl", has: []string{
			`name: {value: bare-name, confidence: assumed,`,
			`opportunistic: {value: true, confidence: observed, source: "recorded: curl 7.88.1, `,
			`choice: {value: [GSSAPI, CRAM-MD5, PLAIN, NTLM], confidence: observed`, `; whether PLAIN comes before NTLM is not seen`,
			`unoffered: {value: go-on, confidence: observed, source: "recorded: curl 7.88.1, S6`,
			`refused: {value: close, confidence: observed, source: "recorded: curl 7.88.1, S10"}`,
			`case-blind: {value: [], confidence: observed`,
			`checks: {value: {chain: handshake, dates: handshake, name: connected}, confidence: observed`,
			`PLAIN: {looks: ehlo, confidence: observed, source: "recorded: curl 7.88.1, S4`, `USER/PASS: {looks: capa-if-any, confidence: observed`, `APOP: {looks: timestamp`,
			`session: {value: [{say: LIST}]`, `kind: {value: v2, confidence: observed`, `can-trust: {value: true, confidence: observed`,
			`unable: {value: close, confidence: observed`,
		}, lacks: []string{"choice-in-clear", "blind", "retries", "greeting"}},
		{client: "swaks", has: []string{
			`rejected: {value: next, confidence: observed`, `exhausted: {value: quit, confidence: observed`, `refused: {value: next, confidence: observed`,
			`choice: {value: [CRAM-MD5, DIGEST-MD5, LOGIN, NTLM, PLAIN], confidence: observed`, `initial: {value: [PLAIN]`,
			`reads: {value: ["AUTH ", "AUTH="], confidence: observed`, `checks: {value: {}, confidence: observed`,
			`checks-with-authority: {value: {chain: handshake, dates: handshake}, confidence: assumed`, `names: {value: none, confidence: observed`,
			`if-available:`, `kind: {value: v1, confidence: observed`,
		}, lacks: []string{"pop3:", "order:"}},
		{client: "mpop", has: []string{
			`capa: {value: always, confidence: observed`, `choice-in-clear: {value: [], confidence: observed`, `USER/PASS: {looks: nowhere`,
			`session: {value: [{say: CAPA}, {say: STAT}], confidence: observed`, `no-common: {value: close`,
			`checks: {value: {chain: connected, dates: connected, name: connected}, confidence: observed`,
		}, lacks: []string{"smtp:", "if-available", "opportunistic", "ntlm:"}},
		{client: "py-smtplib", has: []string{
			`spelling: {value: {EHLO: ehlo, HELO: helo, QUIT: quit}, confidence: observed`,
			`mail: "mail FROM:<{from}>", parameters: [{when: SIZE, say: "size={size}"}], rcpt: "rcpt TO:<{to}>", data: data`,
			`name: {value: address, confidence: observed`,
		}},
		{client: "swaks", cases: []string{"S1"}, has: []string{`plain: {confidence: observed, source: "recorded: swaks version 20201014.0, S1"}`, `after-refusal: {value: [], confidence: assumed, source: "not seen"}`},
			lacks: []string{"tls:", "rejected", "refused:", "unoffered", "no-common", "case-blind", "fallback", "encryption"}},
	} {
		t.Run(row.client+" "+strings.Join(row.cases, " "), func(t *testing.T) {
			draft, err := harness.DraftProfile(of(t, row.client, row.cases...))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := clientsim.Load("draft.yaml", draft.YAML); err != nil {
				t.Errorf("%v\n%s", err, draft.YAML)
			}
			text := string(draft.YAML)
			for _, has := range row.has {
				if !strings.Contains(text, has) {
					t.Errorf("no %s in\n%s", has, text)
				}
			}
			for _, lacks := range row.lacks {
				if strings.Contains(text, "  "+lacks) || strings.Contains(text, "\n"+lacks) {
					t.Errorf("%s in\n%s", lacks, text)
				}
			}
			observed := strings.Count(text, "confidence: observed")
			if assumed := strings.Count(text, "confidence: assumed"); observed != draft.Observed || assumed != draft.Assumed {
				t.Errorf("%d and %d facts, counted %d and %d", observed, assumed, draft.Observed, draft.Assumed)
			}
		})
	}
}

// TestDraftSources: every fact that is called observed names a case that is
// among the records.
func TestDraftSources(t *testing.T) {
	records := of(t, "claws-mail")
	var cases []string
	for _, r := range records {
		cases = append(cases, r.Case)
	}
	draft, err := harness.DraftProfile(records)
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\b[SP][0-9]+[a-z]?\b`)
	for line := range strings.Lines(string(draft.YAML)) {
		if !strings.Contains(line, "confidence: observed") {
			continue
		}
		_, source, _ := strings.Cut(line, "source: ")
		found := named.FindAllString(source, -1)
		if len(found) == 0 {
			t.Errorf("no case in %s", line)
		}
		for _, name := range found {
			if !slices.Contains(cases, name) {
				t.Errorf("%s is no case of the records: %s", name, line)
			}
		}
	}
}

// TestDraftOfNothing: where there is nothing to say, an error says so.
func TestDraftOfNothing(t *testing.T) {
	for _, row := range []struct {
		name    string
		records []recording.Record
		want    string
	}{
		{"no records", nil, "no records"},
		{"it never tried to log in", of(t, "curl", "S6"), "never tried to log in"},
		{"a mechanism that nobody knows", []recording.Record{{Client: "x", Proto: "smtp", Case: "S1", Conns: 1,
			Commands: []string{"c1 clear EHLO vm", "c1 clear AUTH X-OWN"}, Attempts: []recording.Attempt{{Mech: "X-OWN", Conn: 1, Ch: "clear", Res: "504"}}}},
			"by a mechanism that is known"},
		{"attempts without their lines", []recording.Record{{Client: "x", Proto: "smtp", Case: "S1", Conns: 1,
			Attempts: []recording.Attempt{{Mech: "PLAIN", Conn: 1, Ch: "clear", Res: "504"}}}}, "never tried"},
	} {
		_, err := harness.DraftProfile(row.records)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// TestDraftsLoad: whatever is left out of the recordings, a draft is a
// profile, or an error says why there is none.
func TestDraftsLoad(t *testing.T) {
	all := recordings(t)
	for i := range all {
		some := all[i : i+1+i%5%(len(all)-i)]
		for j := range some {
			if some[j].Client != some[0].Client {
				some = some[:j]
				break
			}
		}
		draft, err := harness.DraftProfile(some)
		if err != nil {
			continue
		}
		if _, err := clientsim.Load("draft.yaml", draft.YAML); err != nil {
			t.Fatalf("%s %s: %v\n%s", some[0].Client, some[0].Case, err, draft.YAML)
		}
	}
}
