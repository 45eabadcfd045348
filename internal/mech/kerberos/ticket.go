package kerberos

import (
	"errors"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// FromKDC is a ticket that gokrb5's client was given, with its session key, in
// the form in which tickets pass between our programs.
func FromKDC(client string, t messages.Ticket, session types.EncryptionKey) (login.Ticket, error) {
	encoded, err := t.Marshal()
	return login.Ticket{
		Realm: t.Realm, Client: client, Service: t.SName.PrincipalNameString(),
		Encoded: encoded, KeyType: session.KeyType, Key: session.KeyValue,
	}, err
}

// open is FromKDC's way back.
func open(t login.Ticket) (messages.Ticket, types.EncryptionKey, error) {
	session := types.EncryptionKey{KeyType: t.KeyType, KeyValue: t.Key}
	var ticket messages.Ticket
	if err := ticket.Unmarshal(t.Encoded); err != nil {
		return ticket, session, errors.New("kerberos: this is no ticket")
	}
	if !usable(session) {
		return ticket, session, errors.New("kerberos: the ticket's session key is of no type that is used here")
	}
	return ticket, session, nil
}

// principal is a client's name, divided into its components.
func principal(name string) types.PrincipalName {
	return types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, name)
}
