// Package ntlm speaks both halves of NTLM (Microsoft's MS-NLMP), as far as a mail login needs it: three messages, four
// kinds of response, and no signing or sealing afterwards.
//
// The client sends a [Negotiate] (type 1), the server answers with a [Challenge] (type 2) that carries eight random bytes,
// and the client proves in an [Authenticate] (type 3) that it knows the password. How well the proof resists somebody who
// listened is its [Kind]; an [Acceptor] decides which kinds are good enough, a [Client] speaks exactly the kind it is told
// to, and [Cracks] is the listener.
//
// Section numbers in comments are those of MS-NLMP. Nothing here panics, whatever the other side sends.
package ntlm

import "errors"

// ErrMalformed is what every parser's error wraps.
var ErrMalformed = errors.New("ntlm: malformed message")
