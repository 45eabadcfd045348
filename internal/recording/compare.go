package recording

import (
	"fmt"
	"slices"
	"strings"
)

// Field is what two records are compared by.
type Field string

const (
	Attempts Field = "attempts" // which logins it tries, how, and what comes of them
	Commands Field = "commands" // what it says, line for line
	Exposure Field = "exposure" // what of it is readable in clear
	Outcome  Field = "outcome"  // what became of the run
)

// Difference is one in which two records differ. At says where, such as "ok"
// or, in a list, the first entry that differs: "commands[3]". What one has not
// is "(none)".
type Difference struct {
	Field     Field  `json:"field"`
	At        string `json:"at"`
	Recorded  string `json:"recorded"`
	Simulated string `json:"simulated"`
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: recorded %s, simulated %s", d.At, d.Recorded, d.Simulated)
}

// Compare says where a simulated run departs from the recorded one. It looks
// at what the client decided: not at the versions, the exit status, the words
// of a TLS failure or the number of steps, which are the server's.
func Compare(recorded, simulated Record) []Difference {
	c := comparison{}
	c.list(Attempts, "attempts", texts(recorded.Attempts, Attempt.compared), texts(simulated.Attempts, Attempt.compared))
	c.list(Commands, "commands", texts(recorded.Commands, comparably), texts(simulated.Commands, comparably))
	c.set(Exposure, "clear_password", recorded.ClearPassword, simulated.ClearPassword)
	c.set(Exposure, "clear_hash", recorded.ClearHash, simulated.ClearHash)
	c.value(Outcome, "ok", recorded.OK, simulated.OK)
	c.value(Outcome, "tls_up", recorded.TLSUp, simulated.TLSUp)
	c.value(Outcome, "conns", recorded.Conns, simulated.Conns)
	c.list(Outcome, "unauth_commands", recorded.UnauthCommands, simulated.UnauthCommands)
	return c.differences
}

// compared is an attempt as far as it is compared.
func (a Attempt) compared() string {
	ir := ""
	if a.IR {
		ir = " with initial response"
	}
	return fmt.Sprintf("c%d %s %s%s: %s", a.Conn, a.Ch, a.Mech, ir, a.Res)
}

type comparison struct{ differences []Difference }

func (c *comparison) add(f Field, at string, recorded, simulated any) {
	c.differences = append(c.differences, Difference{f, at, fmt.Sprint(recorded), fmt.Sprint(simulated)})
}

func (c *comparison) value(f Field, at string, recorded, simulated any) {
	if recorded != simulated {
		c.add(f, at, recorded, simulated)
	}
}

func (c *comparison) set(f Field, at string, recorded, simulated []string) {
	recorded, simulated = asSet(slices.Clone(recorded)), asSet(slices.Clone(simulated))
	if !slices.Equal(recorded, simulated) {
		c.add(f, at, orNone(recorded), orNone(simulated))
	}
}

func (c *comparison) list(f Field, at string, recorded, simulated []string) {
	for i := range max(len(recorded), len(simulated)) {
		if one, other := entry(recorded, i), entry(simulated, i); one != other {
			c.add(f, fmt.Sprintf("%s[%d]", at, i), one, other)
			return
		}
	}
}

const none = "(none)"

func entry(list []string, i int) string {
	if i >= len(list) {
		return none
	}
	return list[i]
}

func orNone(list []string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(list, ", ")
}

func texts[T any](list []T, text func(T) string) []string {
	all := make([]string, len(list))
	for i, entry := range list {
		all[i] = text(entry)
	}
	return all
}
