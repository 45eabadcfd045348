package wire

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
)

// What we say is hidden by the code that says it (see [Conn.SendSecret]). Of what
// a server echoes nobody else can know, so its lines are searched.

// echoed stands in the place of what is hidden.
const echoed = "<a secret, echoed>"

// replyHead is what says how a reply is meant. It holds no secret.
var replyHead = regexp.MustCompile(`^(?:\d{3}[ -]|\+OK |-ERR |\+ )`)

// Veil is a line of a server as it may be shown. One that holds a needle is hidden
// whole behind its code, because the needle may have been encoded.
func (s *Searcher) Veil(line string) string {
	head := replyHead.FindString(line)
	// "250-" is glued to what follows, and would be decoded with it.
	if len(s.Find([]byte(line))) == 0 && len(s.Find([]byte(line[len(head):]))) == 0 {
		return line
	}
	return head + echoed
}

// VeilAll is a transcript as it may be shown; the marks stay.
func (s *Searcher) VeilAll(transcript []string) []string {
	shown := make([]string, len(transcript))
	for i, line := range transcript {
		mark, text, _ := strings.Cut(line, " ")
		shown[i] = mark + " " + s.Veil(text)
	}
	return shown
}

// Forms are needles for a secret that may be shorter than the words that a
// search decodes: itself, and its encodings as they are. "" has none.
func Forms(secret string) []Needle {
	if secret == "" {
		return nil
	}
	return []Needle{{Text: secret}, {Text: hex.EncodeToString([]byte(secret))}, {Text: base64.RawStdEncoding.EncodeToString([]byte(secret))}}
}
