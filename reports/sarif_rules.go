package reports

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// ruleBook collects the rules that the results break, in the order in which they
// come, and the sources of each.
type ruleBook struct {
	rules []sarifRule
	refs  [][]string
	at    map[string]int
}

// add notes the rule behind the result, and says where it stands.
func (b *ruleBook) add(it item) int {
	id := ruleOf(it)
	at, known := b.at[id]
	if !known {
		at = len(b.rules)
		b.at[id] = at
		short, full, page := ruleText(it)
		b.rules = append(b.rules, sarifRule{ID: id, Short: sarifMessage{Text: sarifText(short)},
			Full: sarifMessage{Text: sarifText(short + ". " + full)}, HelpURI: documents + page})
		b.refs = append(b.refs, nil)
	}
	for _, ref := range it.refs {
		if !slices.Contains(b.refs[at], ref) {
			b.refs[at] = append(b.refs[at], ref)
		}
	}
	return at
}

// documents is where what the program comes with can be read.
const documents = homepage + "/blob/main/docs/"

// list are the rules, each with help, which GitHub demands: all of its sources, or
// where there are none, the page about its kind.
func (b *ruleBook) list() []sarifRule {
	rules := append([]sarifRule{}, b.rules...)
	for i, refs := range b.refs {
		rule := &rules[i]
		if len(refs) == 0 {
			rule.Help = sarifMessage{Text: "See " + rule.HelpURI, Markdown: "See <" + rule.HelpURI + ">"}
			continue
		}
		rule.Help.Text = sarifText("See " + joined(refs))
		var links, addresses []string
		for _, ref := range refs {
			link := markdownText(ref)
			if address := sourceURL(ref); address != "" {
				link = "[" + link + "](" + address + ")"
				addresses = append(addresses, address)
			}
			links = append(links, link)
		}
		rule.HelpURI = append(addresses, rule.HelpURI)[0]
		rule.Help.Markdown = "See " + strings.Join(links, ", ")
	}
	return rules
}

// ruleOf is the rule that a result is about: a compliance case, the mechanism of a
// cell, the topic of a scenario.
func ruleOf(it item) string {
	switch it.kind {
	case "cells":
		return "login/" + ascii(login.Mechanism(it.path[len(it.path)-1]).Segment())
	case "cases":
		id, _, _ := strings.Cut(it.id, "@")
		return ascii(id)
	default:
		return ascii(strings.Join(it.path[:min(len(it.path), 3)], "/"))
	}
}

// ruleText is what the rule demands, what that is about, and the page that says
// more.
func ruleText(it item) (short, full, page string) {
	topic, known := topicTexts[ruleOf(it)]
	if !known {
		topic = ruleOf(it) + " ends as it should"
	}
	switch it.kind {
	case "cells":
		with := it.path[len(it.path)-1]
		if with == string(login.Auto) {
			with = "what the client chooses"
		}
		return "A login with " + with + " ends as policy, transport and database want it",
			"Whom they keep out does not get in, whom they let in does, and who listens reads no more than must be.", "concepts.md"
	case "cases":
		verb, whom := "advised", "servers"
		if it.level == login.Must {
			verb = "required"
		}
		if it.client {
			whom = "clients"
		}
		return cmp.Or(it.title, topic), "This is " + verb + " of " + whom + ".", "compliance.md"
	case "expectations":
		return topic, "The file of expectations excuses what is known to fail, and is wrong itself where that does not hold.", "expect.md"
	case login.KindDoor:
		return topic, "A door is an address and port at which the server in service takes logins or mail.", "check.md"
	default:
		return topic, "An experiment shows it, with a server that is put into the state that it needs.", "concepts.md"
	}
}

var (
	rfcRef = regexp.MustCompile(`^RFC (\d+)(?: (\d+(?:\.\d+)*|[A-Z](?:\.\d+)*))?$`)
	cveRef = regexp.MustCompile(`^CVE-\d+-\d+$`)
)

// sourceURL is where a source can be read, "" where nobody can say.
func sourceURL(ref string) string {
	if m := rfcRef.FindStringSubmatch(ref); m != nil {
		address := "https://www.rfc-editor.org/rfc/rfc" + m[1]
		switch {
		case m[2] == "":
		case m[2][0] >= 'A':
			address += "#appendix-" + m[2]
		default:
			address += "#section-" + m[2]
		}
		return address
	}
	if cveRef.MatchString(ref) {
		return "https://www.cve.org/CVERecord?id=" + ref
	}
	return ""
}
