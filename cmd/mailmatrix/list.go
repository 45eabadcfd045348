package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/reports"
	"github.com/mailmatrix/mailmatrix/scenarios"
	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
	"github.com/mailmatrix/mailmatrix/scenarios/script"
	"github.com/mailmatrix/mailmatrix/server"
)

// item is one line of a list. Fields that a list does not have are left out
// of its JSON.
type item struct {
	ID         string           `json:"id"`
	Title      string           `json:"title,omitempty"`
	Class      string           `json:"class,omitempty"`
	Kind       string           `json:"kind,omitempty"`
	Variants   *[]string        `json:"variants,omitempty"`
	Protocols  []login.Protocol `json:"protocols,omitempty"`
	Confidence login.Confidence `json:"confidence,omitempty"`
	// Facts counts those of a profile by their confidence.
	Facts map[login.Confidence]int `json:"facts,omitempty"`
	Refs  []string                 `json:"refs,omitempty"`
	// Level, Area and Cost are those of a compliance case.
	Level login.Level  `json:"level,omitempty"`
	Area  string       `json:"area,omitempty"`
	Cost  *script.Cost `json:"cost,omitempty"`
	// Checks is what a database checks each mechanism's logins by.
	Checks map[login.Mechanism]string `json:"checks,omitempty"`
}

// lists are what there is to be listed, in the order of the help.
var lists = []struct {
	name  string
	items func() []item
	write func(io.Writer, []item) error
}{
	{"profiles", listProfiles, writeItems},
	{"mechanisms", listMechanisms, writeItems},
	{"databases", listDatabases, writeDatabases},
	{"scenarios", listScenarios, writeItems},
	{"cases", listCases, writeCases},
	{"formats", listFormats, writeItems},
	{"mutants", listMutants, writeItems},
}

func newList(t terminal) *cobra.Command {
	var format string
	names := make([]string, len(lists))
	for i, l := range lists {
		names[i] = l.name
	}
	c := &cobra.Command{
		Use:   "list " + strings.Join(names, "|"),
		Short: "list what there is",
		Example: `  mailmatrix list profiles
  mailmatrix list mechanisms --format json`,
		ValidArgs: names,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("list what? one of %s", strings.Join(names, ", "))
			}
			_, err := login.ParseName("list", args[0], names)
			return err
		},
		RunE: func(_ *cobra.Command, args []string) error {
			form, err := login.ParseName("format", format, []string{"text", "json"})
			if err != nil {
				return err
			}
			for _, l := range lists {
				if !strings.EqualFold(l.name, args[0]) {
					continue
				}
				if form == "json" {
					return writeJSON(t.Out, l.items())
				}
				return l.write(t.Out, l.items())
			}
			return nil
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text or json")
	return c
}

func writeItems(w io.Writer, items []item) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, i := range items {
		var more []string
		for _, m := range append([]string{i.Title, i.Class, i.Kind}, i.Refs...) {
			if m != "" {
				more = append(more, m)
			}
		}
		if len(i.Protocols) > 0 {
			more = append(more, strings.Join(texts(i.Protocols), "+"))
		}
		if i.Confidence != "" {
			more = append(more, "weakest fact "+string(i.Confidence))
		}
		if i.Variants != nil && len(*i.Variants) > 0 {
			more = append(more, "also +"+strings.Join(*i.Variants, " +"))
		}
		if _, err := fmt.Fprintf(tab, "%s\t%s\n", i.ID, strings.Join(more, ", ")); err != nil {
			return err
		}
	}
	return tab.Flush()
}

func listProfiles() []item {
	var items []item
	for _, p := range clientsim.All() {
		variants := []string{}
		for _, v := range p.Variants() {
			variants = append(variants, v.Variant)
		}
		i := item{ID: p.Name, Title: p.Title, Variants: &variants, Facts: p.FactsByConfidence()}
		for _, protocol := range login.Protocols() {
			if len(p.Mechanisms(protocol)) == 0 {
				continue
			}
			i.Protocols = append(i.Protocols, protocol)
			for _, t := range p.Transports(protocol) {
				for _, m := range p.Mechanisms(protocol) {
					i.Confidence = login.Weakest(i.Confidence, p.Confidence(protocol, m, t))
				}
			}
		}
		items = append(items, i)
	}
	return items
}

func listMechanisms() []item {
	var items []item
	for _, m := range mech.All() {
		class := "secure" // the document's word: the password itself does not cross the wire
		if m.Insecure() {
			class = "insecure"
		}
		items = append(items, item{ID: string(m.Name), Class: class, Protocols: m.Protocols, Refs: m.Refs})
	}
	return items
}

// listDatabases says for each database which mechanisms it can check, and by
// what.
func listDatabases() []item {
	about := map[login.Database]string{
		login.WinGate:   "the server's own: passwords can be recovered, NTLM is not available",
		login.NT:        "the operating system's: checks a plaintext password or an NTLM response, nothing else",
		login.Full:      "everything there is",
		login.SCRAMKeys: "SCRAM keys in place of passwords",
	}
	var items []item
	for _, d := range login.Databases() {
		i := item{ID: string(d), Title: about[d], Checks: map[login.Mechanism]string{}}
		for m, by := range server.DatabaseChecks(d) {
			i.Checks[m] = string(by)
		}
		items = append(items, i)
	}
	return items
}

// writeDatabases is a table: mechanisms down, databases across.
func writeDatabases(w io.Writer, items []item) error {
	if err := writeItems(w, items); err != nil {
		return err
	}
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprint(tab, "\nwhat checks a login")
	for _, d := range items {
		_, _ = fmt.Fprintf(tab, "\t%s", d.ID)
	}
	for _, m := range mech.Names() {
		_, _ = fmt.Fprintf(tab, "\n%s", m)
		for _, d := range items {
			_, _ = fmt.Fprintf(tab, "\t%s", cmp.Or(d.Checks[m], "-"))
		}
	}
	_, _ = fmt.Fprint(tab, "\n\nnt has SCRAM, APOP and CRAM-MD5 over POP3 where an account has an override password.\n"+
		"GSSAPI is never there in flavour classic; the -PLUS forms and EXTERNAL exist inside TLS alone.\n")
	return tab.Flush()
}

func listScenarios() []item {
	var items []item
	for _, s := range scenarios.All(clientsim.All()) {
		items = append(items, item{ID: s.ID, Kind: s.Kind, Refs: s.Refs})
	}
	return items
}

func listCases() []item {
	var items []item
	for _, c := range compliance.All() {
		cost := c.Cost()
		items = append(items, item{ID: c.ID, Title: c.Title, Level: c.Level, Area: c.Area(), Cost: &cost, Refs: c.Refs})
	}
	for _, c := range clientcases.All() {
		items = append(items, item{ID: c.ID, Title: c.Title, Level: c.Level, Area: c.Area(), Refs: c.Refs})
	}
	return items
}

// writeCases is a table, with what each case costs its server at most; a
// clients' case costs none anything.
func writeCases(w io.Writer, items []item) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	free, clients := 0, 0
	for _, c := range items {
		cost := "of a client"
		if c.Cost == nil {
			clients++
		} else {
			cost = c.Cost.String()
			if c.Cost.Free() {
				free++
			}
		}
		_, _ = fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\n", c.ID, c.Level, c.Title, strings.Join(c.Refs, ", "), cost)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d cases of a server, %d of which cost it nothing but a few connections and time (cost=0), and %d of clients\n",
		len(items)-clients, free, clients)
	return err
}

func listFormats() []item {
	var items []item
	for _, f := range reports.All() {
		items = append(items, item{ID: f.Name, Title: f.About})
	}
	return items
}

func listMutants() []item {
	var items []item
	for _, b := range server.Bugs() {
		items = append(items, item{ID: string(b.Name), Title: b.What})
	}
	return items
}

func formatNames() string {
	var names []string
	for _, f := range reports.All() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
