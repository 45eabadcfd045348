package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manPage is a command's page in roff, with the macros of man(7). It is
// written here and not by cobra/doc, which goes through Markdown, and for that
// through two more modules.
func manPage(c *cobra.Command) string {
	p := &roffPage{}
	p.macro("TH", strings.ToUpper(pageName(c)), "1", "", "mailmatrix "+version, "")
	p.line(".nh\n.ad l") // a mechanism's name must not be broken, nor a line stretched
	p.macro("SH", "NAME")
	p.line(pageName(c) + ` \- ` + roff(c.Short))
	p.macro("SH", "SYNOPSIS")
	p.macro("B", c.CommandPath())
	if len(verbsOf(c)) > 1 {
		p.macro("I", "COMMAND")
	}
	if words := strings.TrimSpace(strings.TrimPrefix(c.UseLine(), c.CommandPath())); words != "" {
		p.line(roff(words))
	}
	p.macro("SH", "DESCRIPTION")
	p.prose(cmp.Or(c.Long, c.Short))
	p.verbs(c)
	p.flags("OPTIONS", c.NonInheritedFlags())
	p.flags("INHERITED OPTIONS", c.InheritedFlags())
	if c.Example != "" {
		p.macro("SH", "EXAMPLES")
		p.verbatim(c.Example)
	}
	if !c.HasParent() {
		p.macro("SH", "EXIT STATUS")
		p.prose("0 everything as expected; 1 something failed; 2 nobody can say: interrupted, a control failed, bad input, nothing matched.")
	}
	p.seeAlso(c)
	return p.String()
}

// roffPage is a page in the making.
type roffPage struct{ strings.Builder }

func (p *roffPage) line(text string) { p.WriteString(text + "\n") }

// macro writes a request with its arguments in quotes: a heading can have
// blanks, and a synopsis too.
func (p *roffPage) macro(name string, arguments ...string) {
	p.WriteString("." + name)
	for _, a := range arguments {
		p.WriteString(` "` + strings.ReplaceAll(roff(a), `"`, `\(dq`) + `"`)
	}
	p.WriteString("\n")
}

// prose writes paragraphs. One that is indented, or holds a line that is, has
// been laid out by hand, and stays as it is.
func (p *roffPage) prose(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			p.macro("PP")
		}
		if strings.ContainsAny(paragraph[:min(1, len(paragraph))], " \t") || strings.Contains(paragraph, "\n ") || strings.Contains(paragraph, "\n\t") {
			p.verbatim(paragraph)
			continue
		}
		for line := range strings.Lines(paragraph) {
			p.line(roff(strings.TrimSpace(line)))
		}
	}
}

func (p *roffPage) verbatim(text string) {
	p.macro("nf")
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		p.line(roff(strings.TrimRight(line, "\n")))
	}
	p.macro("fi")
}

func (p *roffPage) verbs(c *cobra.Command) {
	below := verbsOf(c)[1:]
	if len(below) == 0 {
		return
	}
	p.macro("SH", "COMMANDS")
	for _, sub := range below {
		if sub.Parent() == c {
			p.macro("TP")
			p.macro("B", sub.Name())
			p.line(roff(sub.Short))
		}
	}
}

func (p *roffPage) flags(heading string, set *pflag.FlagSet) {
	first := true
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if first {
			p.macro("SH", heading)
			first = false
		}
		what, usage := pflag.UnquoteUsage(f)
		name := `\fB` + roff("--"+f.Name) + `\fR`
		if f.Shorthand != "" {
			name = `\fB` + roff("-"+f.Shorthand) + `\fR, ` + name
		}
		if what != "" {
			name += ` \fI` + roff(what) + `\fR`
		}
		p.macro("TP")
		p.line(name)
		p.line(roff(usage) + roff(defaultOf(f)))
	})
}

// defaultOf is what a flag is when it is not given, unless that is nothing.
func defaultOf(f *pflag.Flag) string {
	switch f.DefValue {
	case "", "0", "[]", "false", "0s", "<nil>":
		return ""
	default:
		return fmt.Sprintf(" (default %s)", f.DefValue)
	}
}

func (p *roffPage) seeAlso(c *cobra.Command) {
	var names []string
	if c.HasParent() {
		names = append(names, pageName(c.Parent()))
	}
	for _, sub := range verbsOf(c)[1:] {
		if sub.Parent() == c {
			names = append(names, pageName(sub))
		}
	}
	if len(names) == 0 {
		return
	}
	p.macro("SH", "SEE ALSO")
	p.line(roff(strings.Join(names, "(1), ") + "(1)"))
}

// roff makes text harmless: a backslash begins an escape, a bare hyphen can
// become a typographic one that no shell understands, and a line that begins
// with a dot or an apostrophe is a request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "~", `\(ti`, "^", `\(ha`).Replace(text)
	text = strings.ReplaceAll(text, "\n.", "\n\\&.")
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
