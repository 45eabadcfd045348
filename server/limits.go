package server

import "time"

// Limits bound what a client may cost. A zero field stands for the strict
// default.
type Limits struct {
	// FailedLogins on one connection end it; 3. This and FailureDelay count in
	// the posture SlowDown only.
	FailedLogins int
	// FailureDelay is how late the first failure is answered; each further
	// one takes twice as long. One second.
	FailureDelay time.Duration

	// SMTPIdle and POP3Idle are how long a command may take to arrive:
	// RFC 5321 4.5.3.2.7 wants 5 minutes at least, RFC 1939 3 wants 10.
	SMTPIdle, POP3Idle time.Duration
	// Handshake is how long a TLS handshake may take; 30 seconds.
	Handshake time.Duration

	// BadCommands on one connection end it; 20.
	BadCommands int
	// MessageSize in octets; 10 MiB.
	MessageSize int64
	// MailboxSize is how many octets a mailbox holds; 64 MiB.
	MailboxSize int64
	// Recipients of one message; 100 (RFC 5321 4.5.3.1.8 wants no less).
	Recipients int
}

// strict fills in the defaults.
func (l Limits) strict() Limits {
	orDefault(&l.FailedLogins, 3)
	orDefault(&l.FailureDelay, time.Second)
	orDefault(&l.SMTPIdle, 5*time.Minute)
	orDefault(&l.POP3Idle, 10*time.Minute)
	orDefault(&l.Handshake, 30*time.Second)
	orDefault(&l.BadCommands, 20)
	orDefault(&l.MessageSize, 10<<20)
	orDefault(&l.MailboxSize, 64<<20)
	orDefault(&l.Recipients, 100)
	return l
}

func orDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// Lengths of lines in octets, their end not counted.
const (
	// RFC 5321 4.5.3.1.4: a command is at most 512 octets with CR LF.
	longestSMTP = 510
	// MAIL and RCPT may be longer by what the extensions add: AUTH= 500
	// (RFC 4954 3), SIZE= 26 (RFC 1870 3), BODY= 17 (RFC 6152 2).
	longestEnvelope = longestSMTP + 500 + 26 + 17
	// RFC 4954 4: lines of an exchange need room for what the mechanisms send,
	// and 12,288 octets do.
	longestAuth = 12288
	// RFC 2449 4: a POP3 command is at most 255 octets with CR LF.
	longestPOP3 = 253
	// RFC 5321 4.5.3.1.6 asks for 1000 octets of text; real mail has longer
	// lines, so far more is taken.
	longestText = 64 << 10
)
