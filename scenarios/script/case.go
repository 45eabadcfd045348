package script

import (
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Case is a requirement with a source, and the experiment that decides it.
type Case struct {
	// ID never changes its meaning: area, topic, number.
	ID    string
	Title string
	// Since is the release of the catalogue in which the case is new.
	Since string
	Level login.Level
	Refs  []string
	// Says is the requirement in our own words.
	Says  string
	Needs Needs
	Steps []Step
	// Sabotage must make the case fail.
	Sabotage Sabotage
}

// Area is the ID without its number.
func (c Case) Area() string { return c.ID[:strings.LastIndexByte(c.ID, '/')] }

// Protocols are those over which the case is decided, one result for each.
func (c Case) Protocols() []login.Protocol {
	if c.Needs.Protocols != nil {
		return c.Needs.Protocols
	}
	for _, p := range login.Protocols() {
		if strings.HasPrefix(c.ID, string(p)+"/") {
			return []login.Protocol{p}
		}
	}
	return login.Protocols()
}

// Needs is what must be there for a case to mean anything. The zero value
// needs a door that answers.
type Needs struct {
	// Protocols are those over which the case is decided; nil is that of the
	// ID, or both.
	Protocols []login.Protocol
	// Link is where the steps take place.
	Link Link
	// Mechanisms that the case is about. It is played once with each that the
	// server offers on such a link, and means nothing to one that offers none.
	Mechanisms []login.Mechanism
	// AnyMechanism: one of them is enough, and the first that is offered is
	// taken.
	AnyMechanism bool
	// Offers are keywords of EHLO or CAPA without which it means nothing.
	Offers []string
	// Account: the account's own password is presented.
	Account bool
	// Policy: it means nothing where nobody says what the policy is.
	Policy bool
	// Issued: something is given out in place of a password, or a server must
	// be at hand that does.
	Issued bool
	// State is what a server that can be put into states is put into: it
	// changes [State]. A server that stands as it stands takes part if what the
	// case needs is there.
	State func(*login.Setup)
}

// Link is which connections a case looks at.
type Link uint8

const (
	// AnyLink is the first of STARTTLS, implicit TLS and clear on which what
	// the case needs is offered.
	AnyLink Link = iota
	// Clear is without TLS; the port is that of STARTTLS.
	Clear
	// Encrypted is STARTTLS or implicit TLS.
	Encrypted
	// Upgraded is STARTTLS, STLS.
	Upgraded
	// Implicit is TLS from the first octet.
	Implicit
)

var transportsOf = map[Link][]login.Transport{
	AnyLink:   {login.StartTLS, login.TLS, login.Plain},
	Clear:     {login.Plain},
	Encrypted: {login.StartTLS, login.TLS},
	Upgraded:  {login.StartTLS},
	Implicit:  {login.TLS},
}

// Sabotage is how a case is shown to be able to fail: the server is wrong in
// one way, or seems to be.
type Sabotage struct {
	// Bug names a mutant of the reference server.
	Bug string
	// Rewrites change what the server says before the case reads it.
	Rewrites []Rewrite
	// State puts the server into another state than the case asked for.
	State func(*login.Setup)
}

// Rewrite changes lines of the server.
type Rewrite struct {
	// After is how the line that the client sent last began, in capitals; ""
	// is any. It is "greeting" through all that [Open] says, EHLO included, and
	// "EHLO" behind [SayHello], which over POP3 says CAPA.
	After string
	// From is how the server's line begins; "" is any.
	From string
	// To is what is read in its place.
	To string
}

// State is what a server that can be put into states is put into for a case
// that wants nothing else: modern, everything allowed that there is, and mail
// demands a login as a submission server's does (RFC 6409 4.3).
func (c Case) State(mechanisms []login.Mechanism) login.Setup {
	setup := login.Setup{
		Flavour: login.Modern, Database: login.Full,
		Policy: login.Every(mechanisms, login.Allow),
		Trust:  login.Trust{DemandAuth: true},
	}
	if c.Needs.State != nil {
		c.Needs.State(&setup)
	}
	return setup
}
