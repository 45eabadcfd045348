package harness

import (
	"bytes"
	"fmt"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// WritePolicy is the YAML of a policy with every mechanism of both protocols
// named: who reads it by another program need not know that what is not named
// is denied. Two policies that mean the same are the same text.
func WritePolicy(p login.Policy) []byte {
	var b bytes.Buffer
	for _, protocol := range login.Protocols() {
		fmt.Fprintf(&b, "%s:\n", protocol)
		for _, m := range mech.In(protocol) {
			fmt.Fprintf(&b, "  %s: %s\n", m, p.For(protocol, m))
		}
	}
	return b.Bytes()
}

// Mechanisms are those that a policy can name.
func Mechanisms() []Mechanism { return mech.Names() }
