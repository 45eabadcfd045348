package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/reports"
	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
	"github.com/mailmatrix/mailmatrix/server"
)

// referencePages are docs/reference: what can be looked up, and is made from
// the code that does it.
func referencePages() map[string]string {
	root := newRoot(terminal{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
	root.InitDefaultCompletionCmd()
	pages := map[string]string{
		"reference/index.md":       indexPage(root),
		"reference/exit-status.md": exitPage(root),
		"reference/formats.md":     formatsPage(),
		"reference/mechanisms.md":  mechanismsPage(),
		"reference/cases.md":       casesPage(),
	}
	for _, verb := range visible(root) {
		pages["reference/"+pageName(verb)+".md"] = verbPage(verb)
	}
	return pages
}

// visible are the commands right below one.
func visible(c *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(c.Commands()), func(sub *cobra.Command) bool { return !sub.IsAvailableCommand() })
}

func indexPage(root *cobra.Command) string {
	p := newPage("Reference")
	p.paragraph("All of this is made from the code, so it is what the program does. `mailmatrix VERB --help` says the same, and `mailmatrix man` makes manual pages of it.")
	p.heading(2, "Commands")
	var rows [][]string
	for _, verb := range visible(root) {
		rows = append(rows, []string{verbLink(verb), markdown(verb.Short)})
		for _, sub := range visible(verb) {
			rows = append(rows, []string{verbLink(sub), markdown(sub.Short)})
		}
	}
	p.table([]string{"command", "does"}, rows)
	p.heading(2, "What they speak of")
	p.paragraph("%s", strings.Join([]string{
		"- [Exit statuses and verdicts](exit-status.md)",
		"- [Formats](formats.md) of a report; [the schema of JSON](../result.schema.json)",
		"- [Mechanisms](mechanisms.md): each way of logging in, and which clients know it",
		"- [Cases](cases.md): what is required of servers and of clients",
		"- [Clients](../clients/index.md): what is known of each, how well, and from where",
	}, "\n"))
	return p.done()
}

// verbLink leads to a command's place: its own page, or a heading on that of
// the command above.
func verbLink(c *cobra.Command) string {
	words := strings.Fields(c.CommandPath())
	target := strings.Join(words[:2], "-") + ".md"
	if len(words) > 2 {
		target += "#" + pageName(c)
	}
	return fmt.Sprintf("[%s](%s)", code(c.CommandPath()), target)
}

// verbPage is a command with all below it.
func verbPage(c *cobra.Command) string {
	p := newPage(c.CommandPath())
	p.verb(c, 2)
	for _, sub := range visible(c) {
		p.heading(2, sub.CommandPath())
		p.verb(sub, 3)
	}
	return p.done()
}

func (p *markdownPage) verb(c *cobra.Command, level int) {
	p.laidOut(cmp.Or(c.Long, strings.ToUpper(c.Short[:1])+c.Short[1:]+"."))
	if c.Runnable() && len(visible(c)) == 0 {
		p.fence(c.UseLine())
	}
	var rows [][]string
	for _, sub := range visible(c) {
		rows = append(rows, []string{verbLink(sub), markdown(sub.Short)})
	}
	p.table([]string{"command", "does"}, rows)
	rows = nil
	c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		what, usage := pflag.UnquoteUsage(f)
		name := code(strings.TrimSpace("--" + f.Name + " " + what))
		if f.Shorthand != "" {
			name = code("-"+f.Shorthand) + ", " + name
		}
		rows = append(rows, []string{name, linked(usage + defaultOf(f))})
	})
	if len(rows) > 0 {
		p.heading(level, "Flags of "+c.CommandPath())
		p.table([]string{"flag", ""}, rows)
	}
	if c.Example != "" {
		p.heading(level, "Examples of "+c.CommandPath())
		p.fence(c.Example)
	}
}

func exitPage(root *cobra.Command) string {
	p := newPage("Exit statuses and verdicts")
	p.paragraph("0: everything as expected. 1: something failed. 2: nobody can say. The first of these that holds decides; what it comes to was found by asking the code.")
	pass := login.CellResult{Verdict: login.Pass}
	failed := []login.CellResult{pass, {Verdict: login.Fail}}
	var rows [][]string
	for _, row := range []struct {
		what   string
		report login.Report
	}{
		{"interrupted, whatever failed before", login.Report{Cells: failed}},
		{"a control failed or was not tried: what the run says proves nothing", login.Report{Complete: true, Cells: failed,
			Scenarios: []login.ScenarioResult{{ID: "scenario/control/x", Kind: login.KindControl, Verdict: login.Fail}}}},
		{"something failed", login.Report{Complete: true, Cells: failed}},
		{"an [excuse](../expect.md) does not hold: an unexpected pass, or its date has passed", login.Report{Complete: true, Cells: []login.CellResult{pass},
			Expectations: []login.ExcuseProblem{{}}}},
		{"an excuse matches nothing", login.Report{Complete: true, Cells: []login.CellResult{pass},
			Expectations: []login.ExcuseProblem{{Problem: login.ExcuseUnused}}}},
		{"something is broken: a fault of this program", login.Report{Complete: true, Cells: []login.CellResult{pass, {Verdict: login.Broken}}}},
		{"something was measured and not judged", login.Report{Complete: true, Cells: []login.CellResult{pass, {}}}},
		{"a case of level MUST came to no answer", login.Report{Complete: true, Cells: []login.CellResult{pass},
			Cases: []login.CaseResult{{Level: login.Must, Verdict: login.Skip, Why: login.WhyInconclusive}}}},
		{"a door that was named is silent", login.Report{Complete: true, Cells: []login.CellResult{pass},
			Targets: []login.TargetResult{{Doors: []login.DoorResult{{Address: "x", Found: login.FoundNamed}}}}}},
		{"everything was skipped, or nothing ran", login.Report{Complete: true, Cells: []login.CellResult{{Verdict: login.Skip}}}},
		{"there are warnings", login.Report{Complete: true, Cells: []login.CellResult{pass, {Verdict: login.Warn}}}},
		{"what failed is excused", login.Report{Complete: true, Cells: []login.CellResult{pass, {Verdict: login.Fail, Excused: "x"}}}},
		{"something was left out on purpose", login.Report{Complete: true, Cells: []login.CellResult{pass, {Verdict: login.Skip, Why: login.WhyOperator}}}},
		{"all passed", login.Report{Complete: true, Cells: []login.CellResult{pass}}},
	} {
		row.report.Count()
		rows = append(rows, []string{row.what, fmt.Sprint(row.report.ExitStatus())})
	}
	p.table([]string{"of `run` and `check`", "exit status"}, rows)
	p.paragraph("Bad input, a flag that nobody knows, and an output that cannot be written are 2, with one line on standard error. " +
		"With [`--fail-on`](../lab.md#in-continuous-integration) you decide what is 1; what leaves the question open is 2 as ever.")
	p.heading(2, "What a command says of its own")
	rows = nil
	for _, c := range verbsOf(root) {
		for paragraph := range strings.SplitSeq(c.Long, "\n\n") {
			if said, ok := strings.CutPrefix(paragraph, "Exit status: "); ok {
				rows = append(rows, []string{verbLink(c), markdown(said)})
			}
		}
	}
	p.table([]string{"command", "exit status"}, rows)
	p.heading(2, "Verdicts")
	p.table([]string{"verdict", "meaning"}, [][]string{
		{code(login.Pass.String()), "what is required happened"},
		{code(login.Warn.String()), "a SHOULD was not kept, or the right refusal has the wrong code"},
		{code(login.Fail.String()), "what must not happen did, or what must did not"},
		{code(login.Skip.String()), "not decided, and `why` says the reason"},
		{code(login.Broken.String()), "a fault of this program, and no statement about anybody else"},
		{code(login.Unjudged.String()), "measured or foretold, and nobody has judged it"},
	})
	p.paragraph("Outcome and verdict are different things: [the concepts](../concepts.md).")
	return p.done()
}

func formatsPage() string {
	p := newPage("Formats")
	p.paragraph("`--format NAME` prints one, `--output NAME=FILE` writes any number; `mailmatrix report convert` makes one of a saved report. [What each is like](../formats.md).")
	var rows [][]string
	for _, f := range reports.All() {
		wants := ""
		if f.Points {
			wants = "a file of `--policy` or `--expect` to point at"
		}
		rows = append(rows, []string{code(f.Name), code("." + f.Ext), linked(f.About), wants})
	}
	p.table([]string{"format", "file", "for", "wants"}, rows)
	return p.done()
}

func mechanismsPage() string {
	p := newPage("Mechanisms")
	p.paragraph("The ways of logging in that mailmatrix knows, in the order of its reports. *Insecure* is the document's word for those in which the password itself crosses the wire. [All of them side by side](../mechanisms.md).")
	for _, m := range mech.All() {
		p.heading(2, string(m.Name))
		class := "secure: the password itself does not cross the wire"
		if m.Insecure() {
			class = "insecure: the password itself crosses the wire"
		}
		rows := [][]string{{"class", class}, {"a listener in clear learns", markdown(m.Class.String())}}
		add := func(what, value string) {
			if value != "" {
				rows = append(rows, []string{what, markdown(value)})
			}
		}
		add("a guess costs", m.Compared.Cracking)
		add("a malicious server learns", m.Compared.Malicious)
		add("who stole the database", m.Compared.Stolen)
		add("the server proves itself", cmp.Or(m.Compared.Mutual, "no"))
		add("channel binding", cmp.Or(m.Compared.Binding, "no"))
		add("the client presents", presents[m.Presents])
		add("the client speaks first", yes(m.ClientFirst))
		add("only inside TLS", yes(m.NeedsTLS))
		add("protocols", strings.Join(texts(m.Protocols), ", "))
		var databases []string
		for _, d := range login.Databases() {
			if by := server.DatabaseChecks(d)[m.Name]; by != "" {
				databases = append(databases, fmt.Sprintf("%s (%s)", d, by))
			}
		}
		add("databases that check it", strings.Join(databases, ", "))
		add("defined in", strings.Join(m.Refs, ", ")+": "+m.Compared.Status)
		var who []string
		for _, c := range clients() {
			if slices.ContainsFunc(login.Protocols(), func(protocol login.Protocol) bool { return slices.Contains(c.Mechanisms(protocol), m.Name) }) {
				who = append(who, clientLink("../clients/", c))
			}
		}
		rows = append(rows, []string{"clients that know it", fmt.Sprintf("%d: %s", len(who), cmp.Or(strings.Join(who, ", "), "none"))})
		p.table([]string{"", ""}, rows)
	}
	return p.done()
}

var presents = map[login.Presents]string{
	login.PresentsPassword: "a password", login.PresentsToken: "a token", login.PresentsCertificate: "a client certificate",
	login.PresentsTicket: "a Kerberos ticket", login.PresentsNothing: "nothing",
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

// clientLink leads to the page of a client.
func clientLink(folder string, c clientsim.Profile) string {
	return fmt.Sprintf("[%s](%s%s.md)", c.Name, folder, c.Name)
}

func casesPage() string {
	p := newPage("Cases")
	servers, clients := compliance.All(), clientcases.All()
	p.paragraph("The compliance cases of release %s: %d for servers, %d for clients. [What they are](../compliance.md), [what proves that each can fail](../rfc-coverage.md). "+
		"`mailmatrix run --cases ID` runs one. The cost is what a case costs a server that does right, at most.", compliance.Release(), len(servers), len(clients))
	area, rows := "", [][]string(nil)
	head := []string{"case", "level", "requirement", "source", "cost"}
	next := func(to string) {
		if to == area {
			return
		}
		p.table(head, rows)
		if area, rows = to, nil; area != "" {
			p.heading(2, area)
		}
	}
	row := func(id string, level login.Level, title, says string, refs []string, cost string) {
		rows = append(rows, []string{code(id), string(level), "**" + markdown(title) + ".** " + markdown(says), markdown(strings.Join(refs, ", ")), cost})
	}
	for _, c := range servers {
		next(c.Area())
		row(c.ID, c.Level, c.Title, c.Says, c.Refs, c.Cost().String())
	}
	for _, c := range clients {
		next(c.Area())
		row(c.ID, c.Level, c.Title, c.Says, c.Refs, "of a client")
	}
	next("")
	return p.done()
}
