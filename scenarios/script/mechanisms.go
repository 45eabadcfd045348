package script

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Mechanisms are all that there are to try in a protocol.
func Mechanisms(p login.Protocol) []login.Mechanism { return everyMechanism[p] }

var everyMechanism = map[login.Protocol][]login.Mechanism{
	login.SMTP: sasl,
	login.POP3: slices.Concat([]login.Mechanism{login.UserPass, login.APOP}, sasl),
}

var sasl = []login.Mechanism{login.PLAIN, login.LOGIN, login.CRAMMD5, login.DIGESTMD5, login.NTLM, login.SCRAMSHA1, login.SCRAMSHA1PLUS,
	login.SCRAMSHA256, login.SCRAMSHA256PLUS, login.XOAUTH2, login.OAUTHBEARER, login.GSSAPI, login.EXTERNAL, login.ANONYMOUS}

// SASL are the mechanisms that both protocols have.
func SASL() []login.Mechanism { return slices.Clone(sasl) }
