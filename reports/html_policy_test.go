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
	b.quiet()
}
