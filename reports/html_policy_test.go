package reports

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// pick picks a policy in the policy view.
func (b *browser) pick(name string) {
	b.t.Helper()
	b.do(`[...document.querySelectorAll('.presets button')].find((p) => p.innerText === ` + scripted(name) + `).click()`)
}

func TestPagePolicies(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	all := login.Every(append(slices.Clone(smtpSASL), pop3SASL...), login.Secure)
	apart := login.Policy{Common: all.Common, Own: map[login.Protocol]map[login.Mechanism]login.Setting{login.POP3: {login.CRAMMD5: login.Deny}}}
	options := Options{Policies: []NamedPolicy{{Name: "tls@1", About: "all inside TLS", Policy: all}, {Name: "apart@1", About: "one protocol apart", Policy: apart}}}
	address := "file://" + fileWith(t, "matrix.html", written(t, "html", fullReport(), options))
	b.visit(address + "#view=policy")
	fate := func() string {
		return evaluate[string](b, `[...document.querySelectorAll('.result tbody tr')].map((r) => r.cells[0].innerText + ': ' + r.cells[1].innerText.slice(2)).join('; ')`)
	}
	for _, c := range []struct{ name, pick, want, why string }{
		{"named", "tls@1", "eudora: keeps working; eudora-7-win: lost; outlook: lost in part; outlook-express: lost in part; outlook-express-6: lost",
			"modern has 995, and two clients have no TLS that it speaks; NTLM is too old for SMTP, and never could"},
		{"allow", "Everything allowed", "eudora: works, readable in clear; eudora-7-win: works, readable in clear", "who can, shows the password"},
		{"mixed", "No readable passwords", "eudora: keeps working", "the rest is enough"},
	} {
		b.pick(c.pick)
		if got := fate(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s (%s): %q does not begin with %q", c.name, c.why, got, c.want)
		}
	}
	b.do(`document.querySelector('input[name="set-CRAM-MD5"][value=deny]').click()`)
	b.do(`document.querySelector('input[name="set-APOP"][value=deny]').click()`)
	b.do(`document.querySelector('input[name="set-GSSAPI"][value=deny]').click()`)
	if got := fate(); !strings.HasPrefix(got, "eudora: lost") {
		t.Errorf("some settings changed: %q", got)
	}

	// A policy of one's own, and what is looked for in it, are in the address.
	b.do(`[...document.querySelectorAll('.tallies button')].find((e) => e.innerText.includes('✖')).click()`)
	b.do(`(() => { const e = document.querySelector('.columns input[type=search]'); e.value = 'eudora'; e.dispatchEvent(new Event('input')); })()`)
	shared, lost := evaluate[string](b, `location.hash`), fate()
	if tile := b.text(".tallies [aria-pressed=true]"); !strings.HasPrefix(tile, "2") || lost != "eudora: lost; eudora-7-win: lost" {
		t.Errorf("a count is of what was looked for: %q, and %q", tile, lost)
	}
	b.visit(address + shared)
	if got := fate(); got != lost || b.text(".columns h2:not(.side h2)") != "Under a policy of your own, server modern" {
		t.Errorf("reopened by %s: %q, not %q", shared, got, lost)
	}

	b.visit(address + "#view=policy&policy=apart@1")
	for name, want := range map[string]string{"set-CRAM-MD5smtp": "secure", "set-CRAM-MD5pop3": "deny", "set-PLAIN": "secure"} {
		if got := evaluate[string](b, `document.querySelector('input[name="`+name+`"]:checked')?.value || ''`); got != want {
			t.Errorf("%s is %q, not %q: a protocol has its own map", name, got, want)
		}
	}
	if row := b.text(".result tbody tr"); !strings.Contains(row, "CRAM-MD5") {
		t.Errorf("SMTP keeps CRAM-MD5: %q", row)
	}
	if pop3 := evaluate[string](b, `document.querySelector('.result tbody tr').cells[3].innerText`); strings.Contains(pop3, "CRAM-MD5") {
		t.Errorf("POP3 denies CRAM-MD5: %q", pop3)
	}
	b.quiet()
}

// TestPagePolicyOfEachTarget: what can be asked of a server is what its own cells
// are of, and a server in service is under nobody's policy.
func TestPagePolicyOfEachTarget(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	r := mergedReport(t)
	theirs := slices.IndexFunc(r.Cells, func(c login.CellResult) bool {
		return c.Target == 1 && c.Transport == login.Plain && c.Outcome != login.LoggedIn
	})
	r.Cells[theirs].Exposure = login.ShowsPassword
	address := pageFile(t, r)
	b.visit(address + "#view=policy")
	heading := func() string { return b.text(".columns h2:not(.side h2)") }
	tile := func(word string) string {
		return evaluate[string](b, `[...document.querySelectorAll('.tallies button')].find((e) => e.innerText.includes(`+scripted(word)+`)).querySelector('b').innerText`)
	}
	if got := heading(); got != "Under Passwords inside TLS, reference, server modern" || tile("keep working") == "0" {
		t.Errorf("of ours: %q, %s keep working", got, tile("keep working"))
	}
	b.do(`(() => { const s = document.querySelector('.columns .bar select'); s.value = '1'; s.dispatchEvent(new Event('change')); })()`)
	const asItIs = "As the server is (judged against modern.yaml), mail.example.com"
	for _, how := range []string{"chosen", "by address"} {
		if got := heading(); got != asItIs || tile("keep") == "0" {
			t.Errorf("%s: %q, %s keep working", how, got, tile("keep"))
		}
		if presets := b.text(".presets"); strings.Contains(presets, "Passwords") {
			t.Errorf("%s: it was not put under %q", how, presets)
		}
		if about := b.text(".about"); !strings.Contains(about, "mailmatrix policy explain modern.yaml --on mail.example.com") {
			t.Errorf("%s: who is lost under the policy is not said: %q", how, about)
		}
		if got, row := tile("let in or not"), b.text(".result"); got != "1" || !strings.Contains(row, "shown in vain") {
			t.Errorf("%s: %s show a password, %q", how, got, row)
		}
		b.visit(address + evaluate[string](b, `location.hash`))
	}
	b.accessible("as the server is")
	b.visit(address + "#view=policy&target=7")
	if says, got := b.text("#said"), heading(); !strings.Contains(says, "these are the nearest") || !strings.HasPrefix(got, "Under") {
		t.Errorf("of a target that is not there: %q, and says %q", got, says)
	}
	b.follow(support[1:])
	if matrix := b.text(".matrix"); !strings.Contains(matrix, "n/a") {
		t.Errorf("ours was run as a whole, whatever was asked of the other: it may say what it has not: %q", cut(matrix, 300))
	}
	b.quiet()
}

// everyClient is a run of the modern server by every client that we know, as
// the oracle foretells it.
func everyClient() login.Report {
	r := emptyReport()
	r.Complete = true
	for _, p := range clientsim.All() {
		c := client{facts: p.Facts()}
		for _, protocol := range login.Protocols() {
			for _, t := range p.Transports(protocol) {
				for _, m := range p.Mechanisms(protocol) {
					for _, s := range login.Settings() {
						r.Cells = append(r.Cells, c.cell(login.Cell{Flavour: login.Modern, Protocol: protocol, Transport: t, Mechanism: m, Setting: s,
							Profile: p.ID(), Database: login.Full, Override: login.NoOverride, Credential: login.WithAccount}))
					}
				}
			}
		}
	}
	r.Count()
	return r
}

// TestPageAgreesWithExplain: whom `policy explain` calls lost under a built-in
// policy, the page does not call kept, and nobody else.
func TestPageAgreesWithExplain(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	var options Options
	for _, p := range policy.Builtins() {
		options.Policies = append(options.Policies, NamedPolicy{Name: p.ID(), About: p.About, Policy: p.Policy})
	}
	b.visit("file://" + fileWith(t, "matrix.html", written(t, "html", everyClient(), options)) + "#view=policy")
	for _, p := range policy.Builtins() {
		b.pick(p.ID())
		got := evaluate[[]string](b, `[...document.querySelectorAll('.result tbody tr')].filter((r) => /lost|never/.test(r.cells[1].innerText)).map((r) => r.cells[0].innerText)`)
		var want []string
		for _, c := range policy.Explain(p.Policy, nil, clientsim.All(), nil).Clients {
			if c.Standing == policy.Lost {
				want = append(want, c.Profile)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
			t.Errorf("%s: explain against the page:\n%s", p.ID(), diff)
		}
	}
	for _, rule := range []string{"No readable passwords", "Passwords inside TLS"} {
		b.pick(rule)
		if leaks := evaluate[string](b, `document.querySelectorAll('.tallies b')[1].innerText`); leaks != "0" {
			t.Errorf("%s: %s clients work and can be read", rule, leaks)
		}
	}
	b.quiet()
}
