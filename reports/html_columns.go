package reports

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// pageReport is a report as the page holds it. Nothing is left out: the results
// are tables of columns, because tens of thousands of rows repeat few values,
// and a conversation that was had several times is there once.
type pageReport struct {
	login.Report // what it declares itself hides the field of that name

	Cells       table      `json:"cells"`
	Lacks       table      `json:"lacks"`
	Scenarios   table      `json:"scenarios"`
	Cases       table      `json:"cases"`
	Transcripts packedRows `json:"transcripts"`
	Conclusion  conclusion `json:"conclusion"`
	// Commands are what asks each target as it was asked, "" where nobody knows.
	Commands []string `json:"commands,omitempty"`
	// Explain are what foretells who is lost there under the policy that it was
	// judged by, or under a strict one.
	Explain []string `json:"explain,omitempty"`
	// Causes are what is wrong with servers in service, what does most harm first.
	Causes   []pageCause     `json:"causes"`
	Policies []pagePolicy    `json:"policies,omitempty"`
	History  []login.History `json:"history,omitempty"`
}

// pagePolicy is a policy that can be picked, with its maps as [login.Policy] has
// them.
type pagePolicy struct {
	Name   string                                               `json:"name"`
	About  string                                               `json:"about"`
	Common map[login.Mechanism]login.Setting                    `json:"common"`
	Own    map[login.Protocol]map[login.Mechanism]login.Setting `json:"own,omitempty"`
}

func pagePoliciesOf(named []NamedPolicy) []pagePolicy {
	var all []pagePolicy
	for _, p := range named {
		all = append(all, pagePolicy{p.Name, p.About, p.Policy.Common, p.Policy.Own})
	}
	return all
}

// conclusion is what the exit status says, so that the page says nothing else.
type conclusion struct {
	Status     int    `json:"status"`
	Incomplete string `json:"incomplete"` // why nobody can tell
}

func pageReportOf(r login.Report) pageReport {
	r = withoutNil(r)
	causes := pageCausesOf(&r)
	rows, kept := distinctRows(r.Transcripts, len(r.Lines))
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.ID == idOf(*c) { // the page makes it from the other columns
			c.ID = ""
		}
		moveRow(&c.Transcript, kept)
	}
	for i := range r.Scenarios {
		moveRow(&r.Scenarios[i].Transcript, kept)
	}
	for i := range r.Cases {
		moveRow(&r.Cases[i].Transcript, kept)
	}
	r.Clients = withRows(r.Clients, kept)
	commands, explain := commandsOf(&r)
	return pageReport{
		Report: r, Cells: tableOf(r.Cells), Lacks: tableOf(r.Lacks), Scenarios: tableOf(r.Scenarios), Cases: tableOf(r.Cases),
		Transcripts: packRows(rows), Conclusion: conclusion{r.ExitStatus(), incomplete(&r)}, Commands: commands, Explain: explain, Causes: causes,
	}
}

// commandsOf are the commands that check each target once more, as it was asked,
// and those that foretell who is lost there if its policy is kept. A run of the
// reference server is made anew cell by cell.
func commandsOf(r *login.Report) (check, explain []string) {
	check, explain = make([]string, len(r.Targets)), make([]string, len(r.Targets))
	for i := range r.Targets {
		t := &r.Targets[i]
		asked, known := r.AskedOf(i)
		options, safe := given(asked.Selection)
		doors := arguments(t)
		if !known || !safe || t.Effort == nil || !typed.MatchString(doors) {
			continue
		}
		check[i] = "mailmatrix check " + doors + joinOptions(options)
		policy := "rfc8314"
		if named := asked.Selection["policy"]; len(named) == 1 {
			policy = quoted(named[0])
		}
		explain[i] = "mailmatrix policy explain " + policy + " --on " + strings.ReplaceAll(doors, " ", ",") + joinOptions(waysOf(options))
	}
	return check, explain
}

// idOf is the ID that the other fields of a cell make.
func idOf(c login.CellResult) string {
	return login.Cell{
		Flavour: c.Flavour, Protocol: c.Protocol, Transport: c.Transport, Mechanism: c.Mechanism, Setting: c.Setting,
		Profile: c.ClientName(), Database: c.Database, Override: c.Override, Credential: c.Credential,
	}.ID()
}

// table is rows turned into columns.
type table struct {
	Rows    int               `json:"rows"`
	Columns map[string]column `json:"columns"`
}

// column is the distinct values and, for each row, which of them it has. No
// index means that all rows have the first.
type column struct {
	Values []json.RawMessage `json:"values"`
	Index  *packed           `json:"index,omitempty"`
}

// packed are small numbers, each of so many bits, the lowest first, in base64: a
// third of what they are as digits and commas.
type packed struct {
	Bits  int    `json:"bits"`
	Count int    `json:"count"`
	Data  string `json:"data"`
}

// packedRows are lists of numbers: how many are in each, and all of them.
type packedRows struct {
	Lengths packed `json:"lengths"`
	Items   packed `json:"items"`
}

// tableOf turns structs into columns named as in JSON.
func tableOf[T any](rows []T) table {
	t := table{len(rows), map[string]column{}}
	kind := reflect.TypeFor[T]()
	for f := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(f).Tag.Get("json"), ",")
		if name != "-" {
			t.Columns[name] = columnOf(len(rows), func(i int) any { return reflect.ValueOf(&rows[i]).Elem().Field(f).Interface() })
		}
	}
	return t
}

func columnOf(n int, value func(int) any) column {
	c, at := column{Values: []json.RawMessage{}}, make([]int, n)
	seen := map[string]int{}
	for i := range at {
		text, err := json.Marshal(value(i))
		if err != nil {
			panic(err) // every field of a report has a form in JSON
		}
		known, is := seen[string(text)]
		if !is {
			known = len(c.Values)
			seen[string(text)] = known
			c.Values = append(c.Values, text)
		}
		at[i] = known
	}
	if len(c.Values) > 1 {
		index := pack(at)
		c.Index = &index
	}
	return c
}

func pack(numbers []int) packed {
	largest := 0
	for _, n := range numbers {
		largest = max(largest, n)
	}
	p := packed{Bits: max(bits.Len(uint(largest)), 1), Count: len(numbers)} //nolint:gosec // an index is not negative
	data := make([]byte, (p.Bits*p.Count+7)/8)
	for i, n := range numbers {
		for bit := range p.Bits {
			at := i*p.Bits + bit
			data[at/8] |= byte(n>>bit&1) << (at % 8)
		}
	}
	p.Data = base64.StdEncoding.EncodeToString(data)
	return p
}

func packRows(rows [][]int) packedRows {
	lengths, items := make([]int, len(rows)), []int{}
	for i, row := range rows {
		lengths[i] = len(row)
		items = append(items, row...)
	}
	return packedRows{pack(lengths), pack(items)}
}

// distinctRows keeps each conversation once, and says where each went. An index
// that points beyond the lines is no line.
func distinctRows(all [][]int, lines int) (rows [][]int, kept []int) {
	seen := map[string]int{}
	for _, row := range all {
		row = slices.DeleteFunc(slices.Clone(row), func(line int) bool { return line < 0 || line >= lines })
		key := fmt.Sprint(row)
		at, is := seen[key]
		if !is {
			at = len(rows)
			seen[key] = at
			rows = append(rows, row)
		}
		kept = append(kept, at)
	}
	return rows, kept
}

// moveRow points to where the conversation is now. A report that was read from
// a file may point nowhere.
func moveRow(at **int, kept []int) {
	if *at == nil {
		return
	}
	if **at < 0 || **at >= len(kept) {
		*at = nil
		return
	}
	now := kept[**at]
	*at = &now
}

// withRows copies the clients, whose conversations have moved.
func withRows(clients []login.ClientDescription, kept []int) []login.ClientDescription {
	moved := make([]login.ClientDescription, len(clients))
	for i, c := range clients {
		protocols := make([]login.ClientManners, len(c.Protocols))
		for j, m := range c.Protocols {
			floors, denials := map[login.Encryption]login.Floor{}, map[string]login.Denial{}
			for e, floor := range m.Floors {
				moveRow(&floor.Transcript, kept)
				floors[e] = floor
			}
			for answer, denial := range m.Denials {
				moveRow(&denial.Transcript, kept)
				denials[answer] = denial
			}
			m.Floors, m.Denials = floors, denials
			protocols[j] = m
		}
		c.Protocols = protocols
		moved[i] = c
	}
	return moved
}
