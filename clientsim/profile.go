package clientsim

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/mech"
)

// Profile is a mail client: which logins it knows and in what manner it goes
// about them. It is made by [Load] and never changes; the zero value can do
// nothing.
type Profile struct {
	Name    string // as in IDs and flags
	Variant string // the settings state; "" is the client as installed
	Title   string // as people call it
	Family  string // who shares its code
	Version string // the release that the facts are of; "" is several

	sheet    *sheet
	variants func() []Profile // nil is none
}

//go:embed profiles/*.yaml
var files embed.FS

// builtin reads the embedded files once, and the settings states of each when
// somebody asks for them: every command needs the names, few need the states.
// That all of them are right is tested, so a wrong one here is a program that
// was never tested.
var builtin = sync.OnceValue(func() []Profile {
	names, err := fs.Glob(files, "profiles/*.yaml")
	if err != nil {
		panic(err)
	}
	var all []Profile
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		p, states, err := load(path.Join("clientsim", name), data)
		if err != nil {
			panic(err)
		}
		p.variants = sync.OnceValue(func() []Profile {
			variants, err := states()
			if err != nil {
				panic(err)
			}
			return variants
		})
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Profile) int { return strings.Compare(a.Name, b.Name) })
	return all
})

// All returns the built-in profiles as installed, sorted by name.
func All() []Profile { return slices.Clone(builtin()) }

// Variants are the client's other settings states, sorted by name.
func (p Profile) Variants() []Profile {
	if p.variants == nil {
		return nil
	}
	return slices.Clone(p.variants())
}

// In is the client in the settings state of that name; "" is as installed.
func (p Profile) In(variant string) (Profile, error) {
	if variant == "" {
		return p, nil
	}
	variants := p.Variants()
	names := make([]string, len(variants))
	for i, v := range variants {
		names[i] = v.Variant
	}
	if len(names) == 0 {
		return Profile{}, fmt.Errorf("%s has no settings state %q, nor any other", p, variant)
	}
	name, err := login.ParseName("settings state of "+p.Name, variant, names)
	if err != nil {
		return Profile{}, err
	}
	return variants[slices.Index(names, name)], nil
}

// Get finds a built-in profile by name, in any letter case; a "+" and the name
// of a settings state may follow. The error of an unknown one names the
// nearest.
func Get(name string) (Profile, error) {
	all := builtin()
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.Name
	}
	name, variant := login.SplitProfile(name)
	name, err := login.ParseName("profile", name, names)
	if err != nil {
		return Profile{}, err
	}
	return all[slices.Index(names, name)].In(variant)
}

// ID is the profile with its settings state, as in IDs and flags.
func (p Profile) ID() string {
	if p.Variant == "" {
		return p.Name
	}
	return p.Name + "+" + p.Variant
}

// Probe reports whether the profile is no program but a measuring device,
// which looks and then tries whatever it is asked to, offered or not.
func (p Profile) Probe() bool { return p.sheet != nil && p.sheet.Probe }

// Mechanisms are those that the client knows in a protocol, in the order of
// reports.
func (p Profile) Mechanisms(protocol login.Protocol) []login.Mechanism {
	var known []login.Mechanism
	for _, m := range mech.Names() {
		if p.knows(protocol, m) {
			known = append(known, m)
		}
	}
	return known
}

// Transports are those that the client can be configured for, in the order
// of reports.
func (p Profile) Transports(protocol login.Protocol) []login.Transport {
	var can []login.Transport
	for _, t := range login.Transports() {
		if p.can(protocol, t) {
			can = append(can, t)
		}
	}
	return can
}

// Lacks lists what the client does not have, which therefore makes no cell.
func (p Profile) Lacks() []login.Lack {
	var lacks []login.Lack
	for _, protocol := range login.Protocols() {
		for _, m := range mech.All() {
			if m.In(protocol) && !p.knows(protocol, m.Name) {
				lacks = append(lacks, login.Lack{Profile: p.ID(), Protocol: protocol, Mechanism: m.Name})
			}
		}
		for _, t := range login.Transports() {
			if !p.can(protocol, t) {
				lacks = append(lacks, login.Lack{Profile: p.ID(), Protocol: protocol, Transport: t})
			}
		}
	}
	return lacks
}

// Opportunistic reports whether the client has a setting, for a protocol, to
// encrypt if it can and to go on if it cannot.
func (p Profile) Opportunistic(protocol login.Protocol) bool {
	s := p.sheet.in(protocol)
	return s != nil && s.Encryption != nil && s.Encryption.Opportunistic.or(false)
}

func (p Profile) knows(protocol login.Protocol, m login.Mechanism) bool {
	s := p.sheet.in(protocol)
	if s == nil {
		return false
	}
	_, ok := s.Mechanisms[m]
	return ok
}

func (p Profile) can(protocol login.Protocol, t login.Transport) bool {
	s := p.sheet.in(protocol)
	if s == nil {
		return false
	}
	_, ok := s.Transports[t]
	return ok
}

// String is the profile's name.
func (p Profile) String() string { return "profile " + p.ID() }
