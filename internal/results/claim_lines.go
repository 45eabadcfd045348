package results

import "github.com/goccy/go-yaml"

// A claim is read by people and compared by the line, so each count is one.

func (c LevelCount) MarshalYAML() ([]byte, error) {
	type plain LevelCount
	return inLine(plain(c))
}

func (c ClientCount) MarshalYAML() ([]byte, error) {
	type plain ClientCount
	return inLine(plain(c))
}

func (c KindCount) MarshalYAML() ([]byte, error) {
	type plain KindCount
	return inLine(plain(c))
}

func (s Skipped) MarshalYAML() ([]byte, error) {
	type plain Skipped
	return inLine(plain(s), yaml.JSON()) // in a text anything may stand, and not every reader takes it without quotes
}

func inLine(v any, more ...yaml.EncodeOption) ([]byte, error) {
	return yaml.MarshalWithOptions(v, append(more, yaml.Flow(true))...)
}
