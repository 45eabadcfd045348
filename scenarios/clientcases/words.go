package clientcases

import (
	"slices"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/recording"
)

const (
	must     = login.Must
	should   = login.Should
	practice = login.Practice

	smtp = login.SMTP
	pop3 = login.POP3

	off = recording.Off
)

// refs are sources: "RFC 3207 4", "CVE-2021-22947".
func refs(sources ...string) []string { return sources }

// all puts lists of situations together.
func all(lists ...[]Situation) []Situation { return slices.Concat(lists...) }

// one is a list of one situation.
func one(s Situation) []Situation { return []Situation{s} }

// sinner is the sabotage by a client that sins in that way: see sinners.yaml.
func sinner(state string) Sabotage { return Sabotage{Sinner: state} }

// heard is the sabotage by what a server hears: "C " before a line of the
// client's, "S " before one of the server's, "C+ " and "S+ " inside TLS.
func heard(lines ...string) Sabotage { return Sabotage{Heard: lines} }
