package compliance

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// The words of the script, so that a case reads as what happens in it.
type (
	steps = []script.Step
	needs = script.Needs
)

const (
	must     = login.Must
	should   = login.Should
	may      = login.May
	practice = login.Practice

	clear     = script.Clear
	encrypted = script.Encrypted
	upgraded  = script.Upgraded
	implicit  = script.Implicit

	refused = script.Refused
	asked   = script.Asked
	in      = script.In
	ok      = script.OK
	gone    = script.Gone
	silent  = script.Silent
)

var (
	open    = script.Open
	openOn  = script.OpenOn
	connect = script.Connect
	say     = script.Say
	octets  = script.Bytes
	answer  = script.Answer
	begin   = script.Begin
	logIn   = script.LogIn
	check   = script.Check
	on      = script.On
	alike   = script.Alike
	hangUp  = script.HangUp
	hello   = script.SayHello

	alive            = script.Alive
	authenticated    = script.Authenticated
	notAuthenticated = script.NotAuthenticated
	perProtocol      = script.PerProtocol

	onlyWith    = script.OnlyWith
	ifAccount   = script.IfAccount
	unannounced = script.Unannounced
	served      = script.Served
	mailing     = script.Mailing
	fetch       = script.Fetch
	guess       = script.Guess

	when       = script.When
	onEachLink = script.OnEachLink
	withEach   = script.WithEach
	scram      = script.Scram
	atLeastOne = script.AtLeastOne

	b64   = script.B64
	times = script.Times

	user          = script.User
	password      = script.Password
	wrong         = script.Wrong
	ghost         = script.Ghost
	decoyName     = script.DecoyName
	decoyPassword = script.DecoyPassword
	otherUser     = script.OtherUser
	mechanism     = script.Mechanism
	random        = script.Random
	from          = script.From
	local         = script.Local
	foreign       = script.Foreign
)

// refs are sources: "RFC 4954 4", "CVE-2011-0411", "MS-NLMP 3.2.5".
func refs(sources ...string) []string { return sources }

// only are the mechanisms that a case is about.
func only(ms ...login.Mechanism) []login.Mechanism { return ms }

// decoy is PLAIN's message of somebody who never was (RFC 4616 2).
var decoy = b64("\x00", decoyName, "\x00", decoyPassword)

// bug is the sabotage by a mutant of the reference server.
func bug(name string) script.Sabotage { return script.Sabotage{Bug: name} }

// answers is the sabotage by another answer: to what began with after, where
// the answer began with from.
func answers(after, from, to string) script.Sabotage {
	return script.Sabotage{Rewrites: []script.Rewrite{{After: after, From: from, To: to}}}
}

// orAnswers adds another answer to a sabotage, for the protocol over which that
// does not show.
func orAnswers(s script.Sabotage, after, from, to string) script.Sabotage {
	s.Rewrites = append(s.Rewrites, script.Rewrite{After: after, From: from, To: to})
	return s
}

// state is the sabotage by a server in another state.
func state(change func(*login.Setup)) script.Sabotage { return script.Sabotage{State: change} }
