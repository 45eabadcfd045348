package mech

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-sasl"
	"github.com/xdg-go/stringprep"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// ANONYMOUS lets a client in as nobody (RFC 4505).
//
// The client gives no trace: the RFC wants an address there only with the
// user's leave (RFC 4505 2), which nobody has asked for here.
var ANONYMOUS = register(Impl{
	Traits: login.Traits{Name: login.ANONYMOUS, Class: login.ShowsNothing, Presents: login.PresentsNothing, ClientFirst: true, Protocols: both,
		Refs: []string{"RFC 4505"},
		Compared: login.Comparison{
			Status:    "Proposed Standard",
			Malicious: "nothing, unless the client gives an address as trace",
			Stolen:    "nothing",
		}},
	Client: func(ClientConfig) sasl.Client { return sasl.NewAnonymousClient("") },
	Server: func(ServerConfig) Server { return &anonymousServer{} },
})

type anonymousServer struct{ asked bool }

// Username is nobody's, before and after.
func (*anonymousServer) Username() string { return "" }

func (s *anonymousServer) Next(message []byte) (challenge []byte, done bool, err error) {
	if message == nil && !s.asked { // no initial response: an empty challenge asks for it
		s.asked = true
		return []byte{}, false, nil
	}
	return nil, true, checkTrace(string(message))
}

// traceProfile is that of RFC 4505 3: nothing is mapped, only refused.
var traceProfile = stringprep.Profile{
	Prohibits: []stringprep.Set{
		stringprep.TableC2_1, stringprep.TableC2_2, stringprep.TableC3, stringprep.TableC4,
		stringprep.TableC5, stringprep.TableC6, stringprep.TableC8, stringprep.TableC9,
	},
	CheckBiDi: true,
}

// maxTrace is in characters (RFC 4505 2); an address may be longer.
const maxTrace = 255

// checkTrace: the trace is an address, or text without "@", or not there
// (RFC 4505 2).
func checkTrace(s string) error {
	// What is not UTF-8 reads as U+FFFD, which table C.6 has.
	if _, err := traceProfile.Prepare(s); err != nil {
		return fmt.Errorf("%w: the trace has a forbidden character", ErrMalformed)
	}
	if strings.Contains(s, "@") {
		// In angle brackets there can be nothing but an address (RFC 5322 3.4).
		if _, err := mail.ParseAddress("<" + s + ">"); err != nil {
			return fmt.Errorf("%w: the trace has an @ and is no address", ErrMalformed)
		}
		return nil
	}
	if utf8.RuneCountInString(s) > maxTrace {
		return fmt.Errorf("%w: the trace is longer than %d characters", ErrMalformed, maxTrace)
	}
	return nil
}
