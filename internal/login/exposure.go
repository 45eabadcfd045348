package login

import "fmt"

// ExposureClass is what a listener on the wire could learn. Stronger is
// larger; the zero value is nothing.
type ExposureClass uint8

const (
	ShowsNothing  ExposureClass = iota
	ShowsIdentity               // the user name
	ShowsVerifier               // a proof that can be cracked offline
	ShowsToken                  // a bearer token
	ShowsPassword               // the password itself
)

var exposureNames = []string{"none", "identity", "verifier", "token", "password"}

func (c ExposureClass) String() string               { return exposureNames[c] }
func (c ExposureClass) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText accepts any letter case.
func (c *ExposureClass) UnmarshalText(b []byte) error {
	return parseIndex("exposure", b, exposureNames, c)
}

// When tells how a secret crossed the wire in relation to the server's answer.
type When string

const (
	BeforeRefusal When = "before-refusal" // then refused, be it at the end of the exchange
	AfterRefusal  When = "after-refusal"  // sent although the server had said no
	OnSuccess     When = "on-success"     // the login was accepted
)

// SecretName says whose secret a listener saw.
type SecretName string

const (
	SecretAccount     SecretName = "account"
	SecretOverride    SecretName = "override"
	SecretWrong       SecretName = "wrong"
	SecretWindowsUser SecretName = "windows-user"
)

// Exposure is one thing that a listener could read.
type Exposure struct {
	Class     ExposureClass `json:"class"`
	Mechanism Mechanism     `json:"mechanism"`
	When      When          `json:"when"`
	Transport Transport     `json:"transport"`
	Secret    SecretName    `json:"secret"`
}

func (x Exposure) String() string {
	return fmt.Sprintf("%s (secret: %s, mechanism %s, %s)", x.Class, x.Secret, x.Mechanism, x.When)
}

// Strongest is the strongest class among the exposures.
func Strongest(all []Exposure) ExposureClass {
	var c ExposureClass
	for _, e := range all {
		c = max(c, e.Class)
	}
	return c
}
