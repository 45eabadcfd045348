package ntlm

import (
	"errors"
	"testing"

	ntlmssp "github.com/Azure/go-ntlmssp"
)

// Azure's go-ntlmssp is a client that we did not write.
func TestAzureClient(t *testing.T) {
	for _, test := range []struct {
		name, user, password string
		want                 error
		result               Result
	}{
		{"right", "user", rightPassword, nil, Result{User: "user", Workstation: "WS", Kind: V2}},
		{"right, with a domain", `Domain\user`, rightPassword, nil,
			Result{User: "user", Domain: "Domain", Workstation: "WS", Kind: V2}},
		{"wrong password", "user", "wrong", ErrCredentials, Result{User: "user", Workstation: "WS", Kind: V2}},
		{"unknown user", "nobody", rightPassword, ErrCredentials, Result{User: "nobody", Workstation: "WS", Kind: V2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			negotiate, err := ntlmssp.NewNegotiateMessage("", "WS")
			mustEqual(t, err, nil)
			e, err := knows("user", rightPassword, V2).Challenge(negotiate)
			mustEqual(t, err, nil)
			options := &ntlmssp.AuthenticateMessageOptions{WorkstationName: "WS"}
			answer, err := ntlmssp.NewAuthenticateMessage(e.Message(), test.user, test.password, options)
			mustEqual(t, err, nil)
			result, err := e.Finish(answer)
			mustEqual(t, errors.Is(err, test.want), true)
			mustEqual(t, result, test.result)
			mustEqual(t, Cracks(e.Message(), answer, rightPassword), test.password == rightPassword)
		})
	}
}
