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
	Name   string // as in IDs and flags
	Title  string // as people call it
	Family string // who shares its code

	sheet *sheet
}

//go:embed profiles/*.yaml
var files embed.FS

// builtin reads the embedded files once. That each of them is right is
// tested, so a wrong one here is a program that was never tested.
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
		p, err := Load(path.Join("clientsim", name), data)
		if err != nil {
			panic(err)
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Profile) int { return strings.Compare(a.Name, b.Name) })
	return all
})

// All returns the built-in profiles, sorted by name.
func All() []Profile { return slices.Clone(builtin()) }

// Get finds a built-in profile by name, in any letter case. The error of an
// unknown one names the nearest.
func Get(name string) (Profile, error) {
	all := builtin()
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.Name
	}
	name, err := login.ParseName("profile", name, names)
	if err != nil {
		return Profile{}, err
	}
	return all[slices.Index(names, name)], nil
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
				lacks = append(lacks, login.Lack{Profile: p.Name, Protocol: protocol, Mechanism: m.Name})
			}
		}
		for _, t := range login.Transports() {
			if !p.can(protocol, t) {
				lacks = append(lacks, login.Lack{Profile: p.Name, Protocol: protocol, Transport: t})
			}
		}
	}
	return lacks
}

// Facts is what an oracle may know of the client.
func (p Profile) Facts() login.ClientFacts {
	f := login.ClientFacts{
		Profile:      p.Name,
		TriesAnyway:  p.Probe(),
		Looks:        map[login.Protocol][]login.Mechanism{},
		Chooses:      map[login.Protocol][]login.Mechanism{},
		Initial:      map[login.Protocol][]login.Mechanism{},
		AfterRefusal: map[login.Protocol][]login.Mechanism{},
	}
	for _, protocol := range login.Protocols() {
		s := p.sheet.in(protocol)
		if s == nil {
			continue
		}
		for _, m := range p.Mechanisms(protocol) {
			if s.Mechanisms[m].Looks != nowhere {
				f.Looks[protocol] = append(f.Looks[protocol], m)
			}
		}
		f.Chooses[protocol] = s.Choice.Value
		f.Initial[protocol] = s.Initial.Value
		f.AfterRefusal[protocol] = s.AfterRefusal.Value
	}
	if p.sheet != nil && p.sheet.NTLM != nil {
		f.NTLM, f.WindowsUserFirst = p.sheet.NTLM.Kind.Value, p.sheet.NTLM.WindowsUserFirst.Value
	}
	if p.sheet != nil && p.sheet.TLS != nil {
		t := p.sheet.TLS
		f.NoTLS12 = t.newest() < "1.2"
		f.Verifies, f.CanTrust, f.NameMatch = t.Verifies.Value, t.CanTrust.Value, t.Names.Value
	}
	return f
}

// Confidence is how well the weakest fact is known on which a login rests.
func (p Profile) Confidence(protocol login.Protocol, m login.Mechanism, t login.Transport) login.Confidence {
	s := p.sheet.in(protocol)
	if s == nil {
		return login.Assumed
	}
	rests := []login.Confidence{s.Transports[t].Confidence}
	used := []login.Mechanism{m}
	if m == login.Auto {
		rests = append(rests, s.Choice.Confidence)
		used = s.Choice.Value
	}
	for _, m := range used {
		rests = append(rests, s.Mechanisms[m].Confidence)
		if speaksFirst(m) {
			rests = append(rests, s.Initial.Confidence)
		}
		if messages[m] > 0 {
			rests = append(rests, s.AfterRefusal.Confidence)
		}
		if n := p.sheet.NTLM; n != nil && m == login.NTLM {
			rests = append(rests, n.Kind.Confidence, n.WindowsUserFirst.Confidence)
		}
	}
	if e := p.sheet.TLS; e != nil && t.Encrypted() {
		rests = append(rests, e.Versions.Confidence, e.Verifies.Confidence, e.Names.Confidence)
	}
	return login.Weakest(rests...)
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
func (p Profile) String() string { return fmt.Sprintf("profile %s", p.Name) }
