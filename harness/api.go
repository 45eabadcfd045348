package harness

import (
	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/internal/wire"
	"github.com/mailmatrix/mailmatrix/scenarios"
	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
)

// The nouns that an outside module needs to name: to write a [Target], to
// shape a [Grid] and to read a [Report].
type (
	// A target is put into a Setup ...
	Setup           = login.Setup
	Account         = login.Account
	Policy          = login.Policy
	Setting         = login.Setting
	Certificate     = login.Certificate
	CertificateKind = login.CertificateKind
	Trust           = login.Trust
	Assumption      = login.Assumption
	Posture         = login.Posture
	Stripping       = login.Stripping
	CannotError     = login.CannotError
	StartupError    = login.StartupError

	// ... opens a Door, and records what happened behind it.
	Door    = wire.Door
	Record  = login.Record
	Refusal = login.Refusal
	Relay   = login.Relay

	// A Grid crosses the axes ...
	Flavour    = login.Flavour
	Protocol   = login.Protocol
	Transport  = login.Transport
	Mechanism  = login.Mechanism
	Database   = login.Database
	Override   = login.Override
	Credential = login.Credential
	Profile    = clientsim.Profile

	// ... into the jobs of a Plan ...
	Cell          = login.Cell
	Expectation   = login.Expectation
	ReplyForm     = login.ReplyForm
	Scenario      = scenarios.Scenario
	Session       = scenarios.Session
	Seen          = scenarios.Seen
	Secrets       = login.Secrets
	Tap           = wire.Tap
	ClientConfig  = clientsim.Config
	ClientResult  = clientsim.Result
	ClientAttempt = clientsim.Attempt
	Conn          = wire.Conn
	Observation   = login.Observation

	// ... the compliance cases among them ...
	Level = login.Level
	Case  = script.Case
	Needs = script.Needs
	Link  = script.Link
	Step  = script.Step
	Cost  = script.Cost
	Bill  = script.Bill
	// ... and those of clients, which are verdicts over what they do ...
	Situation   = clientcases.Situation
	Conduct     = clientcases.Conduct
	Conducts    = clientcases.Conducts
	Said        = clientcases.Said
	Try         = clientcases.Try
	Judge       = clientcases.Judge
	ClientMode  = recording.Mode
	ClientTrust = recording.Trust
	ClientOffer = recording.Spec
	EventKind   = login.EventKind
	Ruling      = login.Ruling
	Bend        = login.Bend
	TLSVersion  = login.TLSVersion
	Play        = script.Play
	Survey      = script.Survey
	Offer       = script.Offer
	Sabotage    = script.Sabotage
	Rewrite     = script.Rewrite

	// ... and a Report says what was seen and what to think of it.
	Report            = login.Report
	Totals            = login.Totals
	CellResult        = login.CellResult
	ScenarioResult    = login.ScenarioResult
	CaseResult        = login.CaseResult
	TargetResult      = login.TargetResult
	Asked             = login.Asked
	DoorResult        = login.DoorResult
	TransportResult   = login.TransportResult
	MechanismResult   = login.MechanismResult
	CertificateResult = login.CertificateResult
	DoorStage         = login.Stage
	Found             = login.Found
	Effort            = login.Effort
	Advice            = login.Advice
	Flake             = login.Flake
	Lack              = login.Lack
	NotTested         = login.NotTested
	ExcuseProblem     = login.ExcuseProblem
	ExcuseFault       = login.ExcuseFault
	Outcome           = login.Outcome
	Exposure          = login.Exposure
	ExposureClass     = login.ExposureClass
	When              = login.When
	SecretName        = login.SecretName
	Issued            = login.Issued
	Script            = login.Script
	LegacyForm        = login.LegacyForm
	BareAuth          = login.BareAuth
	NTLMKind          = login.NTLMKind
	Ticket            = login.Ticket
	Flaw              = login.Flaw
	Verdict           = login.Verdict
	Why               = login.Why
	Confidence        = login.Confidence
	ClientDescription = login.ClientDescription
	ClientManners     = login.ClientManners
	Encryption        = login.Encryption
	Floor             = login.Floor
	Rung              = login.Rung
	Denial            = login.Denial
	DenialManner      = login.DenialManner
)

const (
	SMTP = login.SMTP
	POP3 = login.POP3

	Plain    = login.Plain
	StartTLS = login.StartTLS
	TLS      = login.TLS

	Classic = login.Classic
	Modern  = login.Modern

	Deny     = login.Deny
	Allow    = login.Allow
	Secure   = login.Secure
	Declared = login.Declared

	PLAIN   = login.PLAIN
	LOGIN   = login.LOGIN
	CRAMMD5 = login.CRAMMD5
	NTLM    = login.NTLM
	GSSAPI  = login.GSSAPI

	SCRAMSHA1       = login.SCRAMSHA1
	SCRAMSHA1PLUS   = login.SCRAMSHA1PLUS
	SCRAMSHA256     = login.SCRAMSHA256
	SCRAMSHA256PLUS = login.SCRAMSHA256PLUS
	DIGESTMD5       = login.DIGESTMD5
	XOAUTH2         = login.XOAUTH2
	OAUTHBEARER     = login.OAUTHBEARER
	EXTERNAL        = login.EXTERNAL
	ANONYMOUS       = login.ANONYMOUS

	UserPass = login.UserPass
	APOP     = login.APOP
	Auto     = login.Auto

	WinGate   = login.WinGate
	NT        = login.NT
	Full      = login.Full
	SCRAMKeys = login.SCRAMKeys

	Flawless  = login.Flawless
	Forged    = login.Forged
	Expired   = login.Expired
	Elsewhere = login.Elsewhere
	Narrow    = login.Narrow

	NoOverride  = login.NoOverride
	OverrideSet = login.OverrideSet

	WithAccount  = login.WithAccount
	WithOverride = login.WithOverride
	WithWrong    = login.WithWrong

	ShowsNothing  = login.ShowsNothing
	ShowsIdentity = login.ShowsIdentity
	ShowsVerifier = login.ShowsVerifier
	ShowsToken    = login.ShowsToken
	ShowsPassword = login.ShowsPassword

	CertValid        = login.CertValid
	CertNone         = login.CertNone
	CertSelfSigned   = login.CertSelfSigned
	CertOtherName    = login.CertOtherName
	CertExpired      = login.CertExpired
	CertWildcard     = login.CertWildcard
	CertDER          = login.CertDER
	CertPKCS7        = login.CertPKCS7
	CertPKCS12       = login.CertPKCS12
	CertEncryptedKey = login.CertEncryptedKey
	CertKeyMismatch  = login.CertKeyMismatch
	CertExpiredFile  = login.CertExpiredFile

	TLSOffered  = login.TLSOffered
	TLSStripped = login.TLSStripped
	TLSRefused  = login.TLSRefused

	NotRefused       = login.NotRefused
	ByPolicy         = login.ByPolicy
	ByAvailability   = login.ByAvailability
	ByCredentials    = login.ByCredentials
	BySyntax         = login.BySyntax
	BySequence       = login.BySequence
	ByUnknown        = login.ByUnknown
	ByTooMany        = login.ByTooMany
	ByMailboxInUse   = login.ByMailboxInUse
	ByServerProblems = login.ByServerProblems

	LoggedIn           = login.LoggedIn
	NoTLS              = login.NoTLS
	CertRejected       = login.CertRejected
	NotOffered         = login.NotOffered
	RefusedPolicy      = login.RefusedPolicy
	RefusedUnavailable = login.RefusedUnavailable
	RefusedCredentials = login.RefusedCredentials
	Refused            = login.Refused
	Dropped            = login.Dropped
	Error              = login.Error

	Unjudged = login.Unjudged
	Pass     = login.Pass
	Skip     = login.Skip
	Warn     = login.Warn
	Broken   = login.Broken
	Fail     = login.Fail
)

// Names that every server of a run has.
const (
	DefaultIdentity = login.DefaultIdentity
	DefaultDomain   = login.DefaultDomain
)

// LoadProfile reads a profile of your own from YAML; name is the file's, for
// messages.
func LoadProfile(name string, yaml []byte) (Profile, error) { return clientsim.Load(name, yaml) }

// Profiles are the built-in clients, sorted by name.
func Profiles() []Profile { return clientsim.All() }
