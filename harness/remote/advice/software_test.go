package advice

import (
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// TestSoftware holds greetings as servers send them.
func TestSoftware(t *testing.T) {
	for _, c := range []struct {
		protocol     login.Protocol
		greeting     string
		capabilities []string
		want         string
		why          string
	}{
		{login.SMTP, "220 mail.example.test ESMTP Postfix (Debian/GNU)", nil, "Postfix", "Debian's smtpd_banner"},
		{login.SMTP, "220 mail.example.test ESMTP Postfix", nil, "Postfix", "its default"},
		{login.SMTP, "mail.example.test ESMTP Postfix", nil, "Postfix", "without the code"},
		{login.SMTP, "220 mail.example.test ESMTP Exim 4.96 Sat, 01 Jan 2028 10:00:00 +0000", nil, "Exim", "its default"},
		{login.SMTP, "220 mail.example.test ESMTP Sendmail 8.17.1.9/8.17.1.9/Debian-2+deb12u2; Sat, 1 Jan 2028", nil, "Sendmail", ""},
		{login.SMTP, "220 mail.example.test ESMTP OpenSMTPD", nil, "OpenSMTPD", ""},
		{login.SMTP, "220 EX01.example.test Microsoft ESMTP MAIL Service ready at Sat, 1 Jan 2028 10:00:00 +0000", nil, "Microsoft Exchange", ""},
		{login.SMTP, "220 mail.example.test Dovecot (Debian) ready.", nil, "Dovecot", "submission"},
		{login.SMTP, "220 mail.example.test ESMTP mox 0.0.15", nil, "mox", "smtpserver/server.go"},
		{login.SMTP, "220 redcross ESMTP Haraka 2.8.8 ready", nil, "Haraka", ""},
		{login.SMTP, "220 mail.example.test ESMTP chasquid", nil, "chasquid", ""},
		{login.SMTP, "220 mx.google.com ESMTP 5b1f17b1804b1-45dd2965ad5si1 - gsmtp", nil, "Gmail", ""},
		{login.SMTP, "220 mail.example.test Kerio MailServer 6.0.4 ESMTP ready", nil, "Kerio Connect", "its name before 2010"},
		{login.SMTP, "220 mail.example.test ESMTP MDaemon 13.0.5; Sat, 01 Jan 2028", nil, "MDaemon", ""},
		{login.SMTP, "220 mail.example.test ESMTP", nil, "", "hMailServer greets so, and many others"},
		{login.SMTP, "220 mail.example.test ESMTP Service Ready", nil, "", "maddy greets so, and whoever uses go-smtp"},
		{login.SMTP, "220 mail.example.test is no Postfix", nil, "", "a name alone is no sign"},
		{login.SMTP, "", nil, "", "nobody greeted"},
		{login.POP3, "+OK Dovecot (Debian) ready.", nil, "Dovecot", "Debian's login_greeting"},
		{login.POP3, "+OK Dovecot ready. <1.2.3.abc@mail>", nil, "Dovecot", "with APOP's timestamp"},
		{login.POP3, "+OK [XCLIENT] Dovecot DA ready.", nil, "Dovecot", "DirectAdmin's"},
		{login.POP3, "+OK Hello there.", nil, "Courier", ""},
		{login.POP3, "+OK mail.example.test Cyrus POP3 v2.4.17 server ready <1@mail.example.test>", nil, "Cyrus", ""},
		{login.POP3, "+OK Qpopper (version 4.0.5) at mail starting.  <30396.1126730747@mail>", nil, "Qpopper", ""},
		{login.POP3, "+OK The Microsoft Exchange POP3 service is ready.", nil, "Microsoft Exchange", ""},
		{login.POP3, "+OK mail.example.test Zimbra POP3 server ready", nil, "Zimbra", ""},
		{login.POP3, "+OK example.org POP3 MDaemon 13.0.5 ready", nil, "MDaemon", ""},
		{login.POP3, "+OK Gpop ready for requests from 192.0.2.1 x", nil, "Gmail", ""},
		{login.POP3, "+OK POP3 ready", []string{"UIDL", "IMPLEMENTATION Dovecot"}, "Dovecot", "RFC 2449 6.9"},
		{login.POP3, "+OK POP3", nil, "", "nothing tells"},
		{login.POP3, "+OK mail ESMTP Postfix", nil, "", "the other protocol's"},
	} {
		if got := Software(c.protocol, c.greeting, c.capabilities); got != c.want {
			t.Errorf("%s %q: %q, want %q (%s)", c.protocol, c.greeting, got, c.want, c.why)
		}
	}
}
