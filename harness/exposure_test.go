package harness

import (
	"encoding/base64"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// A listener's findings in conversations as they cross the wire. The secrets
// stand for themselves: NAME, PASS, OVER, WRONG, WINNAME, WINPASS.
func TestListen(t *testing.T) {
	secrets := newSecrets(rand.New(rand.NewPCG(1, 2)))
	fill := strings.NewReplacer("WINNAME", secrets.WindowsUser, "WINPASS", secrets.WindowsPassword,
		"NAME", secrets.Name, "OVERRIDE", secrets.Override, "WRONG", secrets.Wrong, "SECRET", secrets.Password)
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(fill.Replace(s))) }
	cram := mech.CRAMMD5.Client(mech.ClientConfig{Username: secrets.Name, Password: secrets.Password})
	proof, err := cram.Next([]byte("<1@x>"))
	if err != nil {
		t.Fatal(err)
	}
	apop := mech.APOP.Client(mech.ClientConfig{Username: secrets.Name, Password: secrets.Wrong})
	digest, err := apop.Next([]byte("<2@y>"))
	if err != nil {
		t.Fatal(err)
	}

	for _, row := range []struct {
		name     string
		protocol login.Protocol
		talk     string
		want     []login.Exposure
	}{
		{"initial response, accepted", login.SMTP, "S 220 hi\nC EHLO x\nS 250 x\nC AUTH PLAIN " + b64("\x00NAME\x00SECRET") + "\nS 235 2.7.0 in",
			[]login.Exposure{
				{Class: login.ShowsIdentity, Mechanism: login.PLAIN, When: login.OnSuccess, Secret: login.SecretAccount},
				{Class: login.ShowsPassword, Mechanism: login.PLAIN, When: login.OnSuccess, Secret: login.SecretAccount}}},
		{"refused at the end", login.SMTP, "C AUTH LOGIN\nS 334 VXNlcm5hbWU6\nC " + b64("NAME") + "\nS 334 UGFzc3dvcmQ6\nC " + b64("WRONG") + "\nS 535 5.7.8 no",
			[]login.Exposure{
				{Class: login.ShowsIdentity, Mechanism: login.LOGIN, When: login.BeforeRefusal, Secret: login.SecretAccount},
				{Class: login.ShowsPassword, Mechanism: login.LOGIN, When: login.BeforeRefusal, Secret: login.SecretWrong}}},
		{"sent although refused", login.SMTP, "C AUTH LOGIN\nS 504 5.5.4 no\nC " + b64("NAME") + "\nS 500 what\nC " + b64("SECRET") + "\nS 500 what",
			[]login.Exposure{
				{Class: login.ShowsIdentity, Mechanism: login.LOGIN, When: login.AfterRefusal, Secret: login.SecretAccount},
				{Class: login.ShowsPassword, Mechanism: login.LOGIN, When: login.AfterRefusal, Secret: login.SecretAccount}}},
		{"two attempts", login.SMTP, "C AUTH PLAIN " + b64("\x00WINNAME\x00WINPASS") + "\nS 535 5.7.8 no\nC AUTH PLAIN " + b64("\x00NAME\x00SECRET") + "\nS 235 2.7.0 in",
			[]login.Exposure{
				{Class: login.ShowsIdentity, Mechanism: login.PLAIN, When: login.BeforeRefusal, Secret: login.SecretWindowsUser},
				{Class: login.ShowsPassword, Mechanism: login.PLAIN, When: login.BeforeRefusal, Secret: login.SecretWindowsUser},
				{Class: login.ShowsIdentity, Mechanism: login.PLAIN, When: login.OnSuccess, Secret: login.SecretAccount},
				{Class: login.ShowsPassword, Mechanism: login.PLAIN, When: login.OnSuccess, Secret: login.SecretAccount}}},
		{"proof", login.POP3, "S +OK hi\nC AUTH CRAM-MD5\nS + " + b64("<1@x>") + "\nC " + b64(string(proof)) + "\nS +OK in",
			[]login.Exposure{
				{Class: login.ShowsIdentity, Mechanism: login.CRAMMD5, When: login.OnSuccess, Secret: login.SecretAccount},
				{Class: login.ShowsVerifier, Mechanism: login.CRAMMD5, When: login.OnSuccess, Secret: login.SecretAccount}}},
		{"APOP of a wrong password", login.POP3, "S +OK hi <2@y>\nC APOP " + string(digest) + "\nS -ERR [AUTH] no",
			[]login.Exposure{
				{Class: login.ShowsIdentity, Mechanism: login.APOP, When: login.BeforeRefusal, Secret: login.SecretAccount},
				{Class: login.ShowsVerifier, Mechanism: login.APOP, When: login.BeforeRefusal, Secret: login.SecretWrong}}},
		{"USER refused", login.POP3, "C USER NAME\nS -ERR no\nC QUIT\nS +OK bye",
			[]login.Exposure{{Class: login.ShowsIdentity, Mechanism: login.UserPass, When: login.BeforeRefusal, Secret: login.SecretAccount}}},
		{"PASS although USER was refused", login.POP3, "C USER NAME\nS -ERR no\nC PASS OVERRIDE\nS -ERR no",
			[]login.Exposure{
				{Class: login.ShowsIdentity, Mechanism: login.UserPass, When: login.BeforeRefusal, Secret: login.SecretAccount},
				{Class: login.ShowsPassword, Mechanism: login.UserPass, When: login.AfterRefusal, Secret: login.SecretOverride}}},
		{"USER and PASS", login.POP3, "C USER NAME\nS +OK go on\nC PASS SECRET\nS -ERR [AUTH] no",
			[]login.Exposure{
				{Class: login.ShowsIdentity, Mechanism: login.UserPass, When: login.BeforeRefusal, Secret: login.SecretAccount},
				{Class: login.ShowsPassword, Mechanism: login.UserPass, When: login.BeforeRefusal, Secret: login.SecretAccount}}},
		{"cut off", login.POP3, "C USER NAME", []login.Exposure{
			{Class: login.ShowsIdentity, Mechanism: login.UserPass, When: login.BeforeRefusal, Secret: login.SecretAccount}}},
		{"nothing", login.SMTP, "S 220 hi\nC EHLO somebody\nS 250 x\nC QUIT\nS 221 bye", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			var heard []wire.Heard
			for line := range strings.SplitSeq(fill.Replace(row.talk), "\n") {
				heard = append(heard, wire.Heard{Server: line[0] == 'S', Line: []byte(line[2:])})
			}
			for i := range row.want {
				row.want[i].Transport = login.Plain
			}
			if got := newEavesdropper(secrets).Listen(heard, row.protocol, login.Plain); !slices.Equal(got, row.want) {
				t.Errorf("heard %+v\nwant  %+v", got, row.want)
			}
		})
	}
}

// The canaries are what an eavesdropper looks for: none may hide in another.
func TestSecretsAreApart(t *testing.T) {
	s := newSecrets(rand.New(rand.NewPCG(3, 4)))
	all := []string{s.Name, s.Password, s.Override, s.Wrong, s.WindowsUser, s.WindowsPassword}
	for i, a := range all {
		for j, b := range all {
			if i != j && strings.Contains(strings.ToLower(a), strings.ToLower(b)) {
				t.Errorf("%q holds %q", a, b)
			}
		}
	}
	if again := newSecrets(rand.New(rand.NewPCG(3, 4))); !reflect.DeepEqual(again, s) {
		t.Error("the same seed makes other secrets")
	}
}
