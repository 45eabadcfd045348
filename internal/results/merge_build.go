package results

import (
	"cmp"
	"maps"
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// builder collects the results of several reports with what was said in them,
// and makes one table of all lines in the end.
type builder struct {
	cells     []told[login.CellResult]
	scenarios []told[login.ScenarioResult]
	cases     []told[login.CaseResult]
	clients   []toldClient
}

// told is a result that has left its report.
type told[T any] struct {
	result T
	said   []string
	// place is where it has to stand, and from the file that it came from.
	place int
	from  string
}

// toldClient is a client, and the report that has its transcripts.
type toldClient struct {
	client login.ClientDescription
	from   *login.Report
}

// add takes in the results of a part, whose first target becomes this one.
func (b *builder) add(p *Part, target int) {
	r := &p.Report
	place := func(i int) int {
		if i < len(r.Order) {
			return r.Order[i]
		}
		return i
	}
	for i, c := range r.Cells {
		c.Target += target
		b.cells = append(b.cells, told[login.CellResult]{c, r.Transcript(c.Transcript), place(i), p.Name})
	}
	for i, s := range r.Scenarios {
		s.Target += target
		b.scenarios = append(b.scenarios, told[login.ScenarioResult]{s, r.Transcript(s.Transcript), place(len(r.Cells) + i), p.Name})
	}
	for i, c := range r.Cases {
		c.Target += target
		b.cases = append(b.cases, told[login.CaseResult]{c, r.Transcript(c.Transcript), place(len(r.Cells) + len(r.Scenarios) + i), p.Name})
	}
	for _, c := range r.Clients {
		known := slices.ContainsFunc(b.clients, func(k toldClient) bool { return k.client.Profile == c.Profile })
		if !known { // a client is the same whichever server is looked at
			b.clients = append(b.clients, toldClient{c, r})
		}
	}
}

// sort puts everything into its place.
func (b *builder) sort() {
	slices.SortStableFunc(b.cells, byPlace)
	slices.SortStableFunc(b.scenarios, byPlace)
	slices.SortStableFunc(b.cases, byPlace)
}

func byPlace[T any](x, y told[T]) int { return cmp.Compare(x.place, y.place) }

// fill puts the results into the report, their lines in the order in which a run
// keeps them: results as they come, then the clients' manners.
func (b *builder) fill(r *login.Report) {
	var table login.Lines
	for _, c := range b.cells {
		c.result.Transcript = table.Keep(c.said)
		r.Cells = append(r.Cells, c.result)
	}
	for _, s := range b.scenarios {
		s.result.Transcript = table.Keep(s.said)
		r.Scenarios = append(r.Scenarios, s.result)
	}
	for _, c := range b.cases {
		c.result.Transcript = table.Keep(c.said)
		r.Cases = append(r.Cases, c.result)
	}
	for _, c := range b.clients {
		r.Clients = append(r.Clients, c.keep(&table))
	}
	table.Fill(r)
}

// keep is the client with its transcripts in another table.
func (c toldClient) keep(table *login.Lines) login.ClientDescription {
	client := c.client
	client.Protocols = slices.Clone(client.Protocols)
	for i := range client.Protocols {
		m := &client.Protocols[i]
		m.Floors, m.Denials = maps.Clone(m.Floors), maps.Clone(m.Denials)
		for _, e := range login.Encryptions() {
			if floor, has := m.Floors[e]; has {
				floor.Transcript = table.Keep(c.from.Transcript(floor.Transcript))
				m.Floors[e] = floor
			}
		}
		for _, answer := range login.Denials(m.Protocol) {
			if denial, has := m.Denials[answer]; has {
				denial.Transcript = table.Keep(c.from.Transcript(denial.Transcript))
				m.Denials[answer] = denial
			}
		}
	}
	return client
}
