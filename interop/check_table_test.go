package interop

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/strictyaml"
)

// truthEntry is one entry of a table in testdata/check: what is true of some
// mechanisms at some doors. Words are parted by spaces.
type truthEntry struct {
	Doors string `yaml:"doors"`
	On    string `yaml:"on"`
	// Mechanisms are names, or "rest" for those that no other entry has there.
	Mechanisms string `yaml:"mechanisms"`
	Offered    *bool  `yaml:"offered"`
	Starts     *bool  `yaml:"starts"`
	Completes  *bool  `yaml:"completes"`
	// Why is said where one of them is null.
	Why string `yaml:"why,omitempty"`
}

// place is a row of a ledger.
type place struct {
	role      string
	transport login.Transport
	mechanism login.Mechanism
}

func (p place) String() string { return fmt.Sprintf("%s %s %s", p.role, p.transport, p.mechanism) }

// theRest are the mechanisms that no other entry has.
const theRest = "rest"

// readTable understands a table, which must have one entry for every row.
func readTable(file string, text []byte, doors []door) (map[place]truthEntry, error) {
	var entries []truthEntry
	if err := strictyaml.Decode(file, text, &entries); err != nil {
		return nil, err
	}
	table := map[place]truthEntry{}
	for _, rest := range []bool{false, true} {
		for i, e := range entries {
			if (e.Mechanisms == theRest) != rest {
				continue
			}
			places := e.places(doors, table)
			if len(places) == 0 {
				return nil, fmt.Errorf("%s: entry %d is about nothing", file, i+1)
			}
			if (e.Offered == nil || e.Starts == nil || e.Completes == nil) != (e.Why != "") {
				return nil, fmt.Errorf("%s: entry %d: why belongs to what is null, and to nothing else", file, i+1)
			}
			for _, p := range places {
				if _, twice := table[p]; twice {
					return nil, fmt.Errorf("%s: entry %d has %s, which another has", file, i+1, p)
				}
				table[p] = e
			}
		}
	}
	for _, d := range doors {
		for _, p := range rows(d) {
			if _, ok := table[p]; !ok {
				return nil, fmt.Errorf("%s: no entry has %s", file, p)
			}
		}
	}
	return table, nil
}

// places are the rows that the entry is about.
func (e truthEntry) places(doors []door, taken map[place]truthEntry) []place {
	roles, on, mechanisms := strings.Fields(e.Doors), strings.Fields(e.On), strings.Fields(e.Mechanisms)
	var all []place
	for _, d := range doors {
		for _, p := range rows(d) {
			_, other := taken[p]
			if slices.Contains(roles, p.role) && slices.Contains(on, string(p.transport)) &&
				(slices.Contains(mechanisms, string(p.mechanism)) || e.Mechanisms == theRest && !other) {
				all = append(all, p)
			}
		}
	}
	return all
}

// rows are all that a ledger has of a door.
func rows(d door) []place {
	var all []place
	for _, t := range d.transports() {
		for _, m := range mech.All() {
			if m.In(d.protocol) {
				all = append(all, place{d.role, t, m.Name})
			}
		}
	}
	return all
}

// disagreements says of each row of the ledger in which it is not as the table.
func disagreements(table map[place]truthEntry, doors []door, found []login.DoorResult) []string {
	var wrong []string
	got := map[place]login.MechanismResult{}
	for _, d := range doors {
		for _, f := range found {
			if f.Protocol != d.protocol || f.Port() != portOf(d.address) {
				continue
			}
			for _, tr := range f.Transports {
				for _, m := range tr.Mechanisms {
					got[place{d.role, tr.Transport, m.Mechanism}] = m
				}
			}
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(table), func(a, b place) int { return cmp.Compare(a.String(), b.String()) }) {
		want := table[p]
		m, ok := got[p]
		if !ok {
			wrong = append(wrong, p.String()+": the ledger has no row")
			continue
		}
		for _, c := range []struct {
			what      string
			got, want *bool
		}{{"offered", m.Offered, want.Offered}, {"starts", m.Starts, want.Starts}, {"completes", m.Completes, want.Completes}} {
			if yesNo(c.got) != yesNo(c.want) {
				wrong = append(wrong, fmt.Sprintf("%s: %s: %s, and by the table %s (evidence %q, reply %q)", p, c.what, yesNo(c.got),
					yesNo(c.want), m.Evidence, m.Reply))
			}
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(got), func(a, b place) int { return cmp.Compare(a.String(), b.String()) }) {
		if _, ok := table[p]; !ok {
			wrong = append(wrong, p.String()+": the table has no row")
		}
	}
	return wrong
}

func yesNo(b *bool) string {
	switch {
	case b == nil:
		return "null"
	case *b:
		return "true"
	default:
		return "false"
	}
}

// tableNames are those of all tables.
func tableNames() (names []string) {
	for _, s := range checkedServers {
		names = append(names, s.name)
		if s.name == "dovecot-b" {
			names = append(names, "dovecot-b-loopback")
		}
	}
	for _, s := range scriptedServers {
		names = append(names, s.name)
	}
	return names
}

// TestCheckTables: every table can be read, and is complete, without any server.
func TestCheckTables(t *testing.T) {
	names := tableNames()
	files, err := filepath.Glob(filepath.Join("testdata", "check", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(names) {
		t.Errorf("%d tables for %d servers", len(files), len(names))
	}
	for _, name := range names {
		doors := []door{{role: "submission", protocol: login.SMTP}, {role: "submissions", protocol: login.SMTP, implicit: true}}
		if strings.HasPrefix(name, "dovecot") {
			doors = append(doors, door{role: "pop3", protocol: login.POP3}, door{role: "pop3s", protocol: login.POP3, implicit: true})
		}
		for _, s := range scriptedServers {
			if s.name == name {
				doors = []door{s.door("")}
			}
		}
		file, text := tableOf(t, name)
		if _, err := readTable(file, text, doors); err != nil {
			t.Error(err)
		}
	}
}

// TestReadTableRefuses: a table that says nothing, or too much, is no truth.
func TestReadTableRefuses(t *testing.T) {
	doors := []door{{role: "submissions", protocol: login.SMTP, implicit: true}}
	const all = "- {doors: submissions, on: tls, mechanisms: rest, offered: true, starts: true, completes: true}\n"
	for _, tt := range []struct{ name, text, want, why string }{
		{"whole", all, "", "the control"},
		{"gap", strings.Replace(all, "rest", "PLAIN", 1), "no entry has", "a row that nobody wrote down is not compared"},
		{"twice", all + strings.Replace(all, "rest", "PLAIN", 1) + strings.Replace(all, "rest", "PLAIN", 1), "which another has",
			"the two may differ"},
		{"nothing", all + strings.Replace(all, "rest", "PLIAN", 1), "about nothing", "a slip of the pen"},
		{"null", strings.Replace(all, "offered: true", "offered: null", 1), "why", "nobody may give up without a reason"},
		{"key", strings.Replace(all, "offered", "ofered", 1), "ofered", "a slip of the pen"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readTable("it.yaml", []byte(tt.text), doors)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q: %s", err, tt.want, tt.why)
			}
		})
	}
}

// TestCompare: a ledger that is wrong in one place is found wrong in that one.
func TestCompare(t *testing.T) {
	d := door{role: "submissions", protocol: login.SMTP, implicit: true, address: "192.0.2.1:465"}
	table, err := readTable("it.yaml",
		[]byte("- {doors: submissions, on: tls, mechanisms: rest, offered: true, starts: true, completes: null, why: no ticket}"), []door{d})
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	result := login.DoorResult{Protocol: login.SMTP, Address: d.address, Transports: []login.TransportResult{{Transport: login.TLS}}}
	on := &result.Transports[0]
	for _, p := range rows(d) {
		on.Mechanisms = append(on.Mechanisms, login.MechanismResult{Mechanism: p.mechanism, Offered: &yes, Starts: &yes})
	}
	if wrong := disagreements(table, []door{d}, []login.DoorResult{result}); wrong != nil {
		t.Errorf("a right ledger: %v", wrong)
	}
	on.Mechanisms[3].Completes = &yes
	if wrong := disagreements(table, []door{d}, []login.DoorResult{result}); len(wrong) != 1 || !strings.Contains(wrong[0], "completes: true") {
		t.Errorf("a guess: %v", wrong)
	}
	on.Mechanisms = on.Mechanisms[1:]
	if wrong := disagreements(table, []door{d}, []login.DoorResult{result}); len(wrong) != 2 {
		t.Errorf("a gap: %v", wrong)
	}
}
