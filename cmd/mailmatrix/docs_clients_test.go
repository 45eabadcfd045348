package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
)

// clientPages are docs/clients: what is known of each client, how well, and
// from where. They are made of the files themselves, because a source is of no
// use to the program, which therefore does not give it out.
func clientPages(t *testing.T) map[string]string {
	t.Helper()
	sins := knownSins(t)
	pages := map[string]string{"clients/index.md": clientsIndex()}
	for _, c := range clients() {
		pages["clients/"+c.Name+".md"] = clientPage(t, c, sins[c.Name])
	}
	return pages
}

func clientsIndex() string {
	p := newPage("Clients")
	p.paragraph("The mail programs and libraries that mailmatrix simulates, each with a page that says what is known of it and from where. " +
		"A fact is *observed* (recorded from the program), read in its *source*, said by its *vendor*, a *report* of somebody who ought to know, or *assumed*: our guess. " +
		"[How a client is written down](../profiles.md); [how to add one](../tutorials/adding-a-client.md).")
	var rows [][]string
	total := map[login.Confidence]int{}
	for _, c := range clients() {
		var speaks []string
		for _, protocol := range login.Protocols() {
			if len(c.Mechanisms(protocol)) > 0 {
				speaks = append(speaks, string(protocol))
			}
		}
		facts := c.FactsByConfidence()
		for confidence, n := range facts {
			total[confidence] += n
		}
		rows = append(rows, slices.Concat([]string{clientLink("", c), markdown(c.Title), markdown(c.Family), cmp.Or(markdown(c.Version), "several"), strings.Join(speaks, ", "),
			fmt.Sprint(len(c.Variants()))}, counted(facts)))
	}
	rows = append(rows, slices.Concat([]string{"all", "", "", "", "", ""}, counted(total)))
	p.table(slices.Concat([]string{"client", "title", "family", "version", "protocols", "settings states"}, texts(login.Confidences())), rows)
	p.paragraph("Not in the table: `probe`, our measuring device, which looks and then tries whatever it is asked to.")
	return p.done()
}

func counted(facts map[login.Confidence]int) []string {
	var cells []string
	for _, c := range login.Confidences() {
		cells = append(cells, fmt.Sprint(facts[c]))
	}
	return cells
}

func clientPage(t *testing.T, c clientsim.Profile, sins [][]string) string {
	t.Helper()
	name := filepath.Join("..", "..", "clientsim", "profiles", c.Name+".yaml")
	text := read(t, name)
	var file yaml.MapSlice
	if err := yaml.UnmarshalWithOptions([]byte(text), &file, yaml.UseOrderedMap()); err != nil {
		t.Fatal(err)
	}
	p := newPage(c.Title)
	p.paragraph("%s", markdown(introduction(text)))
	p.table([]string{"", ""}, [][]string{
		{"name in flags and IDs", code(c.Name)},
		{"family", markdown(c.Family)},
		{"facts are of version", cmp.Or(markdown(c.Version), "several")},
		{"known by", knownBy(c)},
		{"file", fmt.Sprintf("[%s.yaml](../../clientsim/profiles/%[1]s.yaml)", c.Name)},
	})
	p.logins(c)
	p.paragraph("A fact that is **assumed** is our guess. What a file does not say is [the default of the field](../profiles.md), where each is explained, too.")

	parts := map[string][]clientFact{}
	all := factsIn("", file)
	for _, f := range all {
		part, rest, _ := strings.Cut(f.path, ".")
		if part != "smtp" && part != "pop3" {
			part, rest = "", f.path
		}
		parts[part] = append(parts[part], clientFact{rest, f.value, f.confidence, f.source})
	}
	sum := 0
	for _, n := range c.FactsByConfidence() {
		sum += n
	}
	if sum != len(all) {
		t.Errorf("%s: %d facts are in the file, and %d on the page", c.Name, sum, len(all))
	}
	for _, part := range []struct{ name, title string }{{"smtp", "Over SMTP"}, {"pop3", "Over POP3"}, {"", "In both"}} {
		if len(parts[part.name]) > 0 {
			p.heading(2, part.title)
			p.facts(parts[part.name])
		}
	}
	p.states(t, c, file)
	if len(sins) > 0 {
		p.heading(2, "What it is known to do wrong")
		p.table([]string{"case", "settings", "verdict", "what", "the fact that says so"}, sins)
	}
	return p.done()
}

// logins is what the client can be set to, in short.
func (p *markdownPage) logins(c clientsim.Profile) {
	p.heading(2, "How it can log in")
	var rows [][]string
	for _, protocol := range login.Protocols() {
		if len(c.Mechanisms(protocol)) == 0 {
			rows = append(rows, []string{string(protocol), "does not speak it", "", ""})
			continue
		}
		can := strings.Join(texts(c.Transports(protocol)), ", ")
		if c.Opportunistic(protocol) {
			can += "; also \"if available\""
		}
		chooses := strings.Join(texts(c.Facts().Protocols[protocol].Chooses), ", ")
		rows = append(rows, []string{string(protocol), can, strings.Join(texts(c.Mechanisms(protocol)), ", "), cmp.Or(chooses, "none")})
	}
	p.table([]string{"protocol", "transports", "mechanisms", "as installed it chooses, in this order"}, rows)
}

// states are the client's settings states, with what each changes.
func (p *markdownPage) states(t *testing.T, c clientsim.Profile, file yaml.MapSlice) {
	t.Helper()
	variants, _ := file.ToMap()["variants"].(yaml.MapSlice)
	if len(variants) == 0 {
		return
	}
	p.heading(2, "Settings states")
	for _, v := range variants {
		changes, ok := v.Value.(yaml.MapSlice)
		if !ok {
			t.Fatalf("%s: the state %v says nothing", c.Name, v.Key)
		}
		p.heading(3, fmt.Sprintf("%s+%v", c.Name, v.Key))
		p.paragraph("%s. What is otherwise:", markdown(fmt.Sprint(changes.ToMap()["about"])))
		p.facts(factsIn("", changes))
	}
}

func (p *markdownPage) facts(facts []clientFact) {
	var rows [][]string
	for _, f := range facts {
		confidence := f.confidence
		if confidence == string(login.Assumed) {
			confidence = "**" + confidence + "**"
		}
		rows = append(rows, []string{code(f.path), f.value, confidence, markdown(f.source)})
	}
	p.table([]string{"fact", "value", "how well", "source"}, rows)
}

// clientFact is a fact on its way to the page; value is Markdown.
type clientFact struct{ path, value, confidence, source string }

// factsIn are the facts in a part of a file, in its order: what carries a
// confidence is one. In a settings state null takes one away.
func factsIn(path string, part yaml.MapSlice) []clientFact {
	var all []clientFact
	for _, entry := range part {
		at := fmt.Sprint(entry.Key)
		if path != "" {
			at = path + "." + at
		}
		below, ok := entry.Value.(yaml.MapSlice)
		switch {
		case at == "variants":
		case entry.Value == nil:
			all = append(all, clientFact{path: at, value: "(not so)"})
		case !ok: // name, title and the like
		case below.ToMap()["confidence"] != nil:
			all = append(all, factOf(at, below))
		default:
			all = append(all, factsIn(at, below)...)
		}
	}
	return all
}

func factOf(path string, said yaml.MapSlice) clientFact {
	f := clientFact{path: path}
	var details []string
	for _, s := range said {
		switch s.Key {
		case "confidence":
			f.confidence = fmt.Sprint(s.Value)
		case "source":
			f.source = fmt.Sprint(s.Value)
		case "value":
			details = append(details, flow(s.Value))
		default:
			details = append(details, fmt.Sprintf("%v: %s", s.Key, flow(s.Value)))
		}
	}
	f.value = "yes"
	if len(details) > 0 {
		f.value = code(strings.Join(details, ", "))
	}
	return f
}

// flow is a value as it would stand in one line of a file.
func flow(value any) string {
	switch v := value.(type) {
	case yaml.MapSlice:
		var parts []string
		for _, entry := range v {
			parts = append(parts, fmt.Sprintf("%v: %s", entry.Key, flow(entry.Value)))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		var parts []string
		for _, entry := range v {
			parts = append(parts, flow(entry))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}

// introduction is the remark at the head of a file.
func introduction(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		remark, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		words = append(words, strings.Fields(remark)...)
	}
	return strings.Join(words, " ")
}

// knownBy says how well the client is known, the best facts first.
func knownBy(c clientsim.Profile) string {
	facts, all := c.FactsByConfidence(), 0
	var parts []string
	for _, confidence := range login.Confidences() {
		if n := facts[confidence]; n > 0 {
			all += n
			parts = append(parts, fmt.Sprintf("%d %s", n, confidence))
		}
	}
	return fmt.Sprintf("%d facts: %s", all, strings.Join(parts, ", "))
}

// knownSins are the entries of scenarios/clientcases/known.yaml, as rows, by
// client.
func knownSins(t *testing.T) map[string][][]string {
	t.Helper()
	var entries []struct{ Pattern, Verdict, Reason, Source string }
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join("..", "..", "scenarios", "clientcases", "known.yaml"))), &entries); err != nil {
		t.Fatal(err)
	}
	titles := map[string]string{}
	for _, c := range clientcases.All() {
		titles[c.ID] = c.Title
	}
	sins := map[string][][]string{}
	for _, e := range entries {
		id, who, _ := strings.Cut(e.Pattern, "@")
		client, state, some := strings.Cut(who, "+")
		settings := "as installed"
		if some {
			settings = "others"
			if state != "*" {
				settings = code("+" + state)
			}
		}
		if titles[id] == "" {
			t.Errorf("known.yaml: %s is about no case", e.Pattern)
		}
		sins[client] = append(sins[client], []string{code(id) + " " + markdown(titles[id]), settings, e.Verdict, markdown(e.Reason), markdown(e.Source)})
	}
	return sins
}

func TestDocsFacts(t *testing.T) {
	var file yaml.MapSlice
	if err := yaml.UnmarshalWithOptions([]byte(`
name: x
smtp:
  transports: {tls: &t {confidence: source, source: a}, plain: *t}
  codes: {value: {"530": starttls, b: [c, d]}, confidence: assumed, source: e}
  mechanisms: {PLAIN: {looks: ehlo, confidence: vendor, source: f}}
pop3: {refused: null}
variants: {y: {smtp: {leaves: {value: quit, confidence: source, source: g}}}}
`), &file, yaml.UseOrderedMap()); err != nil {
		t.Fatal(err)
	}
	want := []clientFact{
		{"smtp.transports.tls", "yes", "source", "a"},
		{"smtp.transports.plain", "yes", "source", "a"},
		{"smtp.codes", "`{530: starttls, b: [c, d]}`", "assumed", "e"},
		{"smtp.mechanisms.PLAIN", "`looks: ehlo`", "vendor", "f"},
		{path: "pop3.refused", value: "(not so)"},
	}
	if got := factsIn("", file); !slices.Equal(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
}
