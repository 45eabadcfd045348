package reach

import (
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios"
)

// What can be wrong at a stage, besides what [login] has words for.
const (
	noAddress   = "no-address"
	noAnswer    = "timeout"
	failed      = "failed"
	refused     = "refused"
	unreachable = "unreachable"
	badSource   = "source"
	badProxy    = "proxy"
	stopped     = login.ConnectStopped
	unfinished  = "unfinished"
	silent      = "silent"
	notMail     = "not-mail"
	turnedAway  = "turned-away"
	closed      = "closed"
	speaksTLS   = "speaks-tls"
	speaksClear = "speaks-clear"
	notOffered  = "not-offered"
	dropped     = "dropped"
	injected    = "injected"
	none        = login.AuthNone
)

// endless is what [unfinished] is where it is the server that does not come to an
// end: the same word, for which there is another sentence.
const endless = "endless"

// explanations say what a status means to who runs the server, and what to do.
// {host}, {port}, {protocol}, {hello} and {start} are the door's.
var explanations = map[login.Stage]map[string]string{
	login.StageDNS: {
		noAddress:  "{host} has no address of this kind: check the spelling, and that the name has an A or AAAA record",
		noAnswer:   "the DNS did not answer for {host} in time: check the resolver of this machine, or name the address with --resolve",
		failed:     "the DNS cannot answer for {host}: check the zone and its name servers",
		unfinished: "there was no time left to look up {host}: give the check a longer --deadline",
	},
	login.StageConnect: {
		refused:     "nothing listens on port {port}: start the service there, or take the port out of what clients are told",
		noAnswer:    "port {port} does not answer: a firewall drops the connection, or the machine is down",
		unreachable: "there is no way from here to {host}: check the route, and that this machine has an address of that family",
		failed:      "no connection to port {port} came about",
		badSource:   "the connection cannot come from the address given with --source: give one that this machine has, of the same family as the server's",
		badProxy:    "the proxy did not make the connection, so nothing is known of the server: check --proxy",
		stopped:     "the server showed that it has had enough, so this door was left alone: check again later",
		unfinished:  "there was no time left for this door: give the check a longer --deadline",
	},
	login.StageBanner: {
		silent:     "port {port} takes the connection and says nothing: the service behind it hangs, or waits for something before it greets",
		notMail:    "what listens on port {port} does not speak {protocol}: check which service is configured there",
		turnedAway: "the server on port {port} turns us away when we come: it is too busy, or has blocked this address",
		closed:     "the server on port {port} hangs up without a word: it may allow only certain addresses, or the service behind it fails",
		speaksTLS:  "port {port} speaks TLS from the first octet, where clients expect to begin in clear: serve it in clear with {start}, or on the port for TLS",
		endless:    "port {port} begins to speak and does not end its line: the service behind it hangs, or is no mail server",
		unfinished: "there was no time left to wait for a greeting: give the check a longer --deadline",
	},
	login.StageHello:    aboutHello,
	login.StageHelloTLS: aboutHello,
	login.StageStartTLS: {
		notOffered: "port {port} offers no {start}, so everything said there can be read on the way: load a certificate and switch TLS on",
		refused:    "the server offers {start} and then refuses it, so clients that insist on TLS cannot come in: look into its log, often it cannot read its certificate or key",
		dropped:    "the server offers {start} and hangs up when asked for it: look into its log, often it cannot read its certificate or key",
		silent:     "the server offers {start} and then does not answer it: something on the way may swallow the command",
		notMail:    "the answer to {start} is none of {protocol}: something between us and the server alters what is said",
		injected:   "more than the answer to {start} came in clear before TLS: somebody on the way puts words into the server's mouth, or the server pipelines (CVE-2011-0411)",
		noAnswer:   "no answer to {start} came in the time that a look may take: look into the server's log for what it waits for",
		endless:    "the answer to {start} begins and does not end: the service behind it hangs",
		unfinished: "there was no time left to ask for TLS: give the check a longer --deadline",
	},
	login.StageHandshake: {
		failed:      "TLS does not come about: the server may take only versions older than 1.2, share no cipher with us, or lack its certificate",
		silent:      "the server says it is ready for TLS and then does not answer: the service behind it hangs",
		closed:      "the server hangs up in the middle of the TLS handshake: look into its log, often it has no certificate that fits its key",
		speaksClear: "port {port} speaks in clear, where clients expect TLS from the first octet: switch implicit TLS on for this port",
		noAnswer:    "TLS does not come about in the time that a look may take: look into the server's log for what it waits for",
		endless:     "the TLS handshake begins and does not end: the service behind it hangs, or something on the way holds back what it says",
		unfinished:  "there was no time left for the TLS handshake: give the check a longer --deadline",
	},
	login.StageCertificate: {
		login.CertificateSelfSigned: "the certificate is signed by nobody but itself, so clients warn or refuse: get one from an authority that they know",
		login.CertificateUnknown:    "the certificate does not lead to an authority that is known here, so clients warn or refuse: send the whole chain, or get one from an authority that they know",
		login.CertificateIncomplete: "the server leaves out an intermediate certificate, so many clients refuse it: send the whole chain",
		login.CertificateExpired:    "the certificate is out of its time, so clients refuse it: renew it, and have the server load the new one",
		login.CertificateNotYet:     "the certificate is not valid yet, so clients refuse it: check the clocks, or have the server load one that is",
		login.CertificateOtherName:  "the certificate is not for {host}, so clients that are told that name refuse it: get one that names it, or tell clients a name that it has",
		unusable:                    "the certificate cannot be used as a server's: get another one",
	},
	login.StageAuth: {
		none: "no way to log in is offered here: right for a server that only takes mail in, wrong for one that users log in to",
	},
}

// Inside TLS it is the same question.
var aboutHello = map[string]string{
	refused:    "the server knows no EHLO, only HELO, so it can offer neither {start} nor a login: switch ESMTP on, also in a firewall that rewrites it",
	turnedAway: "the server refuses to be greeted, so nobody can go on from here: check which names and addresses it lets in",
	silent:     "the server greets and then does not answer {hello}: the service behind it hangs",
	notMail:    "the answer to {hello} is none of {protocol}: something between us and the server alters what is said, or the server is broken",
	closed:     "the server hangs up when asked what it offers: it may take us for a stranger, or the service behind it fails",
	noAnswer:   "no answer to {hello} came in the time that a look may take: look into the server's log for what it waits for",
	endless:    "the answer to {hello} begins and does not end: the service behind it hangs, or plays for time",
	unfinished: "there was no time left to ask what is offered: give the check a longer --deadline",
}

// explain says what a status means at the door. What the server said, or what
// more is known, comes behind it.
func explain(d Door, s login.Stage, status, detail string) string {
	hello := "CAPA"
	if d.Protocol == login.SMTP {
		hello = "EHLO"
	}
	said := strings.NewReplacer("{host}", d.Host, "{port}", strconv.Itoa(int(d.Port)), "{protocol}", strings.ToUpper(string(d.Protocol)),
		"{hello}", hello, "{start}", scenarios.StartCommand(d.Protocol)).Replace(explanations[s][status])
	if detail != "" {
		said += " (" + detail + ")"
	}
	return said
}
