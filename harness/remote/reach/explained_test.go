package reach

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Each stage can go wrong, and each way has a sentence for each kind of door,
// with a part behind the colon that says what to do or where to look.
func TestExplained(t *testing.T) {
	for _, s := range login.Stages() {
		if len(explanations[s]) == 0 {
			t.Errorf("%s: nothing is explained", s)
		}
		for status := range explanations[s] {
			for _, p := range login.Protocols() {
				sentence := explain(Door{Protocol: p, Host: "mail.example.test", Port: 25}, s, status, "it said \"x\"")
				if len(sentence) < 40 || strings.ContainsAny(sentence, "{}") || !strings.HasSuffix(sentence, " (it said \"x\")") {
					t.Errorf("%s %s: %q", s, status, sentence)
				}
				if strings.ContainsAny(status, " _") || strings.ToLower(status) != status {
					t.Errorf("%s: %q is not one word", s, status)
				}
			}
		}
	}
}
