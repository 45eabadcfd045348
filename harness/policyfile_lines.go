package harness

import (
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// PolicyLines says on which line of a policy file each mechanism is set: for all
// protocols under "", and under the protocol where its own map does. The file is
// one that LoadPolicy reads; of another, nothing is known.
func PolicyLines(data []byte) map[login.Protocol]map[login.Mechanism]int {
	lines := map[login.Protocol]map[login.Mechanism]int{}
	tree, err := parser.ParseBytes(data, 0)
	if err != nil || len(tree.Docs) == 0 {
		return lines
	}
	sections := map[string]login.Protocol{"policy": ""}
	for _, p := range login.Protocols() {
		sections[string(p)] = p
	}
	for _, section := range pairsOf(tree.Docs[0].Body) {
		protocol, known := sections[keyOf(section)]
		if !known {
			continue
		}
		lines[protocol] = map[login.Mechanism]int{}
		for _, setting := range pairsOf(section.Value) {
			if m, err := mech.Parse(keyOf(setting)); err == nil {
				lines[protocol][m] = setting.Key.GetToken().Position.Line
			}
		}
	}
	return lines
}

// pairsOf are the entries of a map; what is no map has none.
func pairsOf(node ast.Node) []*ast.MappingValueNode {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode: // a map of one
		return []*ast.MappingValueNode{n}
	default:
		return nil
	}
}

// keyOf is a key without its quotes.
func keyOf(pair *ast.MappingValueNode) string { return pair.Key.GetToken().Value }
