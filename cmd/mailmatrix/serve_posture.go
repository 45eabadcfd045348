package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/mailmatrix/mailmatrix/internal/certs"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// postureFlags put the server into a posture of recorded logins.
type postureFlags struct {
	name  string
	cases string
}

func (f *postureFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.name, "posture", "", "behave as in this case of the recorded logins, such as S10")
	flags.StringVar(&f.cases, "cases", "", "take it from a JSON `FILE` of cases (default: the built-in ones)")
}

// find is the case that was asked for; ok is false where none was.
func (f *postureFlags) find() (c recording.Case, ok bool, err error) {
	if f.name == "" {
		if f.cases != "" {
			return c, false, errors.New("--cases is of no use without --posture NAME")
		}
		return c, false, nil
	}
	cases := recording.Postures()
	if f.cases != "" {
		if cases, err = readFile(f.cases, recording.ReadCases); err != nil {
			return c, false, err
		}
	}
	name, err := login.ParseName("posture", f.name, caseNames(cases))
	if err != nil {
		return c, false, err
	}
	c, err = cases.Find(name)
	return c, true, err
}

func caseNames(cases recording.Cases) []string {
	return slices.SortedFunc(maps.Keys(cases), recording.CompareCases)
}

// fixedByPosture are the flags that say otherwise what a posture says.
var fixedByPosture = []string{"policy", "database", "flavour", "identity", "certificate", "key", "keytab", "config"}

// only refuses them beside it.
func (f *postureFlags) only(flags *pflag.FlagSet) error {
	for _, name := range fixedByPosture {
		if flags.Changed(name) {
			return fmt.Errorf("--%s cannot be given with --posture, which brings its own", name)
		}
	}
	return nil
}

// under is the configuration and setup of a server in that posture.
func under(c recording.Case, config serveConfig) (serveConfig, login.Setup) {
	setup := c.Setup(login.Secrets{})
	config.Flavour, config.Database, config.Identity = string(setup.Flavour), string(setup.Database), setup.Identity
	return config, setup
}

// leafOf is the certificate of a posture, for a server that clients may call
// localhost as well.
func leafOf(kind login.CertificateKind, identity string) certs.Leaf {
	leaf := certs.Leaf{Names: []string{identity, "localhost", "127.0.0.1"}}
	switch kind {
	case login.CertSelfSigned:
		leaf.SelfSigned = true
	case login.CertOtherName:
		leaf.Names = []string{"other." + identity}
	case login.CertExpired:
		leaf.NotAfter = time.Now().Add(-24 * time.Hour)
	}
	return leaf
}
