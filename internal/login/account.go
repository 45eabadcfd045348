package login

// Database is where the server looks up an account, which decides what it can
// check. The zero value is no database.
type Database string

const (
	// WinGate is the server's own: passwords can be recovered, so challenge
	// mechanisms can be checked; NTLM is not available.
	WinGate Database = "wingate"
	// NT is the operating system's: it can check a plaintext password or an
	// NTLM response, nothing else.
	NT Database = "nt"
	// Full can check everything there is: it has passwords, tokens'
	// and certificates' authorities, and a Kerberos service key.
	Full Database = "full"
	// SCRAMKeys has the keys of RFC 5802 3 in place of passwords.
	SCRAMKeys Database = "scram"
	// UnknownDatabase is that of a server that is not ours.
	UnknownDatabase Database = "unknown"
)

// Databases lists them in the order of reports.
func Databases() []Database { return []Database{WinGate, NT, Full, SCRAMKeys} }

// ParseDatabase accepts any letter case.
func ParseDatabase(s string) (Database, error) { return ParseName("database", s, Databases()) }

// Override says whether the account has a POP3 override password.
type Override string

const (
	NoOverride  Override = "none"
	OverrideSet Override = "set"
)

// Overrides lists them in the order of reports.
func Overrides() []Override { return []Override{NoOverride, OverrideSet} }

// ParseOverride accepts any letter case.
func ParseOverride(s string) (Override, error) { return ParseName("override", s, Overrides()) }

// Credential is what the client presents with the account's name.
type Credential string

const (
	WithAccount  Credential = "account"  // the account's own password
	WithOverride Credential = "override" // the POP3 override password
	WithWrong    Credential = "wrong"    // a wrong password
)

// Credentials lists what a client can present, given the override.
func Credentials(o Override) []Credential {
	if o == OverrideSet {
		return []Credential{WithAccount, WithOverride, WithWrong}
	}
	return []Credential{WithAccount, WithWrong}
}

// ParseCredential accepts any letter case.
func ParseCredential(s string) (Credential, error) {
	return ParseName("credential", s, Credentials(OverrideSet))
}

// Account is one user of the server. Its String and GoString never show a
// password.
type Account struct {
	Name     string
	Password string
	// Override is the POP3 override password; "" means that none is set.
	Override string
}

func (a Account) String() string   { return "account " + a.Name }
func (a Account) GoString() string { return a.String() }

// Secrets are the canaries of a run: one account and what its user, and the
// user of the Windows session, may present. Its String never shows them.
type Secrets struct {
	Name     string // the account's name
	Password string // the account's own password
	Override string // its POP3 override password, where one is set
	Wrong    string // a password that no account has

	WindowsUser     string // the logged-on Windows user, unknown to the server
	WindowsPassword string

	Issued      Issued // what the account holds beside its password
	WrongIssued Issued // what no account holds
}

func (s Secrets) String() string   { return "secrets of " + s.Name }
func (s Secrets) GoString() string { return s.String() }

// Presented is the password that c stands for.
func (s Secrets) Presented(c Credential) string {
	switch c {
	case WithAccount:
		return s.Password
	case WithOverride:
		return s.Override
	default:
		return s.Wrong
	}
}

// PresentedIssue is what c stands for where no password is asked for.
func (s Secrets) PresentedIssue(c Credential) Issued {
	if c == WithAccount {
		return s.Issued
	}
	return s.WrongIssued
}

// Account is the account under override o.
func (s Secrets) Account(o Override) Account {
	a := Account{Name: s.Name, Password: s.Password}
	if o == OverrideSet {
		a.Override = s.Override
	}
	return a
}
