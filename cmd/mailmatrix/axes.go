package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/reports"
)

// axes are the flags that narrow the matrix: repeatable, and lists with commas.
type axes struct {
	flavours, protocols, transports, mechanisms, settings []string
	profiles, databases, overrides, credentials           []string
	full                                                  bool
	policy                                                string
	claim                                                 *reports.Claim // where the policy's file says what, once it is read
	profileFiles                                          []string
	cases                                                 []string
	catalogue                                             string
}

func (a *axes) register(c *cobra.Command) {
	flags := c.Flags()
	for _, axis := range []struct {
		into  *[]string
		name  string
		about string
		known []string
	}{
		{&a.flavours, "flavour", "character of the reference server", texts(login.Flavours())},
		{&a.profiles, "profile", "mail client", profileNames()},
		{&a.protocols, "protocol", "mail protocol", texts(login.Protocols())},
		{&a.mechanisms, "mechanism", "way of logging in, or auto", append(texts(mech.Names()), string(login.Auto))},
		{&a.settings, "setting", "what the administrator chose", settingNames()},
		{&a.transports, "transport", "how the client is configured", texts(login.Transports())},
		{&a.databases, "database", "where accounts are looked up", texts(login.Databases())},
		{&a.overrides, "override", "POP3 override password", texts(login.Overrides())},
		{&a.credentials, "credential", "what the client presents", texts(login.Credentials(login.OverrideSet))},
	} {
		flags.StringSliceVar(axis.into, axis.name, nil, axis.about+": "+strings.Join(axis.known, ", "))
		_ = c.RegisterFlagCompletionFunc(axis.name, cobra.FixedCompletions(axis.known, cobra.ShellCompDirectiveNoFileComp))
	}
	flags.BoolVar(&a.full, "full", false, "cross every axis for every client")
	flags.StringVar(&a.policy, "policy", "", "ask who can log in under the policy in this YAML `FILE`, or under a built-in one: "+policyNames())
	flags.StringSliceVar(&a.cases, "cases", nil, "compliance cases: an ID, a pattern, an area, a level, a source (rfc4954/4), cost=0; joined by +, all of them")
	flags.StringVar(&a.catalogue, "catalog", "", "release of the compliance catalogue (default: the newest)")
	flags.StringSliceVar(&a.profileFiles, "profile-file", nil, "add the client described in this YAML `FILE`")
}

// grid turns the flags into what the harness plans.
func (a *axes) grid() (harness.Grid, error) {
	g := harness.Grid{Full: a.full, Profiles: a.profiles, Cases: a.cases, Catalogue: a.catalogue}
	var err error
	parse(&g.Flavours, a.flavours, login.ParseFlavour, &err)
	parse(&g.Protocols, a.protocols, login.ParseProtocol, &err)
	parse(&g.Transports, a.transports, login.ParseTransport, &err)
	parse(&g.Mechanisms, a.mechanisms, parseMechanism, &err)
	parse(&g.Settings, a.settings, login.ParseSetting, &err)
	parse(&g.Databases, a.databases, login.ParseDatabase, &err)
	parse(&g.Overrides, a.overrides, login.ParseOverride, &err)
	parse(&g.Credentials, a.credentials, login.ParseCredential, &err)
	if err != nil {
		return g, err
	}
	if a.policy != "" {
		if len(a.settings) > 0 {
			return g, fmt.Errorf("--setting and --policy exclude each other: the policy has the settings")
		}
		policy, claim, err := readClaimedPolicy(a.policy)
		if err != nil {
			return g, err
		}
		g.Policy, a.claim = &policy, claim
	}
	for _, name := range a.profileFiles {
		profile, err := readProfile(name)
		if err != nil {
			return g, err
		}
		g.Extra = append(g.Extra, profile)
	}
	return g, nil
}

// noEmptyFlag refuses a flag that was given and says nothing: a variable that is
// not set must not run everything.
func noEmptyFlag(c *cobra.Command) error {
	var err error
	c.Flags().Visit(func(f *pflag.Flag) {
		if v := f.Value.String(); err == nil && (v == "" || v == "[]" || v == `[""]`) {
			err = fmt.Errorf("--%s is empty: name what it is for, or leave it out", f.Name)
		}
	})
	return err
}

// name completes a selection by the files that only the command line knows, so
// that a report can say how to repeat the run.
func (a *axes) name(selection map[string][]string) {
	if a.policy != "" {
		selection["policy"] = []string{a.policy}
	}
	if len(a.profileFiles) > 0 {
		selection["profile-file"] = a.profileFiles
	}
}

// parse reads the values of one axis; the first error stays.
func parse[T any](into *[]T, texts []string, one func(string) (T, error), err *error) {
	for _, text := range texts {
		v, e := one(text)
		if e != nil && *err == nil {
			*err = e
		}
		*into = append(*into, v)
	}
}

func parseMechanism(s string) (login.Mechanism, error) {
	if strings.EqualFold(s, string(login.Auto)) {
		return login.Auto, nil
	}
	return mech.Parse(s)
}

func readPolicy(name string) (login.Policy, error) {
	return policy.Load(name, os.ReadFile)
}

func readProfile(name string) (clientsim.Profile, error) {
	data, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return clientsim.Profile{}, fmt.Errorf("profile: %w", err)
	}
	return clientsim.Load(name, data)
}

func texts[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

func settingNames() []string {
	var names []string
	for _, s := range login.Settings() {
		names = append(names, s.String())
	}
	return names
}

func profileNames() []string {
	var names []string
	for _, p := range clientsim.All() {
		names = append(names, p.Name)
	}
	return names
}
