// Package discover finds the doors of a mail server from what a user types.
package discover

import (
	"crypto/x509"

	"github.com/mailmatrix/mailmatrix/harness/remote/reach"
)

// Asked is what a user typed, understood.
type Asked struct {
	// Doors were named, as smtp://host:587.
	Doors []reach.Door
	// Names are hosts or mail domains, whose doors are to be found.
	Names []string
}

// Options say how far to look. The zero value asks DNS alone.
type Options struct {
	Route reach.Route
	// Autoconfig asks what Thunderbird and Outlook ask as well, by HTTPS.
	Autoconfig bool
	// Roots are authorities for HTTPS; nil is the machine's store.
	Roots *x509.CertPool
}

// Found is what there may be.
type Found struct {
	Doors []reach.Door
	// Elsewhere are doors of protocols that are not judged, such as
	// imap://host:143: they are named as seen.
	Elsewhere []Elsewhere
	// Notes are what was learnt besides, in sentences: a service that a domain
	// says it does not have, an answer of DNS that is wrong.
	Notes []string
}

// Elsewhere is a door that is only tried for an open port.
type Elsewhere struct {
	Protocol string // "imap", "imaps"
	Host     string
	Port     uint16
}
