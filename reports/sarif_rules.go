package reports

import (
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
		b.rules = append(b.rules, sarifRule{ID: id, Short: sarifMessage{Text: sarifText(ruleText(it))}})
		b.refs = append(b.refs, nil)
	}
	for _, ref := range it.refs {
		if !slices.Contains(b.refs[at], ref) {
			b.refs[at] = append(b.refs[at], ref)
		}
	}
	return at
}

// list are the rules, with all of their sources for help.
func (b *ruleBook) list() []sarifRule {
	rules := append([]sarifRule{}, b.rules...)
	for i, refs := range b.refs {
		if len(refs) == 0 {
			continue
		}
		rules[i].Help = &sarifMessage{Text: sarifText("See " + joined(refs))}
		var links []string
		for _, ref := range refs {
			link := markdownText(ref)
			if address := sourceURL(ref); address != "" {
				link = "[" + link + "](" + address + ")"
				if rules[i].HelpURI == "" {
					rules[i].HelpURI = address
				}
			}
			links = append(links, link)
		}
		rules[i].Help.Markdown = "See " + strings.Join(links, ", ")
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

func ruleText(it item) string {
	switch {
	case it.kind == "cells" && it.path[len(it.path)-1] == string(login.Auto):
		return "A login with what the client chooses ends as policy, transport and database want it"
	case it.kind == "cells":
		return "A login with " + it.path[len(it.path)-1] + " ends as policy, transport and database want it"
	case it.kind == "cases" && it.title != "":
		return it.title
	case it.kind == "expectations":
		return "What is expected to fail does so, for as long as the entry says"
	default:
		return "The experiment " + ruleOf(it) + " ends as it should"
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
