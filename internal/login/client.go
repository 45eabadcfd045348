package login

import "slices"

// ClientDescription is how a client behaves where a server goes wrong, and how well
// it is known. It holds no opinion: a server cannot be blamed for its clients.
type ClientDescription struct {
	Profile string `json:"profile"`
	Title   string `json:"title"`
	// Family is the code that it shares with others, Version the release that
	// the facts are of, "" if of several.
	Family  string `json:"family"`
	Version string `json:"version"`
	// Facts counts the facts of the profile by their confidence.
	Facts map[Confidence]int `json:"facts"`
	// Protocols are those that the client speaks.
	Protocols []ClientManners `json:"protocols"`
}

// KnownBy is the best that the client is known by: Observed if it was recorded,
// and what it does here is what the recordings show. It is "" without facts.
func (d ClientDescription) KnownBy() Confidence {
	for _, c := range Confidences() {
		if d.Facts[c] > 0 {
			return c
		}
	}
	return ""
}

// ClientManners is that in one protocol.
type ClientManners struct {
	Protocol Protocol `json:"protocol"`
	// Floors are the client's credential floors, by how it is told to encrypt.
	Floors map[Encryption]Floor `json:"floors"`
	// Denials is what it does about each refusal of its login, by the reply.
	Denials map[string]Denial `json:"denials"`
}

// Encryption is how a client is told to encrypt.
type Encryption string

const (
	EncryptRequired    Encryption = "required"     // STARTTLS or STLS, or nothing
	EncryptIfAvailable Encryption = "if-available" // with it where it is offered
	EncryptOff         Encryption = "off"
)

// Encryptions lists them, strictest first.
func Encryptions() []Encryption {
	return []Encryption{EncryptRequired, EncryptIfAvailable, EncryptOff}
}

// Rung is a step on the way down from an honest server: what an attacker, or
// a mistake, has taken from it.
type Rung string

const (
	RungCertificate Rung = "certificate" // nobody known vouches for the certificate
	RungHandshake   Rung = "handshake"   // STARTTLS is offered, and the handshake breaks
	RungRefused     Rung = "refused"     // STARTTLS is offered, and refused
	RungStripped    Rung = "stripped"    // STARTTLS is not offered
	RungWeak        Rung = "weak"        // nor any mechanism that hides the password
	RungHello       Rung = "hello"       // EHLO is refused; SMTP only
)

// Rungs lists them on the way down.
func Rungs() []Rung {
	return []Rung{RungCertificate, RungHandshake, RungRefused, RungStripped, RungWeak, RungHello}
}

// Floor is the lowest rung at which a client still gives something up.
type Floor struct {
	// Rung is "" where it gives up nothing on any.
	Rung Rung `json:"rung"`
	// Gives is the strongest of what it gives up there: to whoever listens or,
	// at the certificate, to whoever shows it.
	Gives ExposureClass `json:"gives"`
	// Transcript is the row of what was said there.
	Transcript *int `json:"transcript"`
}

// Word is the floor in one word.
func (f Floor) Word() string {
	if f.Rung == "" {
		return "none"
	}
	return string(f.Rung)
}

// Denial is what a client does when its login is refused in a certain way.
type Denial struct {
	Does DenialManner `json:"does"`
	// Shows is the strongest of what could be read although no login was
	// permitted: in the command that was refused, or after it.
	Shows      ExposureClass `json:"shows"`
	Transcript *int          `json:"transcript"`
}

// DenialManner is what a client does when its login is refused, in one word.
type DenialManner string

const (
	DoesNothing  DenialManner = "not-tried"       // it does not log in in clear, nor inside TLS
	DoesGiveUp   DenialManner = "gives-up"        // QUIT, or an end
	DoesNext     DenialManner = "next-mechanism"  // and gives up when there is none
	DoesRetry    DenialManner = "retries"         // the same mechanism once more
	DoesLoop     DenialManner = "loops"           // again and again
	DoesGoOn     DenialManner = "unauthenticated" // it hands in the mail without a login
	DoesBelieve  DenialManner = "takes-for-login" // it takes the refusal for a success
	DoesWait     DenialManner = "waits"
	DoesStartTLS DenialManner = "starttls" // it encrypts, and tries again
)

// Answers to a login that are no lines.
const (
	AnswerClose   = "close"   // the connection is ended
	AnswerSilence = "silence" // nothing comes
)

// Denials are the refusals that are tried in a protocol, by their codes.
func Denials(p Protocol) []string {
	if p == POP3 {
		return []string{"-ERR", "-ERR [AUTH]", "-ERR [SYS/TEMP]", "-ERR [IN-USE]", AnswerClose, AnswerSilence}
	}
	return []string{"454", "504", "530", "534", "535", "538", AnswerClose, AnswerSilence}
}

// SafestDenials are the refusals after which the fewest of these clients show
// a password or more, then go on without a login, then try again: those that
// do equally well, in the order of [Denials].
func SafestDenials(p Protocol, clients []ClientDescription) []string {
	type cost struct{ shown, unauthenticated, again int }
	costs := map[string]cost{}
	for _, client := range clients {
		for _, m := range client.Protocols {
			if m.Protocol != p {
				continue
			}
			for code, d := range m.Denials {
				c := costs[code]
				if d.Shows >= ShowsToken {
					c.shown++
				}
				switch d.Does {
				case DoesGoOn, DoesBelieve:
					c.unauthenticated++
				case DoesLoop, DoesRetry, DoesWait:
					c.again++
				}
				costs[code] = c
			}
		}
	}
	var best []string
	less := func(a, b cost) bool {
		if a.shown != b.shown {
			return a.shown < b.shown
		}
		if a.unauthenticated != b.unauthenticated {
			return a.unauthenticated < b.unauthenticated
		}
		return a.again < b.again
	}
	for _, code := range Denials(p) {
		c, tried := costs[code]
		switch {
		case !tried, code == AnswerClose, code == AnswerSilence: // no replies, and what follows is a guess for most
		case len(best) == 0 || less(c, costs[best[0]]):
			best = []string{code}
		case c == costs[best[0]]:
			best = append(best, code)
		}
	}
	return slices.Clip(best)
}
