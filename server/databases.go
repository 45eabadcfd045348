package server

import (
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// Checks is what a database holds to check a login with. The zero value is
// nothing: it cannot.
type Checks string

const (
	ByCleartext   Checks = "cleartext"   // a password that can be recovered
	ByNTHash      Checks = "NT hash"     // the operating system's
	BySCRAMKeys   Checks = "SCRAM keys"  // StoredKey and ServerKey, RFC 5802 3
	ByToken       Checks = "token"       // the key of who issues bearer tokens
	ByCertificate Checks = "certificate" // the authority of client certificates
	ByKerberos    Checks = "Kerberos"    // the service's key
	ByNobody      Checks = "no check"    // whoever comes is let in as nobody
)

// checks says what each database can do for each mechanism, and by what: the
// document's "User Database considerations" for the first two. What is not
// here, it cannot.
//
// The document names no mechanism that came after it. SCRAM works on passwords
// that can be recovered; DIGEST-MD5 would too, but the document's server does
// not have it.
var checks = map[login.Mechanism]map[login.Database]Checks{
	login.PLAIN:    passwords,
	login.LOGIN:    passwords,
	login.UserPass: passwords,

	login.APOP:    {login.WinGate: ByCleartext, login.Full: ByCleartext},
	login.CRAMMD5: {login.WinGate: ByCleartext, login.Full: ByCleartext},

	login.SCRAMSHA1:       scramKeys,
	login.SCRAMSHA1PLUS:   scramKeys,
	login.SCRAMSHA256:     scramKeys,
	login.SCRAMSHA256PLUS: scramKeys,

	login.NTLM:        {login.NT: ByNTHash, login.Full: ByNTHash},
	login.DIGESTMD5:   {login.Full: ByCleartext},
	login.XOAUTH2:     {login.Full: ByToken},
	login.OAUTHBEARER: {login.Full: ByToken},
	login.EXTERNAL:    {login.Full: ByCertificate},
	login.GSSAPI:      {login.Full: ByKerberos},
	login.ANONYMOUS:   {login.Full: ByNobody},
}

var (
	// A password that is sent itself can be compared with anything.
	passwords = map[login.Database]Checks{
		login.WinGate: ByCleartext, login.NT: ByNTHash, login.Full: ByCleartext, login.SCRAMKeys: BySCRAMKeys}
	// Keys are made of a recoverable password when they are needed.
	scramKeys = map[login.Database]Checks{
		login.WinGate: ByCleartext, login.Full: BySCRAMKeys, login.SCRAMKeys: BySCRAMKeys}
)

// DatabaseChecks is what database d can do for each mechanism.
func DatabaseChecks(d login.Database) map[login.Mechanism]Checks {
	can := map[login.Mechanism]Checks{}
	for m, by := range checks {
		if by[d] != "" {
			can[m] = by[d]
		}
	}
	return can
}

// secondChance is the document's "second-chance check": over POP3, with the
// NT database, these check the override password, "because these methods
// would otherwise not be available". SCRAM is alike in that (rule 5).
var secondChance = map[login.Mechanism]bool{
	login.APOP: true, login.CRAMMD5: true,
	login.SCRAMSHA1: true, login.SCRAMSHA1PLUS: true, login.SCRAMSHA256: true, login.SCRAMSHA256PLUS: true,
}

// lacking is what keeps the server from checking m on a connection; "" if
// nothing does.
func (s *Server) lacking(p login.Protocol, m login.Mechanism, l link) string {
	switch {
	case !s.holds(p, m):
		return "the " + string(s.setup.Database) + " database cannot check it"
	case m == login.GSSAPI && s.setup.Flavour == login.Classic && !s.bug(UnavailableAccepted):
		return "the classic flavour has no Kerberos"
	case m == login.GSSAPI && s.kerberos == nil:
		return "there is no service key"
	case !l.transport.Encrypted() && needsTLS(m) && !s.bug(PlusInClear):
		return "it rests on TLS, and there is none"
	case m == login.EXTERNAL && !l.certificate && !s.bug(ForgedTaken):
		return "the client has shown no certificate that leads to an authority of ours"
	default:
		return ""
	}
}

// holds reports whether the database can check m in protocol p at all.
func (s *Server) holds(p login.Protocol, m login.Mechanism) bool {
	switch {
	case checks[m][s.setup.Database] != "":
		return true
	case s.bug(UnavailableAccepted) && (m == login.NTLM || m == login.DIGESTMD5):
		return true
	case p == login.SMTP, s.setup.Database != login.NT, !secondChance[m]:
		return false
	}
	return s.accounts.anyOverride
}

func needsTLS(m login.Mechanism) bool {
	impl, _ := mech.Get(m)
	return impl.NeedsTLS
}
