package ntlm

import (
	"errors"
	"testing"
)

// Somebody in the middle who takes the code out of the message has to take the promise out of the proof too.
func TestMICCannotBeDropped(t *testing.T) {
	client := Client{User: "u", Password: rightPassword}
	e, err := knows("u", rightPassword, V2).Challenge(client.Negotiate())
	mustEqual(t, err, nil)
	answer, err := client.Authenticate(e.Message())
	mustEqual(t, err, nil)
	m, err := ParseAuthenticate(answer)
	mustEqual(t, err, nil)
	mustEqual(t, m.promisesMIC(), true)
	m.MIC = nil
	_, err = e.Finish(m.Marshal())
	mustEqual(t, errors.Is(err, ErrCredentials), true)
}
