package main

import (
	"cmp"
	"os"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/strictyaml"
)

// setup is the state that the configuration asks for.
func (c serveConfig) setup(policyName string) (login.Setup, error) {
	setup := login.Setup{Identity: c.Identity, Posture: login.Posture{SlowDown: true}}
	var err error
	if setup.Flavour, err = login.ParseFlavour(c.Flavour); err != nil {
		return setup, err
	}
	if setup.Database, err = login.ParseDatabase(c.Database); err != nil {
		return setup, err
	}
	switch {
	case policyName != "":
		setup.Policy, err = readPolicy(policyName)
	case !c.PolicyFile.Empty():
		setup.Policy, err = c.PolicyFile.Parse()
	default:
		setup.Policy = defaultPolicy()
	}
	return setup, err
}

// serveConfig is the YAML of --config; the flags have the same fields.
type serveConfig struct {
	Flavour     string `yaml:"flavour"`
	Database    string `yaml:"database"`
	Identity    string `yaml:"identity"`
	Listen      string `yaml:"listen"`
	Ports       ports  `yaml:"ports"`
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	Keytab      string `yaml:"keytab"`

	harness.PolicyFile `yaml:",inline"`
}

// ports are 0 where the system chooses.
type ports struct {
	SMTP  int `yaml:"smtp"`
	SMTPS int `yaml:"smtps"`
	POP3  int `yaml:"pop3"`
	POP3S int `yaml:"pop3s"`
}

// over lays the flags over the file, and the defaults under both.
func (c serveConfig) over(name string) (serveConfig, error) {
	var file serveConfig
	if name != "" {
		data, err := os.ReadFile(name) //nolint:gosec // the user names the file
		if err != nil {
			return file, err
		}
		if err := strictyaml.Decode(name, data, &file); err != nil {
			return file, err
		}
	}
	file.Flavour = cmp.Or(c.Flavour, file.Flavour, string(login.Modern))
	file.Database = cmp.Or(c.Database, file.Database, string(login.WinGate))
	file.Identity = cmp.Or(c.Identity, file.Identity, machineName())
	file.Listen = cmp.Or(c.Listen, file.Listen, "127.0.0.1")
	file.Ports.SMTP = cmp.Or(c.Ports.SMTP, file.Ports.SMTP)
	file.Ports.SMTPS = cmp.Or(c.Ports.SMTPS, file.Ports.SMTPS)
	file.Ports.POP3 = cmp.Or(c.Ports.POP3, file.Ports.POP3)
	file.Ports.POP3S = cmp.Or(c.Ports.POP3S, file.Ports.POP3S)
	file.Certificate = cmp.Or(c.Certificate, file.Certificate)
	file.Key = cmp.Or(c.Key, file.Key)
	file.Keytab = cmp.Or(c.Keytab, file.Keytab)
	return file, nil
}

// defaultPolicy is what serve does when it is told nothing: no password and no
// token in clear, and nothing that only who asks for it should have.
func defaultPolicy() login.Policy {
	p := login.Policy{Common: map[login.Mechanism]login.Setting{}}
	for _, m := range mech.All() {
		switch {
		case m.Name == login.DIGESTMD5: // RFC 6331: not to be used any more
		case m.Name == login.ANONYMOUS:
		case m.Class >= login.ShowsToken:
			p.Common[m.Name] = login.Secure
		default:
			p.Common[m.Name] = login.Allow
		}
	}
	return p
}

// machineName is the default identity (the contract's rule 9): the machine's
// own name, or a reserved one where it has none.
func machineName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return login.DefaultIdentity
	}
	return name
}
