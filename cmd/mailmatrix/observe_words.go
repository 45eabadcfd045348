package main

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// commandLine is the command of --exec, and what --when adds to it.
type commandLine struct {
	words []string
	// when is by the name of a mode, a trust or a protocol. Where it is empty the
	// command sees to everything itself.
	when map[string][]string
}

// placeholders are what a command may name in braces; the environment has the
// same under MAILMATRIX_ and its name in capitals.
var placeholders = []string{"host", "port", "url", "user", "password-file", "netrc", "ca", "message", "recipient",
	"protocol", "mode", "trust", "work"}

// options stands where the words of --when belong, if not at the end.
const options = "{options}"

// whens are what --when can be about.
var whens = []string{string(recording.Off), string(recording.Opportunistic), string(recording.Required), string(recording.Implicit),
	string(recording.TrustDefault), string(recording.TrustAuthority), string(recording.TrustAnything),
	string(login.SMTP), string(login.POP3)}

// parseCommandLine understands --exec and --when.
func parseCommandLine(command string, when []string) (commandLine, error) {
	c := commandLine{when: map[string][]string{}}
	var err error
	if c.words, err = splitWords(command); err != nil {
		return c, fmt.Errorf("--exec: %w", err)
	}
	if len(c.words) == 0 {
		return c, errors.New("--exec is empty: name the program and its arguments")
	}
	for _, w := range when {
		name, added, ok := strings.Cut(w, "=")
		if !ok {
			return c, fmt.Errorf("--when wants WHAT=ARGUMENTS, for example req='--ssl-reqd', not %q", w)
		}
		if name, err = login.ParseName("setting of --when", name, whens); err != nil {
			return c, err
		}
		if _, twice := c.when[name]; twice {
			return c, fmt.Errorf("--when %s stands there twice", name)
		}
		words, err := splitWords(added)
		if err != nil {
			return c, fmt.Errorf("--when %s: %w", name, err)
		}
		c.when[name] = words
	}
	all := slices.Clone(c.words)
	for _, words := range c.when {
		all = append(all, words...)
	}
	return c, knownPlaceholders(all)
}

var placeholder = regexp.MustCompile(`\{[a-z][a-z-]*\}`)

func knownPlaceholders(words []string) error {
	for _, w := range words {
		for _, found := range placeholder.FindAllString(w, -1) {
			if found == "{password}" {
				return errors.New("{password}: a command line can be read by everybody on the machine; use {password-file} or {netrc}")
			}
			if found != options {
				if _, err := login.ParseName("placeholder", strings.Trim(found, "{}"), placeholders); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// applies reports whether the client can be configured as the case says: what
// --when does not name it has not. Off and default are how it is without.
func (c commandLine) applies(to recording.Case) bool {
	if len(c.when) == 0 {
		return true
	}
	_, mode := c.when[string(to.Mode)]
	_, trust := c.when[string(to.Trust)]
	return (mode || to.Mode == recording.Off) && (trust || to.Trust == recording.TrustDefault)
}

// fill is the command for one case.
func (c commandLine) fill(of recording.Case, values map[string]string) []string {
	var added []string
	for _, what := range []string{string(of.Protocol), string(of.Mode), string(of.Trust)} {
		added = append(added, c.when[what]...)
	}
	words := slices.Clone(c.words)
	if at := slices.Index(words, options); at >= 0 {
		words = slices.Replace(words, at, at+1, added...)
	} else {
		words = append(words, added...)
	}
	var pairs []string
	for _, name := range placeholders {
		pairs = append(pairs, "{"+name+"}", values[name])
	}
	filler := strings.NewReplacer(pairs...)
	for i, w := range words {
		words[i] = filler.Replace(w)
	}
	return words
}

// splitWords divides a command at blanks, as a shell does: quotes of both
// kinds and the backslash keep a blank. Nothing else means anything, since no
// shell is asked.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quote, escaped := false, rune(0), false
	for _, r := range text {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("a quote %c is not closed", quote)
	case escaped:
		return nil, errors.New("a backslash stands at the end")
	case inWord:
		words = append(words, word.String())
	}
	return words, nil
}

// found reports where the program is missing, before anything begins.
func (c commandLine) found() error {
	if strings.Contains(c.words[0], "{") {
		return nil
	}
	if _, err := exec.LookPath(c.words[0]); err != nil {
		return fmt.Errorf("--exec: %w", err)
	}
	return nil
}
