package clientsim

import (
	"maps"
	"slices"

	"github.com/goccy/go-yaml"
)

// inState is the file as it would be written for one settings state: what the
// state says replaces what the client says as installed, key by key.
func inState(file, changes map[string]any) map[string]any {
	merged := maps.Clone(file)
	for key, change := range changes {
		below, ok := merged[key].(map[string]any)
		if more, also := change.(map[string]any); ok && also && !replacedWhole(key) {
			merged[key] = inState(below, more)
			continue
		}
		if change == nil {
			delete(merged, key)
			continue
		}
		merged[key] = change
	}
	return merged
}

// replacedWhole: a fact is one thing, and its value no list of keys to add to.
func replacedWhole(key string) bool { return key == "value" }

// sheetOf decodes what was merged. Every key of it was decoded before.
func sheetOf(file map[string]any) (*sheet, error) {
	text, err := yaml.Marshal(file)
	if err != nil {
		return nil, err
	}
	var s sheet
	if err := yaml.UnmarshalWithOptions(text, &s, yaml.Strict()); err != nil {
		return nil, err
	}
	return &s, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
