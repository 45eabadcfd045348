package login

import (
	"fmt"
	"slices"
	"strings"
)

// ParseName finds s among the names in all, in any letter case. The error
// names what was looked for, the nearest name if one is near, and the names
// there are.
func ParseName[T ~string](what, s string, all []T) (T, error) {
	for _, name := range all {
		if strings.EqualFold(string(name), s) {
			return name, nil
		}
	}
	names := make([]string, len(all))
	for i, name := range all {
		names[i] = string(name)
	}
	hint := ""
	if near := Nearest(s, names); near != "" {
		hint = fmt.Sprintf(", did you mean %q?", near)
	}
	return "", fmt.Errorf("unknown %s %q%s (known: %s)", what, s, hint, strings.Join(names, ", "))
}

// parseIndex finds s among the names of an enumeration.
func parseIndex[T ~uint8](what string, s []byte, names []string, into *T) error {
	name, err := ParseName(what, string(s), names)
	if err != nil {
		return err
	}
	*into = T(slices.Index(names, name)) //nolint:gosec // a handful of names
	return nil
}

// Nearest is the name that a typing error most likely meant, or "" if none of
// the names is near.
func Nearest(s string, names []string) string {
	best, bestDistance := "", max(len(s)/2+1, 3)
	for _, name := range slices.Sorted(slices.Values(names)) {
		d := distance(strings.ToLower(s), strings.ToLower(name))
		if strings.HasPrefix(strings.ToLower(name), strings.ToLower(s)) && s != "" {
			d = min(d, 1)
		}
		if d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// distance is Levenshtein's: the least number of single-character edits.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
