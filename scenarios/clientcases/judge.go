package clientcases

import (
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// shows says what was shown, in words.
func shows(x login.Exposure) string {
	what := map[login.ExposureClass]string{
		login.ShowsPassword: "the password", login.ShowsToken: "a token", login.ShowsVerifier: "a proof that can be cracked",
	}[x.Class]
	return what + " (" + string(x.Mechanism) + ")"
}

// shown is what a listener could read that is worth something; ok is false where
// there is nothing.
func shown(did Conduct) (x login.Exposure, ok bool) {
	x = strongest(did.Clear)
	return x, x.Class > login.ShowsIdentity
}

// keepsSecrets fails who shows anything in clear, or goes on there to what a
// login is for.
func keepsSecrets(s Situation, did, _ Conduct) login.Ruling {
	if x, is := shown(did); is {
		return failed("%s went in clear", shows(x))
	}
	if i := slices.IndexFunc(did.Tries, func(t Try) bool { return !t.Encrypted }); i >= 0 {
		return failed("it began to log in in clear (%s)", did.Tries[i].Mechanism)
	}
	if did.says(false, usesLogin[s.Protocol]...) {
		return failed("it went on in clear without a login")
	}
	return passed
}

// logsIn is about a good server: the login comes about, and where it is told to.
func logsIn(s Situation, did, _ Conduct) login.Ruling {
	if s.Mode != recording.Off {
		if ruling := keepsSecrets(s, did, Conduct{}); ruling.Verdict == login.Fail {
			return ruling
		}
	}
	switch {
	case len(did.Tries) == 0:
		return unproved("it does not try to log in")
	case !slices.ContainsFunc(did.Tries, func(t Try) bool { return t.Accepted }):
		return unproved("its login (%s) is refused", did.used())
	}
	return passed
}

// distrusts fails who logs in to a server whose certificate says that it is
// somebody else's.
func distrusts(s Situation, did, _ Conduct) login.Ruling {
	if len(did.Tries) > 0 {
		where := "inside TLS"
		if !did.Tries[0].Encrypted {
			where = "in clear"
		}
		if x := strongest(slices.Concat(did.Clear, did.Inside)); x.Class > login.ShowsIdentity {
			return failed("%s was given %s", shows(x), where)
		}
		return failed("it began to log in %s (%s)", where, did.Tries[0].Mechanism)
	}
	if did.says(true, usesLogin[s.Protocol]...) || did.says(false, usesLogin[s.Protocol]...) {
		return failed("it went on without a login")
	}
	return passed
}

// shunsOldTLS fails who logs in over a version that nobody may speak any more.
func shunsOldTLS(s Situation, did, twin Conduct) login.Ruling {
	if did.encrypts() && len(did.Tries) > 0 {
		return failed("it logged in over TLS %s (%s)", s.Departs.NewestTLS, did.used())
	}
	return keepsSecrets(s, did, twin)
}

// heeds fails who uses a mechanism that was listed only where it should count
// no more. The twin's server lists it nowhere.
func heeds(from string, names ...login.Mechanism) Judge {
	return func(s Situation, did, twin Conduct) login.Ruling {
		for _, m := range names {
			if did.tries(m) && !twin.tries(m) {
				return failed("it used %s, which was listed only %s", m, from)
			}
		}
		return keepsSecrets(s, did, Conduct{})
	}
}

// forgets is heeds, and warns of who does not say EHLO again.
func forgets(from string, names ...login.Mechanism) Judge {
	return func(s Situation, did, twin Conduct) login.Ruling {
		ruling := heeds(from, names...)(s, did, twin)
		if ruling.Verdict == login.Pass && s.Protocol == login.SMTP && staleHello(did) {
			return warned("inside TLS it did not say EHLO again")
		}
		return ruling
	}
}

// staleHello: the first thing that is said inside TLS is no EHLO, nor a leave.
func staleHello(did Conduct) bool {
	fresh := map[int]bool{}
	for _, s := range did.Said {
		switch {
		case s.Kind == login.EventTLSUp:
			fresh[s.Connection] = true
		case fresh[s.Connection] && s.Encrypted:
			fresh[s.Connection] = false
			if !slices.Contains([]string{"EHLO", "HELO", "QUIT", "RSET"}, s.Verb) {
				return true
			}
		}
	}
	return false
}

// holdsOut fails who, after one of the strong mechanisms came to nothing, shows
// the password in clear, and warns where it is inside TLS.
func holdsOut(strong ...login.Mechanism) Judge {
	return func(_ Situation, did, _ Conduct) login.Ruling {
		at := slices.IndexFunc(did.Tries, func(t Try) bool { return slices.Contains(strong, t.Mechanism) })
		if at < 0 {
			return idle("it does not use %s", named(strong))
		}
		first := did.Tries[at]
		if first.Accepted {
			return idle("its %s was accepted", first.Mechanism)
		}
		gave := "came to nothing"
		if first.Cancelled {
			gave = "was broken off"
		} else if first.Reply != "" {
			gave = "was refused"
		}
		for _, t := range did.Tries[at+1:] {
			if slices.Contains(strong, t.Mechanism) || t.Answers == 0 {
				continue
			}
			x := login.Exposure{Class: login.ShowsPassword, Mechanism: t.Mechanism}
			switch {
			case !t.Encrypted && slices.ContainsFunc(did.Clear, func(c login.Exposure) bool { return c.Class == x.Class && c.Mechanism == t.Mechanism }):
				return failed("after %s %s, %s went in clear", first.Mechanism, gave, shows(x))
			case t.Encrypted && slices.ContainsFunc(did.Inside, func(c login.Exposure) bool { return c.Class == x.Class && c.Mechanism == t.Mechanism }):
				return warned("after %s %s, it sent %s inside TLS", first.Mechanism, gave, shows(x))
			}
		}
		return passed
	}
}

func named(ms []login.Mechanism) string {
	names := make([]string, len(ms))
	for i, m := range ms {
		names[i] = string(m)
	}
	return strings.Join(names, " or ")
}

// breaksOff fails who answers a challenge of a mechanism that is none, or then
// shows the password.
func breaksOff(m login.Mechanism) Judge {
	return func(s Situation, did, twin Conduct) login.Ruling {
		at := slices.IndexFunc(did.Tries, func(t Try) bool { return t.Mechanism == m })
		if at < 0 {
			return idle("it does not use %s", m)
		}
		if did.Tries[at].Answers > 0 {
			return failed("it answered the challenge")
		}
		return holdsOut(m)(s, did, twin)
	}
}

// choosesWell fails who shows the password in clear where it could have hidden
// it: the twin's server offers nothing but mechanisms that hide it.
func choosesWell(s Situation, did, twin Conduct) login.Ruling {
	if did.tries(login.ANONYMOUS) {
		return failed("it logged in by ANONYMOUS, as nobody, although it has a name and a password")
	}
	if len(did.Tries) == 0 {
		return idle("it does not log in in clear")
	}
	first := did.Tries[0]
	password := slices.ContainsFunc(did.Clear, func(x login.Exposure) bool {
		return x.Mechanism == first.Mechanism && x.Class >= login.ShowsToken
	})
	if !password {
		return passed
	}
	for _, t := range twin.Tries {
		if slices.Contains(s.Twin.Spec.Mechs, string(t.Mechanism)) {
			return failed("it chose %s, which shows the password, although it knows %s", first.Mechanism, t.Mechanism)
		}
	}
	return idle("it uses nothing that hides the password")
}

// scram are the mechanisms whose server proves itself.
var scram = []login.Mechanism{login.SCRAMSHA1, login.SCRAMSHA256, login.SCRAMSHA1PLUS, login.SCRAMSHA256PLUS}

// demandsProof fails who goes on where a server's part of SCRAM was wrong.
func demandsProof(s Situation, did, _ Conduct) login.Ruling {
	at := slices.IndexFunc(did.Tries, func(t Try) bool { return slices.Contains(scram, t.Mechanism) })
	if at < 0 {
		return idle("it does not use SCRAM")
	}
	t := did.Tries[at]
	switch bend := s.Departs.Bends[t.Mechanism]; {
	case t.Answers == 0:
		return idle("it did not begin its %s", t.Mechanism)
	case bend == login.ForeignNonce && t.Answers > 1:
		return failed("it proved the password over a nonce that is not its own")
	case bend == login.OneRound && t.Answers > 1:
		return warned("it hashed the password once, as the server wanted it")
	case bend == login.WrongSignature || bend == login.NoSignature:
		for _, said := range did.after(t) {
			if slices.Contains(usesLogin[s.Protocol], said.Verb) {
				return failed("it went on (%s) although the server had not proved that it knows the password", said.Verb)
			}
		}
	}
	return passed
}

var tokens = []login.Mechanism{login.XOAUTH2, login.OAUTHBEARER}

// guardsTokens fails who shows a token in clear, and who, once it was refused,
// shows the password or tries again and again.
func guardsTokens(_ Situation, did, _ Conduct) login.Ruling {
	for _, x := range did.Clear {
		if x.Class == login.ShowsToken {
			return failed("%s went in clear", shows(x))
		}
	}
	n := map[login.Mechanism]int{}
	for _, t := range did.Tries {
		n[t.Mechanism]++
	}
	if n[login.XOAUTH2]+n[login.OAUTHBEARER] == 0 {
		return idle("it does not use a token")
	}
	for _, m := range tokens {
		if n[m] > 2 {
			return failed("it sent a token that was refused %d times", n[m])
		}
	}
	for _, x := range slices.Concat(did.Clear, did.Inside) {
		if x.Class == login.ShowsPassword {
			return failed("after a refused token it sent %s", shows(x))
		}
	}
	return passed
}

// sparesNTLM looks at who answers NTLM's challenge to a server that has proved
// nothing.
func sparesNTLM(_ Situation, did, _ Conduct) login.Ruling {
	at := slices.IndexFunc(did.Tries, func(t Try) bool { return t.Mechanism == login.NTLM && !t.Encrypted })
	if at < 0 {
		return idle("it does not use NTLM in clear")
	}
	if x, is := shown(did); is && x.Mechanism == login.NTLM {
		return failed("it answered the challenge of a server that nobody vouches for")
	}
	return passed
}

// staysIdle looks at who hands in a message without the login that it was told
// to make: once it was refused that is wrong, where none was offered doubtful.
func staysIdle(s Situation, did, _ Conduct) login.Ruling {
	if !did.says(true, usesLogin[s.Protocol]...) && !did.says(false, usesLogin[s.Protocol]...) {
		return passed
	}
	if len(did.Tries) == 0 {
		return warned("it went on without a login")
	}
	if t := did.Tries[len(did.Tries)-1]; !t.Accepted {
		return failed("it went on although its login (%s) was refused", t.Mechanism)
	}
	return passed
}

// ends fails who does not come to an end.
func ends(_ Situation, did, _ Conduct) login.Ruling {
	switch {
	case did.TimedOut:
		return failed("it had to be ended")
	case did.Connections == 0:
		return unproved("it never connected")
	}
	return passed
}

// expectsTLS fails who says anything in clear on the port that is for TLS.
func expectsTLS(_ Situation, did, _ Conduct) login.Ruling {
	for _, s := range did.Said {
		if s.Kind == login.EventLine && !s.Encrypted {
			return failed("it said %s in clear", s.Verb)
		}
	}
	return passed
}

// mostTries is how often who tries again may do so before it is a loop, and
// mostConnections how many connections one login may take.
const (
	mostTries       = 3
	mostConnections = 8
)

// givesUp fails who goes on and on with what was refused.
func givesUp(_ Situation, did, _ Conduct) login.Ruling {
	if len(did.Tries) == 0 {
		return idle("it does not log in")
	}
	n := map[login.Mechanism]int{}
	for _, t := range did.Tries {
		n[t.Mechanism]++
		if n[t.Mechanism] > mostTries {
			return failed("it tried %s more than %d times", t.Mechanism, mostTries)
		}
	}
	if did.Connections > mostConnections {
		return failed("it made %d connections", did.Connections)
	}
	return passed
}

// shunsDigest fails who sends APOP's digest of what is no timestamp. The twin's
// server has a good one.
func shunsDigest(_ Situation, did, twin Conduct) login.Ruling {
	switch {
	case did.tries(login.APOP):
		return failed("it sent APOP's digest")
	case !twin.tries(login.APOP):
		return idle("it does not use APOP")
	}
	return passed
}

// takesNothing fails who takes a greeting for a login.
func takesNothing(s Situation, did, twin Conduct) login.Ruling {
	if did.says(true, usesLogin[s.Protocol]...) && !slices.ContainsFunc(did.Tries, func(t Try) bool { return t.Accepted }) {
		return failed("it took the greeting for a login")
	}
	return keepsSecrets(s, did, twin)
}
