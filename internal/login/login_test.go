package login

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestZeroValuesRefuse(t *testing.T) {
	var s Setting
	var v Verdict
	var c ExposureClass
	if s != Deny || s.Permits(TLS) || v != Unjudged || c != ShowsNothing {
		t.Errorf("setting %v, verdict %v, exposure %v", s, v, c)
	}
	if (Policy{}).For(SMTP, PLAIN) != Deny {
		t.Error("the zero policy permits something")
	}
}

// Permits is the one line that server and oracle share: here is its whole
// truth table.
func TestPermits(t *testing.T) {
	for _, row := range []struct {
		setting               Setting
		plain, starttls, tls_ bool
	}{
		{Deny, false, false, false}, {Secure, false, true, true}, {Allow, true, true, true},
		{Unknown, false, false, false}, {Declared, false, false, false},
	} {
		if row.setting.Permits(Plain) != row.plain || row.setting.Permits(StartTLS) != row.starttls ||
			row.setting.Permits(TLS) != row.tls_ {
			t.Errorf("%s permits otherwise", row.setting)
		}
	}
}

// IDs are kept in other people's files: they never change.
func TestCellID(t *testing.T) {
	c := Cell{Classic, SMTP, StartTLS, CRAMMD5, Secure, "eudora", WinGate, NoOverride, WithAccount}
	if got, want := c.ID(), "classic/smtp/starttls/CRAM-MD5/secure/eudora/wingate/none/account"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	c = Cell{Modern, POP3, TLS, UserPass, Declared, "curl+sasl-ir", NT, OverrideSet, WithOverride}
	if got, want := c.ID(), "modern/pop3/tls/USER-PASS/policy/curl+sasl-ir/nt/set/override"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCellPolicy(t *testing.T) {
	known := []Mechanism{PLAIN, CRAMMD5}
	c := Cell{Mechanism: PLAIN, Setting: Secure}
	if p := c.Policy(Policy{}, known); p.For(SMTP, PLAIN) != Secure || p.For(SMTP, CRAMMD5) != Deny {
		t.Errorf("one mechanism: %v", p)
	}
	c.Mechanism = Auto
	if p := c.Policy(Policy{}, known); p.For(SMTP, PLAIN) != Secure || p.For(SMTP, CRAMMD5) != Secure {
		t.Errorf("auto: %v", p)
	}
	c.Setting = Declared
	if p := c.Policy(Only(CRAMMD5, Allow), known); p.For(SMTP, CRAMMD5) != Allow || p.For(SMTP, PLAIN) != Deny {
		t.Errorf("declared: %v", p)
	}
}

func TestParseName(t *testing.T) {
	if got, err := ParseTransport("StartTLS"); err != nil || got != StartTLS {
		t.Errorf("letter case: %v, %v", got, err)
	}
	_, err := ParseProtocol("pop4")
	if err == nil || !strings.Contains(err.Error(), `did you mean "pop3"`) {
		t.Errorf("near name: %v", err)
	}
	if _, err := ParseSetting("policy"); err == nil {
		t.Error("an administrator cannot choose policy as a setting")
	}
	if near := Nearest("xyz", []string{"outlook"}); near != "" {
		t.Errorf("%q is not near", near)
	}
}

func TestRefine(t *testing.T) {
	for _, row := range []struct {
		seen    Outcome
		records []Record
		want    Outcome
	}{
		{Refused, []Record{{Refusal: ByPolicy}}, RefusedPolicy},
		{Refused, []Record{{Refusal: ByPolicy}, {Refusal: ByAvailability}}, RefusedUnavailable},
		{Refused, nil, Refused},
		{Refused, []Record{{Refusal: BySyntax}}, Refused},
		{RefusedCredentials, []Record{{Refusal: ByPolicy}}, RefusedCredentials},
		{LoggedIn, []Record{{Refusal: ByPolicy}}, LoggedIn},
	} {
		if got := row.seen.Refine(row.records); got != row.want {
			t.Errorf("%s with %v becomes %s, want %s", row.seen, row.records, got, row.want)
		}
	}
}

func TestWeakest(t *testing.T) {
	if got := Weakest(Vendor, Assumed, Observed); got != Assumed {
		t.Errorf("weakest is %s", got)
	}
	if got := Weakest(); got != "" {
		t.Errorf("weakest of nothing is %s", got)
	}
}

func TestNTLMBelow(t *testing.T) {
	if !NTLMSession.Below(NTLMv2) || NTLMv2.Below(NTLMv2) || NTLMv2.Below(NTLMv1) {
		t.Error("the order of NTLM kinds is wrong")
	}
}

// No way of printing an account or the secrets of a run shows a password.
func TestSecretsDoNotPrint(t *testing.T) {
	a := Account{Name: "alice", Password: "canary-1", Override: "canary-2"}
	s := Secrets{Name: "alice", Password: "canary-1", Wrong: "canary-3"}
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{a, &a, s, &s, []Account{a}} {
			if got := fmt.Sprintf(form, v); strings.Contains(got, "canary") {
				t.Errorf("%s prints %s", form, got)
			}
		}
	}
}

func TestTextForms(t *testing.T) {
	var got struct {
		S Setting
		V Verdict
		C ExposureClass
	}
	const text = `{"S":"secure","V":"fail","C":"verifier"}`
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if b, err := json.Marshal(got); err != nil || string(b) != text {
		t.Errorf("%s becomes %s, %v", text, b, err)
	}
}
