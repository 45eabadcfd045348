package harness

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
	"github.com/mailmatrix/mailmatrix/internal/strictyaml"
)

// PolicyFile is the YAML of a policy: a common map, and maps of the single
// protocols, which win. It can stand inside another file.
type PolicyFile struct {
	Policy map[string]string `yaml:"policy"`
	SMTP   map[string]string `yaml:"smtp"`
	POP3   map[string]string `yaml:"pop3"`
}

// LoadPolicy reads a policy from YAML; name is the file's, for messages. An
// unknown key, mechanism or setting is an error, and so is a policy that says
// nothing at all.
func LoadPolicy(name string, data []byte) (login.Policy, error) {
	var file PolicyFile
	if err := strictyaml.Decode(name, data, &file); err != nil {
		return login.Policy{}, fmt.Errorf("policy %w", err)
	}
	if file.Empty() {
		return login.Policy{}, fmt.Errorf("policy %s says nothing: write, for example, `policy: {PLAIN: secure}`", name)
	}
	policy, err := file.Parse()
	if err != nil {
		return login.Policy{}, fmt.Errorf("policy %s, %w", name, err)
	}
	return policy, nil
}

// Empty reports a policy that names nothing.
func (f PolicyFile) Empty() bool { return len(f.Policy)+len(f.SMTP)+len(f.POP3) == 0 }

// Parse turns names into what they mean.
func (f PolicyFile) Parse() (login.Policy, error) {
	if open := f.unknown(); len(open) > 0 {
		return login.Policy{}, fmt.Errorf("nobody has tried %s: write deny, secure or allow in place of unknown", strings.Join(open, ", "))
	}
	policy := login.Policy{Own: map[login.Protocol]map[login.Mechanism]login.Setting{}}
	for _, section := range []struct {
		title    string
		settings map[string]string
		protocol login.Protocol
	}{{"policy", f.Policy, ""}, {"smtp", f.SMTP, login.SMTP}, {"pop3", f.POP3, login.POP3}} {
		settings, err := parseSettings(section.settings, section.protocol)
		switch {
		case err != nil:
			return login.Policy{}, fmt.Errorf("section %s: %w", section.title, err)
		case section.protocol == "":
			policy.Common = settings
		case len(settings) > 0:
			policy.Own[section.protocol] = settings
		}
	}
	return policy, nil
}

// unknown names the mechanisms of an observed policy that nobody has tried: a
// policy that is to be kept cannot leave them open.
func (f PolicyFile) unknown() []string {
	var open []string
	for _, section := range []struct {
		settings map[string]string
		where    string
	}{{f.Policy, ""}, {f.SMTP, " in smtp"}, {f.POP3, " in pop3"}} {
		for _, name := range slices.Sorted(maps.Keys(section.settings)) {
			if strings.EqualFold(section.settings[name], login.Unknown.String()) {
				open = append(open, name+section.where)
			}
		}
	}
	return open
}

// parseSettings reads one map. protocol is "" for the common one.
func parseSettings(texts map[string]string, protocol login.Protocol) (map[login.Mechanism]login.Setting, error) {
	settings := make(map[login.Mechanism]login.Setting, len(texts))
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		m, err := mech.Parse(key)
		if err != nil {
			return nil, err
		}
		if impl, _ := mech.Get(m); protocol != "" && !impl.In(protocol) {
			return nil, fmt.Errorf("%s does not exist in %s", m, protocol)
		}
		if _, twice := settings[m]; twice {
			return nil, fmt.Errorf("%s is named twice", m)
		}
		setting, err := login.ParseSetting(texts[key])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m, err)
		}
		settings[m] = setting
	}
	return settings, nil
}
