package mech

import (
	"errors"

	"github.com/emersion/go-sasl"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// GSSAPI is Kerberos V5 (RFC 4752). The document's server never has it, so
// it has no server half here: every server answers that it is not available.
var GSSAPI = register(Impl{
	Traits: login.Traits{Name: login.GSSAPI, Class: login.ShowsIdentity, Protocols: both, Refs: []string{"RFC 4752"}},
	Client: func(ClientConfig) sasl.Client { return ticketless{} },
})

// ticketless is a client without a ticket: it asks for the mechanism and has
// nothing to answer a challenge with.
type ticketless struct{}

var errNoTicket = errors.New("no Kerberos ticket for this server")

func (ticketless) Start() (string, []byte, error) { return string(login.GSSAPI), nil, nil }

func (ticketless) Next([]byte) ([]byte, error) { return nil, errNoTicket }
