package harness

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// fact is one line of a draft.
type fact struct {
	label      string // "value", or "looks" for a mechanism; "" where there is none
	value      any
	confidence login.Confidence
	source     string
}

// section is a part of a draft, in order: what a key holds is a fact, a
// section, or a text.
type section []entry

type entry struct {
	key   string
	value any
}

// add leaves out what is not known.
func (s *section) add(key string, value any) {
	switch v := value.(type) {
	case nil:
		return
	case *fact:
		if v == nil {
			return
		}
	case section:
		if len(v) == 0 {
			return
		}
	}
	*s = append(*s, entry{key, value})
}

// count adds up the facts that were seen and those that were not.
func (s section) count() (seen, unseen int) {
	for _, e := range s {
		switch v := e.value.(type) {
		case *fact:
			if v.confidence == login.Observed {
				seen++
			} else {
				unseen++
			}
		case section:
			a, b := v.count()
			seen, unseen = seen+a, unseen+b
		}
	}
	return seen, unseen
}

func (s section) write(b *strings.Builder, indent string) {
	for _, e := range s {
		switch v := e.value.(type) {
		case section:
			fmt.Fprintf(b, "%s%s:\n", indent, e.key)
			v.write(b, indent+"  ")
		case *fact:
			labelled := ""
			if v.label != "" {
				labelled = fmt.Sprintf("%s: %s, ", v.label, flow(v.value))
			}
			fmt.Fprintf(b, "%s%s: {%sconfidence: %s, source: %s}\n", indent, e.key, labelled, v.confidence, quoted(v.source))
		default:
			fmt.Fprintf(b, "%s%s: %s\n", indent, e.key, flow(v))
		}
	}
}

// flow writes a value in one line.
func flow(value any) string {
	switch v := value.(type) {
	case string:
		return yamlWord(v)
	case login.Mechanism:
		return yamlWord(string(v))
	case bool, int:
		return fmt.Sprint(v)
	case []login.Mechanism:
		return flowList(v)
	case []string:
		return flowList(v)
	case section:
		var parts []string
		for _, e := range v {
			parts = append(parts, yamlWord(e.key)+": "+flow(e.value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []section:
		return flowList(v)
	default:
		return quoted(fmt.Sprint(v))
	}
}

func flowList[T any](list []T) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = flow(v)
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// plainWord needs no quotes: YAML reads nothing but a text in it.
var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9/-]*$`)

func yamlWord(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		return quoted(s)
	}
	if plainWord.MatchString(s) {
		return s
	}
	return quoted(s)
}

// quoted is JSON's form, which is one of YAML's.
func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string can always be written
	}
	return strings.TrimSuffix(b.String(), "\n")
}
