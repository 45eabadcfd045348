package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// Builtin is a policy that everybody can name. What a version means never
// changes: a new meaning is a new version, and the old one stays.
type Builtin struct {
	Name, Version string
	About         string
	Policy        login.Policy
}

// ID names the policy with its version, as in modern@2026.1.
func (b Builtin) ID() string { return b.Name + "@" + b.Version }

// Builtins lists them, strictest first; the newest version of a name stands
// before its older ones.
func Builtins() []Builtin {
	return []Builtin{
		{"modern", "2026.1", "inside TLS alone, nothing that a stronger one has replaced", common(modern(), nil)},
		{"intermediate", "2026.1", "modern, and LOGIN, CRAM-MD5 and APOP inside TLS", common(modern(), map[login.Mechanism]login.Setting{
			login.LOGIN: login.Secure, login.CRAMMD5: login.Secure, login.APOP: login.Secure,
		})},
		// The challenge mechanisms are those in which a password of our own
		// answers a challenge: NTLM and DIGEST-MD5 would be among them, but are
		// named apart, and the -PLUS forms exist inside TLS alone.
		{"legacy", "2026.1", "intermediate, and NTLM and DIGEST-MD5 inside TLS; challenge mechanisms in clear as well", common(modern(), map[login.Mechanism]login.Setting{
			login.LOGIN: login.Secure, login.NTLM: login.Secure, login.DIGESTMD5: login.Secure,
			login.CRAMMD5: login.Allow, login.APOP: login.Allow, login.SCRAMSHA1: login.Allow, login.SCRAMSHA256: login.Allow,
		})},
		{"rfc8314", "2026.1", "whatever there is, inside TLS alone (RFC 8314 3); 465 and 995 should be open", common(everyAccount(login.Secure), nil)},
		// The document says what each setting is for and gives no table of them:
		// its insecure methods are safe inside TLS, its secure ones anywhere. It
		// knows five methods; the rest is denied, as it would be there.
		{"wingate-example", "2026.1", "the document's five methods: its insecure ones inside TLS, its secure ones anywhere", common(nil, map[login.Mechanism]login.Setting{
			login.PLAIN: login.Secure, login.UserPass: login.Secure,
			login.NTLM: login.Allow, login.CRAMMD5: login.Allow, login.APOP: login.Allow,
		})},
	}
}

func common(base, more map[login.Mechanism]login.Setting) login.Policy {
	settings := map[login.Mechanism]login.Setting{}
	maps.Copy(settings, base)
	maps.Copy(settings, more)
	return login.Policy{Common: settings}
}

func modern() map[login.Mechanism]login.Setting {
	return login.Every([]login.Mechanism{
		login.PLAIN, login.UserPass, login.SCRAMSHA1, login.SCRAMSHA1PLUS, login.SCRAMSHA256, login.SCRAMSHA256PLUS,
		login.XOAUTH2, login.OAUTHBEARER, login.GSSAPI, login.EXTERNAL,
	}, login.Secure).Common
}

// everyAccount gives the setting to every mechanism that logs an account in:
// ANONYMOUS is nobody's login.
func everyAccount(s login.Setting) map[login.Mechanism]login.Setting {
	return login.Every(slices.DeleteFunc(mech.Names(), func(m login.Mechanism) bool { return m == login.ANONYMOUS }), s).Common
}

// builtin finds a policy by its name, with or without version, in any letter
// case.
func builtin(name string) (Builtin, bool) {
	for _, b := range Builtins() {
		if strings.EqualFold(name, b.Name) || strings.EqualFold(name, b.ID()) {
			return b, true
		}
	}
	return Builtin{}, false
}
