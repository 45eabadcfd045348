package advice

import (
	"regexp"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// The software whose settings are known by name.
const (
	postfix = "Postfix"
	dovecot = "Dovecot"
	exim    = "Exim"
)

// sign is what tells a piece of software in one protocol: what stands behind
// the "220" or "+OK" of its greeting.
type sign struct {
	software string
	protocol login.Protocol
	greeting *regexp.Regexp
}

// signs are as the software greets when it is installed, or by its own name.
// An administrator can word most greetings otherwise, and then nothing tells: a
// wrong guess would send him to the wrong manual. maddy and hMailServer greet
// like anybody.
var signs = []sign{
	{postfix, login.SMTP, regexp.MustCompile(`^\S+ ESMTP Postfix\b`)},
	{exim, login.SMTP, regexp.MustCompile(`^\S+ ESMTP Exim \d`)},
	{"Sendmail", login.SMTP, regexp.MustCompile(`^\S+ ESMTP Sendmail\b`)},
	{"OpenSMTPD", login.SMTP, regexp.MustCompile(`^\S+ ESMTP OpenSMTPD\b`)},
	{"Microsoft Exchange", login.SMTP, regexp.MustCompile(`^\S+ Microsoft ESMTP MAIL Service ready\b`)},
	{"Courier", login.SMTP, regexp.MustCompile(`^\S+ ESMTP Courier\b`)},
	{"MDaemon", login.SMTP, regexp.MustCompile(`^\S+ ESMTP MDaemon\b`)},
	{"Kerio Connect", login.SMTP, regexp.MustCompile(`\bKerio (Connect|MailServer)\b`)},
	{"hMailServer", login.SMTP, regexp.MustCompile(`\bhMailServer\b`)},
	{"WinGate", login.SMTP, regexp.MustCompile(`\bWinGate\b`)},
	{"mox", login.SMTP, regexp.MustCompile(`^\S+ ESMTP mox\b`)},
	{"maddy", login.SMTP, regexp.MustCompile(`\bmaddy\b`)},
	{"chasquid", login.SMTP, regexp.MustCompile(`^\S+ ESMTP chasquid\b`)},
	{"Haraka", login.SMTP, regexp.MustCompile(`^\S+ ESMTP Haraka\b`)},
	{"Gmail", login.SMTP, regexp.MustCompile(`^\S+ ESMTP .*\bgsmtp$`)},
	{dovecot, login.SMTP, regexp.MustCompile(`^\S+ Dovecot( \([^)]*\))? ready\.`)},
	{dovecot, login.POP3, regexp.MustCompile(`^(\[[^]]*\] )?Dovecot( \([^)]*\))? (DA )?ready\.`)},
	{"Courier", login.POP3, regexp.MustCompile(`^Hello there\.`)},
	{"Cyrus", login.POP3, regexp.MustCompile(`\bCyrus POP3\b`)},
	{"Qpopper", login.POP3, regexp.MustCompile(`^(Qpopper|QPOP) \(version\b`)},
	{"Microsoft Exchange", login.POP3, regexp.MustCompile(`^The Microsoft Exchange POP3 service is ready\b`)},
	{"Zimbra", login.POP3, regexp.MustCompile(`\bZimbra POP3 server ready\b`)},
	{"MDaemon", login.POP3, regexp.MustCompile(`^\S+ POP3? MDaemon\b`)},
	{"Kerio Connect", login.POP3, regexp.MustCompile(`\bKerio (Connect|MailServer)\b`)},
	{"hMailServer", login.POP3, regexp.MustCompile(`\bhMailServer\b`)},
	{"WinGate", login.POP3, regexp.MustCompile(`\bWinGate\b`)},
	{"Gmail", login.POP3, regexp.MustCompile(`^Gpop ready\b`)},
}

// implementations are CAPA's word for what it is (RFC 2449 6.9), which stands
// where the greeting was worded otherwise.
var implementations = []struct {
	software string
	line     *regexp.Regexp
}{
	{dovecot, regexp.MustCompile(`^IMPLEMENTATION Dovecot\b`)},
	{"Cyrus", regexp.MustCompile(`^IMPLEMENTATION Cyrus POP3\b`)},
	{"Courier", regexp.MustCompile(`^IMPLEMENTATION Courier Mail Server\b`)},
	{"Qpopper", regexp.MustCompile(`^IMPLEMENTATION Qpopper\b`)},
}

// said is what stands before the words of a greeting.
var said = regexp.MustCompile(`^(220[ -]|\+OK ?)`)

// Software guesses from a greeting and the capabilities, "" where nothing tells.
func Software(p login.Protocol, greeting string, capabilities []string) string {
	words := said.ReplaceAllString(greeting, "")
	for _, s := range signs {
		if s.protocol == p && s.greeting.MatchString(words) {
			return s.software
		}
	}
	if p != login.POP3 {
		return ""
	}
	for _, i := range implementations {
		if slices.ContainsFunc(capabilities, i.line.MatchString) {
			return i.software
		}
	}
	return ""
}
