// Package render writes a policy down as a server's configuration, and says
// which of it that server cannot express.
package render

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Server is a kind of server that policies are rendered for.
type Server struct {
	// Name is how flags call it, Title how people do.
	Name, Title string
	// Basis is how we know what its settings do.
	Basis string
	// Render renders. It is pure.
	Render func(login.Policy) Rendered
}

// Rendered is a policy as one server can have it. It is never looser than the
// policy that was asked for.
type Rendered struct {
	// Pieces are the configuration, one for each file.
	Pieces []Piece
	// Effective is what they really mean: a setting for every mechanism of each
	// protocol.
	Effective login.Policy
	// Cannot are the cells in which Effective is not what was asked for, and those
	// that are so in vain.
	Cannot []Cannot
	// Notes are what the settings do not say: what a mechanism needs besides, and
	// what the server does that a policy has no word for.
	Notes []string
}

// Piece is what goes into one file of the server.
type Piece struct{ File, Text string }

// Cannot is a cell of the policy that the server cannot express.
type Cannot struct {
	Cell
	Wanted login.Setting
	// Why is what stands in the way.
	Why string
	// Stricter is the nearest that leaves no cell looser than the policy, and
	// Looser the nearest that lets in whoever was to be let in; they are equal
	// where the server has nothing looser.
	Stricter, Looser login.Setting
	// Price is which other cells would then be looser than the policy.
	Price string
	// Chosen is the one that the pieces have: always the stricter.
	Chosen login.Setting
	// InVain: nobody gets in whom the policy does not let in, but the server
	// offers it, or takes it up, to refuse it later than a policy wants it.
	InVain bool
}

// Cell is a mechanism in a protocol.
type Cell struct {
	Protocol  login.Protocol
	Mechanism login.Mechanism
}

func (c Cell) String() string { return string(c.Protocol) + " " + string(c.Mechanism) }

var registry = map[string]Server{}

// register adds a server. Each server's file calls it once, so a mistake shows
// as soon as the program starts.
func register(s Server) Server { //nolint:unparam // the result is what makes a call a declaration
	if s.Name == "" || s.Title == "" || s.Basis == "" || s.Render == nil {
		panic(fmt.Sprintf("render: server %q is incomplete", s.Name))
	}
	if _, taken := registry[s.Name]; taken {
		panic(fmt.Sprintf("render: server %q is registered twice", s.Name))
	}
	registry[s.Name] = s
	return s
}

// All lists the servers, sorted by name.
func All() []Server {
	all := make([]Server, 0, len(registry))
	for _, s := range registry {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Server) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Names is All, by name alone.
func Names() []string {
	var names []string
	for _, s := range All() {
		names = append(names, s.Name)
	}
	return names
}

// Get finds a server by its name in any letter case. The error of an unknown
// name suggests the nearest.
func Get(name string) (Server, error) {
	known, err := login.ParseName("server", name, Names())
	if err != nil {
		return Server{}, err
	}
	return registry[known], nil
}
