package policy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/clientsim"
)

// User is a client that people use, and how many of them.
type User struct {
	Profile clientsim.Profile
	Weight  int64
}

// maxWeight keeps sums of weights exact.
const maxWeight = 1_000_000_000

// ParseUsers reads lines of "client: weight" or "client,weight", as YAML or CSV
// would have them; name is the file's, for messages. Empty lines, and what
// begins with "#", say nothing; a first line "client,weight" is a heading.
func ParseUsers(name string, data []byte) ([]User, error) {
	var users []User
	first := true
	for i, line := range strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		heading := first && strings.EqualFold(strings.ReplaceAll(line, " ", ""), "client,weight")
		first = false
		if heading {
			continue
		}
		user, err := parseUser(line)
		if err == nil && slices.ContainsFunc(users, func(u User) bool { return u.Profile.ID() == user.Profile.ID() }) {
			err = fmt.Errorf("%s is named twice", user.Profile.ID())
		}
		if err != nil {
			return nil, fmt.Errorf("users %s, line %d: %w", name, i+1, err)
		}
		users = append(users, user)
	}
	if len(users) == 0 {
		return nil, fmt.Errorf("users %s names nobody: write, for example, `outlook: 120`", name)
	}
	return users, nil
}

func parseUser(line string) (User, error) {
	at := strings.IndexAny(line, ":,")
	if at < 0 {
		// The line is not shown: the file may be another than was meant.
		return User{}, errors.New("this is no `client: weight`")
	}
	client, text := strings.Trim(strings.TrimSpace(line[:at]), `"'`), strings.TrimSpace(line[at+1:])
	profile, err := clientOf(client)
	if err != nil {
		return User{}, err
	}
	weight, err := strconv.ParseInt(text, 10, 64)
	if err != nil || weight < 1 || weight > maxWeight {
		return User{}, fmt.Errorf("the weight of %s is %q: a whole number from 1 to %d is wanted", client, text, maxWeight)
	}
	return User{profile, weight}, nil
}

// ParseKeep reads names of clients, each of which counts as one user.
func ParseKeep(names []string) ([]User, error) {
	var users []User
	for _, name := range names {
		profile, err := clientOf(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(users, func(u User) bool { return u.Profile.ID() == profile.ID() }) {
			users = append(users, User{profile, 1})
		}
	}
	return users, nil
}

// clientOf is a client by its name; the probe is none, and logs in with
// anything.
func clientOf(name string) (clientsim.Profile, error) {
	p, err := clientsim.Get(name)
	if err == nil && p.Probe() {
		err = fmt.Errorf("%s is no client, but a measuring device", p.Name)
	}
	return p, err
}

// Both are the clients of two lists; the weights of the second win.
func Both(keep, users []User) []User {
	all := slices.Clone(users)
	for _, k := range keep {
		if !slices.ContainsFunc(users, func(u User) bool { return u.Profile.ID() == k.Profile.ID() }) {
			all = append(all, k)
		}
	}
	return all
}
