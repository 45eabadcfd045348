package harness

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// Machine is what a client's machine is called, which some clients say in
// EHLO. In records it is the recordings' machine.
type Machine struct {
	Names     []string // with and without a domain
	Addresses []string // as in an address literal, without the brackets
}

// recordedLiteral is the address literal of the recordings' machine.
const recordedLiteral = "[127.0.0.1]"

// translation puts the recordings' names into what a client has said, so that
// records of different runs can be compared and none holds our password.
type translation struct {
	account string
	names   *strings.Replacer
	secret  *wire.Searcher
	machine Machine
}

func newTranslation(account, password string, m Machine) translation {
	own, _, _ := strings.Cut(account, "@")
	theirs, _, _ := strings.Cut(recording.Account, "@")
	return translation{
		account: account,
		// The first that fits is taken: the whole address before its first part.
		names:   strings.NewReplacer(account, recording.Account, own, theirs, password, recording.Password),
		secret:  wire.NewSearcher(wire.Needle{Name: "password", Text: password}),
		machine: m,
	}
}

// events are those of this sitting, in the recordings' names.
func (t translation) events(all []login.Event, accounts []string) []login.Event {
	ours := t.own(all, accounts)
	for i, e := range ours {
		if e.Kind == login.EventLine {
			ours[i].Text = t.line(e.Text)
		}
	}
	return ours
}

// own are those of this sitting. A connection that names the account of another
// one belongs to a client that came late, and is left out.
func (t translation) own(all []login.Event, accounts []string) []login.Event {
	late := map[int]bool{}
	for _, e := range all {
		if e.Kind == login.EventLine && t.ofAnother(e.Text, accounts) {
			late[e.Connection] = true
		}
	}
	numbers := map[int]int{} // connections count from 1 without a gap
	var ours []login.Event
	for _, e := range all {
		if late[e.Connection] {
			continue
		}
		if numbers[e.Connection] == 0 {
			numbers[e.Connection] = len(numbers) + 1
		}
		e.Connection = numbers[e.Connection]
		ours = append(ours, e)
	}
	return ours
}

func (t translation) ofAnother(line string, accounts []string) bool {
	return slices.ContainsFunc(accounts, func(account string) bool {
		return account != t.account && len(wire.NewSearcher(wire.Needle{Name: "account", Text: account}).Find([]byte(line))) > 0
	})
}

// line is what the recordings' account would have said, on their machine. What
// holds the secret in a form that nobody foresaw is left out.
func (t translation) line(text string) string {
	text = t.translated(text)
	if len(t.secret.Find([]byte(text))) == 0 {
		return text
	}
	verb, _, has := strings.Cut(text, " ")
	if !has || len(t.secret.Find([]byte(verb))) > 0 { // an answer to a challenge has no verb
		return "<secret>"
	}
	return verb + " <secret>"
}

func (t translation) translated(text string) string {
	verb, rest, has := strings.Cut(text, " ")
	if has && (strings.EqualFold(verb, "EHLO") || strings.EqualFold(verb, "HELO")) {
		return verb + " " + t.hello(rest)
	}
	head, word := "", text
	if i := strings.LastIndexByte(text, ' '); i >= 0 {
		head, word = text[:i+1], text[i+1:]
	}
	// NTLM's messages have lengths in them, and never the password.
	if message, err := base64.StdEncoding.DecodeString(word); err == nil && !strings.HasPrefix(string(message), "NTLMSSP") {
		if translated := t.names.Replace(string(message)); translated != string(message) {
			text = head + base64.StdEncoding.EncodeToString([]byte(translated))
		}
	}
	return t.names.Replace(text)
}

func (t translation) hello(name string) string {
	isName := func(own string) bool { return strings.EqualFold(own, name) && !strings.EqualFold(own, "localhost") }
	isLiteral := func(own string) bool { return name == "["+own+"]" || name == "[IPv6:"+own+"]" }
	switch {
	case slices.ContainsFunc(t.machine.Names, isName):
		return recording.Machine
	case slices.ContainsFunc(t.machine.Addresses, isLiteral):
		return recordedLiteral
	default:
		return name
	}
}

// hidePassword takes the recordings' password out of a line that somebody
// looks at: it stands for one that is a secret.
var hidePassword = strings.NewReplacer(recording.Password, "<password>",
	base64.StdEncoding.EncodeToString([]byte(recording.Password)), "<password>")
