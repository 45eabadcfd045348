package harness

import (
	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// The nouns that an outside module needs to name: to write a [Target], to
// shape a [Grid] and to read a [Report].
type (
	Setup        = login.Setup
	Account      = login.Account
	Policy       = login.Policy
	Setting      = login.Setting
	Mechanism    = login.Mechanism
	Protocol     = login.Protocol
	Transport    = login.Transport
	Flavour      = login.Flavour
	Database     = login.Database
	Override     = login.Override
	Credential   = login.Credential
	Certificate  = login.Certificate
	Trust        = login.Trust
	Posture      = login.Posture
	Record       = login.Record
	Refusal      = login.Refusal
	CannotError  = login.CannotError
	StartupError = login.StartupError
	Cell         = login.Cell
	CellResult   = login.CellResult
	Observation  = login.Observation
	Expectation  = login.Expectation
	Oracle       = login.Oracle
	ByDocument   = login.ByDocument
	ClientFacts  = login.ClientFacts
	Outcome      = login.Outcome
	Exposure     = login.Exposure
	Verdict      = login.Verdict
	Ruling       = login.Ruling
	Report       = login.Report
	Totals       = login.Totals
	Secrets      = login.Secrets
	Door         = wire.Door
	Profile      = clientsim.Profile
	Scenario     = scenarios.Scenario
)

const (
	SMTP     = login.SMTP
	POP3     = login.POP3
	Plain    = login.Plain
	StartTLS = login.StartTLS
	TLS      = login.TLS
	Classic  = login.Classic
	Modern   = login.Modern
	Deny     = login.Deny
	Allow    = login.Allow
	Secure   = login.Secure
	WinGate  = login.WinGate
	NT       = login.NT

	LoggedIn           = login.LoggedIn
	RefusedPolicy      = login.RefusedPolicy
	RefusedUnavailable = login.RefusedUnavailable
	RefusedCredentials = login.RefusedCredentials

	NotRefused     = login.NotRefused
	ByPolicy       = login.ByPolicy
	ByAvailability = login.ByAvailability
	ByCredentials  = login.ByCredentials

	Pass   = login.Pass
	Warn   = login.Warn
	Fail   = login.Fail
	Skip   = login.Skip
	Broken = login.Broken
)

// LoadProfile reads a profile of your own from YAML; name is the file's, for
// messages.
func LoadProfile(name string, yaml []byte) (Profile, error) { return clientsim.Load(name, yaml) }

// Profiles are the built-in clients, sorted by name.
func Profiles() []Profile { return clientsim.All() }
