package results

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/strictyaml"
)

// Claim is the heading of a file of excuses by which somebody says: this
// server, this version, passes this (docs/claims.md). Its entries are read and
// compared as those of any such file, by package harness.
type Claim struct {
	Claim   string  `yaml:"claim"` // login.ClaimSchema
	Subject Subject `yaml:"subject"`
	// Standing says whether somebody else can repeat the run.
	Standing Standing `yaml:"standing"`
	// Start is how; nil where that is not said, or where it needs none.
	Start *Start `yaml:"start,omitempty"`
	Made  Made   `yaml:"made"`
	// Conforms are the levels at which nothing had to be excused.
	Conforms  []login.Level `yaml:"conforms"`
	Levels    []LevelCount  `yaml:"levels"`
	Profiles  []ClientCount `yaml:"profiles"`
	Scenarios []KindCount   `yaml:"scenarios"`
	Skipped   []Skipped     `yaml:"skipped"`
	// Expectations are not for this package.
	Expectations any `yaml:"expectations,omitempty"`
}

// Subject is what the claim is about.
type Subject struct {
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
	Vendor  string `yaml:"vendor,omitempty"`
}

// Standing is how much a claim is worth to somebody else.
type Standing string

const (
	Reproducible Standing = "reproducible"  // it says how to start the subject
	SelfDeclared Standing = "self-declared" // it does not
)

// Start is how the subject is started: one of Image and Command. Files are
// named as they are seen from where the program is called.
type Start struct {
	Image    string `yaml:"image,omitempty"`
	Command  string `yaml:"command,omitempty"`
	Policy   string `yaml:"policy,omitempty"`
	Accounts string `yaml:"accounts,omitempty"`
}

// Made is the run that the claim was made from.
type Made struct {
	By        string              `yaml:"by"`
	Date      string              `yaml:"date"`
	Catalogue string              `yaml:"catalogue"`
	Kind      string              `yaml:"kind"` // login.ReferenceTarget or login.RemoteTarget
	Vantage   string              `yaml:"vantage,omitempty"`
	Doors     []string            `yaml:"doors,omitempty"` // as `mailmatrix check` takes them
	Selection map[string][]string `yaml:"selection,omitempty"`
}

// Count is how many results came to what.
type Count struct {
	Pass    int `yaml:"pass"`
	Excused int `yaml:"excused,omitempty"`
	Skip    int `yaml:"skip,omitempty"`

	failed int // or warned; of a claim it is 0
}

func (c Count) decided() int { return c.Pass + c.Excused + c.failed }

// LevelCount are the compliance cases of an area and a level.
type LevelCount struct {
	Area  string      `yaml:"area"`
	Level login.Level `yaml:"level"`
	Count `yaml:",inline"`
}

// ClientCount are the cells of a client, with its settings state.
type ClientCount struct {
	Profile string `yaml:"profile"`
	Count   `yaml:",inline"`
}

// KindCount are the scenarios of a kind, but for the controls.
type KindCount struct {
	Kind  string `yaml:"kind"`
	Count `yaml:",inline"`
}

// Skipped is what the run did not decide.
type Skipped struct {
	What string    `yaml:"what"`
	Why  login.Why `yaml:"why"`
	// Count is how many results; 0 where it never came to any.
	Count int    `yaml:"count,omitempty"`
	Flag  string `yaml:"flag,omitempty"` // that would decide it
}

// image is one that nobody can change.
var image = regexp.MustCompile(`^[^\s|@]+@sha256:[0-9a-f]{64}$`)

// secrets find what a command should not show: a value for what is called a
// password, a secret, a token or a key, as NAME=VALUE or --name VALUE, and a
// password in an address. What the shell is to put there is none.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`(?i)([a-z0-9_-]*(?:passw(?:or)?d|passphrase|secret|token|api_?key)[a-z0-9_-]*)=['"]?[^\s'"$<{]`),
	regexp.MustCompile(`(?i)(--?(?:[a-z0-9_-]*-)?(?:passw(?:or)?d|passphrase|secret|token|api_?key)[a-z0-9_-]*)\s+['"]?[^\s'"$<{-]`),
	regexp.MustCompile(`([a-z0-9]+://[^\s:/@]+):[^\s@/$]+@`),
}

// secretIn names what a command shows, without its value; "" is nothing. A file
// may be called anything.
func secretIn(command string) string {
	for _, s := range secrets {
		for _, found := range s.FindAllStringSubmatch(command, -1) {
			if !strings.HasSuffix(strings.ToLower(found[1]), "file") {
				return found[1]
			}
		}
	}
	return ""
}

// NewStart understands an image with its digest, or a command; of "" it is nil.
func NewStart(how, policy, accounts string) (*Start, error) {
	switch {
	case how == "" && policy == "" && accounts == "":
		return nil, nil //nolint:nilnil // nobody said how
	case how == "":
		return nil, errors.New("a policy and accounts are of use only to who knows how the server is started: say that as well")
	case image.MatchString(how):
		return &Start{Image: how, Policy: policy, Accounts: accounts}, nil
	case strings.Contains(how, "@sha256:") && !strings.ContainsAny(how, " \t"):
		return nil, fmt.Errorf("image %q: wanted is NAME@sha256: and 64 hexadecimal digits", how)
	case secretIn(how) != "":
		return nil, fmt.Errorf("it would publish a secret, %q: have the command read it from a file or from $VARIABLE", secretIn(how))
	default:
		return &Start{Command: how, Policy: policy, Accounts: accounts}, nil
	}
}

// ReadClaim reads the heading. name is the file's, for messages.
func ReadClaim(name string, data []byte) (Claim, error) {
	var c Claim
	if err := strictyaml.Decode(name, data, &c); err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return c, errors.New(first)
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// check refuses what would be compared with nothing.
func (c Claim) check() error {
	switch {
	case c.Claim == "":
		return fmt.Errorf("this is no claim: it does not begin with `claim: %s`", login.ClaimSchema)
	case c.Claim != login.ClaimSchema:
		return fmt.Errorf("claim %.40q: this version knows %s", c.Claim, login.ClaimSchema)
	case c.Subject.Name == "" || c.Subject.Version == "":
		return errors.New("subject: it wants a name and a version")
	case c.Made.By == "" || c.Made.Date == "" || c.Made.Catalogue == "" || c.Made.Kind == "":
		return errors.New("made: it wants by, date, catalogue and kind")
	case c.Standing != c.standing():
		return fmt.Errorf("standing %q: by what it says of its start, it is %s", c.Standing, c.standing())
	case c.Start != nil && (c.Start.Image == "") == (c.Start.Command == ""):
		return errors.New("start: it wants an image or a command, one of the two")
	case c.Start != nil && c.Start.Image != "" && !image.MatchString(c.Start.Image):
		return fmt.Errorf("start: image %q: wanted is NAME@sha256: and 64 hexadecimal digits", c.Start.Image)
	case c.Start != nil && secretIn(c.Start.Command) != "":
		return fmt.Errorf("start: the command shows a secret, %q: it should read it from a file or from $VARIABLE", secretIn(c.Start.Command))
	case !sameLevels(c.Conforms, conforms(c.Levels)):
		return fmt.Errorf("conforms %v: by its levels, it is %v", c.Conforms, conforms(c.Levels))
	case len(c.Levels)+len(c.Profiles)+len(c.Scenarios) == 0:
		return errors.New("it claims nothing: levels, profiles and scenarios are empty")
	default:
		return nil
	}
}

// sameLevels: the order in which they stand is nothing.
func sameLevels(a, b []login.Level) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func (c Claim) standing() Standing {
	if c.Start != nil || c.Made.Kind == login.ReferenceTarget {
		return Reproducible
	}
	return SelfDeclared
}

// Write writes the claim with its entries, which are the text of a file of
// excuses.
func (c Claim) Write(w io.Writer, excuses string) error {
	heading, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("# What is claimed of a server, and can be put to the test (docs/claims.md):\n" +
		"# mailmatrix report verify THIS-FILE RUN.json\n")
	b.Write(heading)
	b.WriteString("expectations:\n")
	for line := range strings.Lines(excuses) {
		b.WriteString("  " + line)
	}
	_, err = io.WriteString(w, b.String())
	return err
}
