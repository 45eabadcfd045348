package harness_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/server"
)

// book is the manners of some clients, and who they are by name.
func book(t *testing.T, names ...string) (harness.Book, map[string]login.ClientManners) {
	t.Helper()
	lab, err := server.NewReference()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lab.Close() })
	var profiles []clientsim.Profile
	for _, name := range names {
		p, err := clientsim.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		profiles = append(profiles, p)
	}
	b, err := harness.Manners(t.Context(), lab, profiles, 8)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]login.ClientManners{}
	for _, c := range b.Clients {
		for _, m := range c.Protocols {
			by[c.Profile+" "+string(m.Protocol)] = m
		}
	}
	return b, by
}

// How far down each client goes is known beforehand, from its source.
func TestFloors(t *testing.T) {
	t.Parallel()
	_, by := book(t, "curl", "msmtp", "emailjs", "nodemailer", "go-smtp", "py-smtplib", "swaks")
	for _, row := range []struct {
		client     string
		encryption login.Encryption
		rung       login.Rung
		gives      login.ExposureClass
		why        string
	}{
		{"curl smtp", login.EncryptRequired, "", login.ShowsNothing, "--ssl-reqd stops"},
		{"curl smtp", login.EncryptIfAvailable, login.RungWeak, login.ShowsPassword, "--ssl goes on in clear, with whatever is left"},
		{"curl pop3", login.EncryptOff, login.RungWeak, login.ShowsPassword, "nothing forbids USER"},
		{"msmtp smtp", login.EncryptOff, login.RungStripped, login.ShowsVerifier, "in clear it knows SCRAM only"},
		{"py-smtplib smtp", login.EncryptRequired, login.RungCertificate, login.ShowsVerifier, "its default context checks nothing"},
		{"swaks smtp", login.EncryptRequired, login.RungCertificate, login.ShowsVerifier, "it checks nothing without --tls-verify"},
		{"emailjs smtp", login.EncryptRequired, login.RungCertificate, login.ShowsVerifier, "after STARTTLS it checks no certificate"},
		{"nodemailer smtp", login.EncryptIfAvailable, login.RungHello, login.ShowsPassword, "it sends PLAIN to a server that lists nothing"},
		{"go-smtp smtp", login.EncryptOff, "", login.ShowsNothing, "PlainAuth refuses a clear link"},
	} {
		if got := by[row.client].Floors[row.encryption]; got.Rung != row.rung || got.Gives != row.gives {
			t.Errorf("%s, %s: %s (%s), want %q (%s): %s", row.client, row.encryption, got.Word(), got.Gives, row.rung, row.gives, row.why)
		}
	}
	if _, has := by["msmtp smtp"].Floors[login.EncryptIfAvailable]; has {
		t.Error("msmtp has no such setting, and yet a floor for it")
	}
}

func TestDenials(t *testing.T) {
	t.Parallel()
	b, by := book(t, "curl", "py-smtplib", "eudora-7-win", "msmtp", "thunderbird", "jakarta-mail")
	for _, row := range []struct {
		client, answer string
		does           login.DenialManner
		shows          login.ExposureClass
		why            string
	}{
		{"curl smtp", "504", login.DoesGiveUp, login.ShowsNothing, "what was refused is final"},
		{"py-smtplib smtp", "504", login.DoesNext, login.ShowsPassword, "PLAIN has it in the command"},
		{"py-smtplib smtp", login.AnswerClose, login.DoesGiveUp, login.ShowsNothing, "there is nobody to try the next with"},
		{"eudora-7-win smtp", "535", login.DoesGoOn, login.ShowsVerifier, "authentication is not required by default"},
		{"jakarta-mail smtp", "530", login.DoesStartTLS, login.ShowsIdentity, "it encrypts and says the same again"},
		{"msmtp smtp", "504", login.DoesGiveUp, login.ShowsNothing, "it tries one"},
		{"thunderbird pop3", "-ERR", login.DoesNext, login.ShowsIdentity, "PLAIN, LOGIN, USER"},
		{"curl pop3", login.AnswerSilence, login.DoesWait, login.ShowsNothing, "nothing comes"},
	} {
		got := by[row.client].Denials[row.answer]
		if got.Does != row.does || got.Shows > login.ShowsIdentity != (row.shows > login.ShowsIdentity) {
			t.Errorf("%s on %s: %s, shows %s, want %s, %s: %s", row.client, row.answer, got.Does, got.Shows, row.does, row.shows, row.why)
		}
	}
	if safest := login.SafestDenials(login.SMTP, b.Clients); slices.Contains(safest, "535") || len(safest) == 0 {
		t.Errorf("the safest is %v: after 535 everything has been said", safest)
	}
	if safest := login.SafestDenials(login.SMTP, b.Clients[:1]); len(safest) < 2 {
		t.Errorf("for curl alone %v: it does not care", safest)
	}
}

// No transcript shows the secret of the laboratory's account.
func TestMannersShowNoSecret(t *testing.T) {
	t.Parallel()
	b, _ := book(t, "mailkit", "nodemailer", "eudora-7-win", "evolution-camel", "jakarta-mail")
	search := wire.NewSearcher(wire.Needle{Name: "password", Text: recording.Password})
	lines := 0
	for _, transcript := range b.Transcripts {
		lines += len(transcript)
		if found := search.Find([]byte(strings.Join(transcript, "\n"))); len(found) > 0 {
			t.Errorf("%v in %q", found, transcript)
		}
	}
	if lines < 100 {
		t.Errorf("%d lines: there is nothing to search", lines)
	}
}
