package harness

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Grid says which part of the matrix to plan. An empty axis is the whole of
// it; the zero value is the default run.
type Grid struct {
	Flavours    []login.Flavour
	Protocols   []login.Protocol
	Transports  []login.Transport
	Mechanisms  []login.Mechanism
	Settings    []login.Setting
	Profiles    []string
	Databases   []login.Database
	Overrides   []login.Override
	Credentials []login.Credential

	// Full crosses every axis for every profile.
	Full bool
	// Policy, where given, replaces mechanism and setting: who can log in
	// under this one?
	Policy *login.Policy
	// Cases select compliance cases: see [SelectCases]. With nothing else
	// chosen, nothing else runs. None of them is all, where nothing is narrowed.
	Cases []string
	// Catalogue is the release whose cases run; "" is the newest.
	Catalogue string
	// Extra profiles stand beside the built-in ones.
	Extra []clientsim.Profile
}

// Selection is what narrows the grid, as a report prints it.
func (g Grid) Selection() map[string][]string {
	s := map[string][]string{}
	put(s, "flavour", g.Flavours)
	put(s, "protocol", g.Protocols)
	put(s, "transport", g.Transports)
	put(s, "mechanism", g.Mechanisms)
	put(s, "profile", g.Profiles)
	put(s, "database", g.Databases)
	put(s, "override", g.Overrides)
	put(s, "credential", g.Credentials)
	put(s, "cases", g.Cases)
	if g.Full {
		s["full"] = []string{"true"}
	}
	for _, setting := range g.Settings {
		s["setting"] = append(s["setting"], setting.String())
	}
	return s
}

// narrowed: something else than the clients is chosen.
func (g Grid) narrowed() bool {
	s := g.Selection()
	delete(s, "profile")
	delete(s, "full")
	return len(s) > 0
}

// whole: nothing is narrowed, and everybody's policy is the document's.
func (g Grid) whole() bool {
	s := g.Selection()
	delete(s, "full")
	return len(s) == 0 && g.Policy == nil
}

func put[T ~string](selection map[string][]string, axis string, values []T) {
	for _, v := range values {
		selection[axis] = append(selection[axis], string(v))
	}
}

// narrow keeps the values of an axis that were asked for.
func narrow[T comparable](all, asked []T) []T {
	if len(asked) == 0 {
		return all
	}
	var kept []T
	for _, v := range all {
		if slices.Contains(asked, v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// wants reports whether an axis lets v through; a scenario without the field
// (the zero value) always passes.
func wants[T comparable](asked []T, v T) bool {
	var none T
	return len(asked) == 0 || v == none || slices.Contains(asked, v)
}

// profiles resolves the names that were asked for, among built-in and extra.
func (g Grid) profiles() ([]clientsim.Profile, error) {
	all := append(clientsim.All(), g.Extra...)
	names := make([]string, len(all))
	for i, p := range all {
		if slices.Contains(names[:i], p.Name) {
			return nil, fmt.Errorf("there are two profiles called %q: give yours another name", p.Name)
		}
		names[i] = p.Name
	}
	if len(g.Profiles) == 0 {
		if g.Full {
			return withVariants(all), nil
		}
		return all, nil
	}
	var kept []clientsim.Profile
	for _, asked := range g.Profiles {
		asked, variant := login.SplitProfile(asked)
		name, err := login.ParseName("profile", asked, names)
		if err != nil {
			return nil, err
		}
		p, err := all[slices.Index(names, name)].In(variant)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(kept, func(k clientsim.Profile) bool { return k.ID() == p.ID() }) {
			kept = append(kept, p)
		}
	}
	return kept, nil
}

// withVariants follows each profile by its other settings states.
func withVariants(all []clientsim.Profile) []clientsim.Profile {
	var more []clientsim.Profile
	for _, p := range all {
		more = append(append(more, p), p.Variants()...)
	}
	return more
}

// NothingMatchedError says that a selection left nothing to run.
type NothingMatchedError struct{ Selection map[string][]string }

func (e *NothingMatchedError) Error() string {
	var parts []string
	for _, axis := range slices.Sorted(maps.Keys(e.Selection)) {
		parts = append(parts, axis+" "+strings.Join(e.Selection[axis], ","))
	}
	return fmt.Sprintf("nothing matches %s: `mailmatrix plan` prints what there is", strings.Join(parts, ", "))
}
