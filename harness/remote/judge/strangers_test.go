package judge

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// elsewhere is another company's server, as bad as it may be.
func elsewhere(d *login.DoorResult) {
	d.Host, d.Found, d.Software = "mx.example.net", login.FoundMX, "Exim"
	d.Stages[login.StageCertificate], d.Certificate = login.CertificateExpired, &login.CertificateResult{Days: -9, SHA256: "ee"}
}

// TestStrangers: whatever another company's server does is no fault of the
// user's, and the same at a server of the user's own is.
func TestStrangers(t *testing.T) {
	mx := func() login.DoorResult {
		return with(smtp("25", link(login.Plain, "PLAIN y--", "LOGIN ny-", "SCRAM-SHA-1-PLUS y--"), link(login.StartTLS, "PLAIN n--", "CRAM-MD5 y--")), elsewhere)
	}
	for name, policy := range map[string]*login.Policy{"without a policy": nil, "against one": {}} {
		t.Run(name, func(t *testing.T) {
			e := Evidence{Doors: []login.DoorResult{clean("587"), mx()}, Policy: policy, Unlike: map[int]string{1: "it offers LOGIN too"}}
			blamed := 0
			for _, r := range All(e) {
				if *r.Door == 1 && (r.Verdict == login.Fail || r.Verdict == login.Warn) {
					blamed++
				}
			}
			if blamed < 4 {
				t.Fatalf("%d findings at a door of the user's own: too few to show anything", blamed)
			}
			e.Strangers = map[int]bool{1: true}
			noted := 0
			for _, r := range All(e) {
				switch {
				case *r.Door != 1:
				case r.Verdict != login.Pass || r.WronglyAccepted || r.WronglyRefused || r.Advice != nil:
					t.Errorf("%s: %v %s", r.ID, r.Verdict, r.Reason)
				case strings.HasSuffix(r.Reason, "(found by MX and not named by you: it may be somebody else's)"):
					noted++
				}
			}
			if noted < 3 {
				t.Errorf("%d notes, want what was found", noted)
			}
		})
	}
}

// TestStrangersSayNothingOfOwnDoors: what a stranger offers is nothing that the
// user's server can do, and its software is not theirs.
func TestStrangersSayNothingOfOwnDoors(t *testing.T) {
	doors := []login.DoorResult{
		with(smtp("25", link(login.StartTLS, "PLAIN y--", "CRAM-MD5 y--")), elsewhere),
		smtp("587", link(login.StartTLS, "PLAIN y--", "CRAM-MD5 n--")), closed(login.SMTP, "465"),
	}
	policy := login.Every([]login.Mechanism{login.PLAIN, login.CRAMMD5}, login.Secure)
	all := All(Evidence{Doors: doors, Policy: &policy, Strangers: map[int]bool{0: true}})
	if got := find(t, all, "permitted-absent/smtp/587"); got.Verdict != login.Warn {
		t.Errorf("%v %s", got.Verdict, got.Reason)
	}
	if got := find(t, all, "open/smtp/465"); got.Advice == nil || got.Advice.Software != "" {
		t.Errorf("advice in the words of a stranger's server: %+v", got.Advice)
	}
}
