package ledger

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/internal/wire"
)

// echoes hides what of the account a server repeats: what the account holds,
// what was said of it, and the proofs in that. What we say is hidden by the code
// that says it (see [wire.Conn.SendSecret]); of an answer nobody else can know.
// Lanes share it, and it forgets nothing: a server may repeat on one connection
// what it has heard on another.
type echoes struct {
	mu      sync.Mutex
	name    string
	needles []wire.Needle
	search  *wire.Searcher
}

func echoesOf(name, password string, issued login.Issued) *echoes {
	e := &echoes{name: name}
	for _, secret := range []string{password, issued.Token} {
		e.needles = append(e.needles, wire.Forms(secret)...)
	}
	for line := range strings.Lines(string(issued.Key)) {
		if !strings.HasPrefix(line, "-----") { // PEM's frame is no secret
			e.add(strings.TrimSpace(line))
		}
	}
	for _, ticket := range issued.Tickets {
		e.add(string(ticket.Key), string(ticket.Encoded))
	}
	e.search = wire.NewSearcher(e.needles...)
	return e
}

func (e *echoes) add(texts ...string) {
	for _, text := range texts {
		if n := (wire.Needle{Text: text}); text != "" && !slices.Contains(e.needles, n) {
			e.needles = append(e.needles, n)
		}
	}
}

// tellable is the least length of a message that can be told from other words.
// What is shorter is the name, or holds nothing.
const tellable = 8

// sent takes what was said in an exchange.
func (e *echoes) sent(messages [][]byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range messages {
		if len(m) < tellable || strings.EqualFold(string(m), e.name) {
			continue
		}
		e.add(string(m))
		e.add(proofs(m)...)
	}
	e.search = wire.NewSearcher(e.needles...)
}

// digestLike is a word as CRAM-MD5, APOP, DIGEST-MD5 and SCRAM write a proof:
// SCRAM-SHA-1's are the shortest.
var digestLike = regexp.MustCompile(`[0-9A-Za-z+/]{27,}`)

// proofs are those in a message, as they stand there and decoded.
func proofs(message []byte) []string {
	if strings.HasPrefix(string(message), "NTLMSSP\x00\x03") {
		return responses(message)
	}
	var all []string
	for _, word := range digestLike.FindAllString(string(message), -1) {
		all = append(all, word)
		if b, err := hex.DecodeString(word); err == nil {
			all = append(all, string(b))
		} else if b, err := base64.RawStdEncoding.DecodeString(word); err == nil {
			all = append(all, string(b))
		}
	}
	return all
}

// responses are the two of NTLM's AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3), and
// of NTLMv2's the proof with which it begins (2.2.2.8).
func responses(message []byte) []string {
	const proof = 16
	var all []string
	for _, field := range []int{12, 20} {
		if len(message) < field+8 {
			break
		}
		size, from := int(binary.LittleEndian.Uint16(message[field:])), int64(binary.LittleEndian.Uint32(message[field+4:]))
		if size < proof || from+int64(size) > int64(len(message)) {
			continue
		}
		response := string(message[from : from+int64(size)])
		if strings.Trim(response, "\x00") != "" { // none was made
			all = append(all, response, response[:proof])
		}
	}
	return all
}

// hide is a line of the server as it may be shown.
func (e *echoes) hide(line string) string { return e.now().Veil(line) }

// hideAll is a transcript as it may be shown.
func (e *echoes) hideAll(transcript []string) []string { return e.now().VeilAll(transcript) }

// now is the search for all that was said so far.
func (e *echoes) now() *wire.Searcher {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.search
}

// clean is an error as it may be shown. One about what is no reply quotes it,
// and cut off: what is left of a secret is not found.
func clean(err error) error {
	if errors.Is(err, wire.ErrNoReply) {
		return wire.ErrNoReply
	}
	return err
}
