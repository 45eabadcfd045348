package script

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

// Part is a piece of a line. A plain string is one too.
type Part interface {
	// render makes the text; hidden is whether nobody may see it.
	render(*Play) (text string, hidden bool)
	// claims reports whether the part says who somebody is, or proves it.
	claims() bool
}

// field is something that only the session knows.
type field struct {
	name   string
	of     func(*Play) string
	secret bool
	claim  bool
}

func (f field) render(p *Play) (string, bool) { return f.of(p), f.secret }
func (f field) claims() bool                  { return f.claim }

// What a line can hold besides text.
var (
	// User and Password are the account's; Wrong is a password that it has not.
	User     Part = field{"<user>", func(p *Play) string { return p.Secrets.Name }, true, true}
	Password Part = field{"<secret>", func(p *Play) string { return p.Secrets.Password }, true, true}
	Wrong    Part = field{"<wrong>", func(p *Play) string { return p.Secrets.Wrong }, true, true}
	// Ghost is a name of the account's form that nobody has.
	Ghost Part = field{"<ghost>", (*Play).ghost, false, true}
	// DecoyName and DecoyPassword were never anybody's.
	DecoyName     Part = field{"<decoy>", func(p *Play) string { return p.word("decoy") }, false, true}
	DecoyPassword Part = field{"<decoy password>", func(p *Play) string { return p.word("decoy password") }, false, true}
	// OtherUser is the name of another account of the server.
	OtherUser Part = field{"<other user>", func(p *Play) string { return p.Other.Name }, false, true}
	// OtherPassword is its password.
	OtherPassword Part = field{"<other secret>", func(p *Play) string { return p.Other.Password }, true, true}
	// Mechanism is the one that the case is being played with.
	Mechanism Part = field{"<mechanism>", func(p *Play) string { return string(p.mechanism) }, false, false}
	// Random is another word in each case.
	Random Part = field{"<random>", func(p *Play) string { return p.word("random") }, false, false}
	// Local is an address that the server delivers to, Foreign one that it
	// does not serve, From the sender's.
	Local   Part = address{"<local>"}
	Foreign Part = field{"<foreign>", func(*Play) string { return "nobody@example.invalid" }, false, false}
	From    Part = address{"<from>"}
)

// address is the account's, which is shown to nobody. On a clear link of a
// server whose account must not be seen there it is one that nobody has.
type address struct{ name string }

func (a address) render(p *Play) (text string, hidden bool) {
	if t := p.Talk(); t != nil && !t.Encrypted() && !p.Clear {
		return p.word("sender") + "@" + p.domain(), false
	}
	return p.local(), true
}
func (address) claims() bool { return false }

// B64 is the base64 of its parts, put together.
func B64(parts ...any) Part { return encoded{parts} }

type encoded struct{ parts []any }

func (e encoded) render(p *Play) (string, bool) {
	text, hidden := render(p, e.parts)
	return base64.StdEncoding.EncodeToString([]byte(text)), hidden
}
func (e encoded) claims() bool { return claims(e.parts) }

// Times repeats text.
func Times(n int, text string) Part {
	return field{fmt.Sprintf("<%d x %q>", n, text), func(*Play) string { return strings.Repeat(text, n) }, false, false}
}

// Made is text that depends on what was seen.
func Made(name string, of func(*Play) string) Part { return field{name, of, false, false} }

// Hidden is [Made] for what says who the account's owner is, or proves it.
func Hidden(name string, of func(*Play) string) Part { return field{name, of, true, true} }

func render(p *Play, parts []any) (text string, hidden bool) {
	var b strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			b.WriteString(part)
		case Part:
			s, h := part.render(p)
			b.WriteString(s)
			hidden = hidden || h
		}
	}
	return b.String(), hidden
}

func claims(parts []any) bool {
	for _, part := range parts {
		if part, ok := part.(Part); ok && part.claims() {
			return true
		}
	}
	return false
}

// literal is the line as far as it is known without a session: the rest stands
// as its name.
func literal(parts []any) string {
	var b strings.Builder
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			b.WriteString(part)
		case field:
			b.WriteString(part.name)
		case address:
			b.WriteString(part.name)
		case encoded:
			b.WriteString("base64(" + strings.ReplaceAll(literal(part.parts), "\x00", `\0`) + ")")
		}
	}
	return b.String()
}

// word is a word that stays the same through a case.
func (p *Play) word(of string) string {
	sum := sha256.Sum256([]byte(p.nonce + of))
	return "x" + hex.EncodeToString(sum[:6])
}

// ghost is a name that nobody has, in the domain of the account's name if that
// has one.
func (p *Play) ghost() string {
	name := p.word("ghost")
	if _, domain, ok := strings.Cut(p.Secrets.Name, "@"); ok {
		name += "@" + domain
	}
	return name
}
