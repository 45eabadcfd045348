package clientsim

import (
	"reflect"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

func TestParseCapabilities(t *testing.T) {
	t.Parallel()
	type names = []login.Mechanism
	for _, tt := range []struct {
		name  string
		parse func([]string) offer
		lines []string
		want  offer
		why   string
	}{
		{"EHLO", new(helloSheet).parseEHLO, []string{"mail", "SIZE 10", "STARTTLS", "AUTH PLAIN LOGIN"},
			offer{startTLS: true, listed: true, mechanisms: names{login.PLAIN, login.LOGIN}}, "the usual"},
		{"EHLO in lower case", new(helloSheet).parseEHLO, []string{"mail", "starttls", "auth plain"},
			offer{startTLS: true, listed: true, mechanisms: names{login.PLAIN}}, "RFC 5321 2.4: keywords have no letter case"},
		{"EHLO of a host called AUTH", new(helloSheet).parseEHLO, []string{"AUTH PLAIN"}, offer{}, "the first line is the greeting"},
		{"EHLO without lines", new(helloSheet).parseEHLO, nil, offer{}, "no list, nothing offered"},
		{"EHLO with an empty list", new(helloSheet).parseEHLO, []string{"mail", "AUTH"}, offer{listed: true}, "a keyword without mechanisms"},
		{"EHLO, a longer word", new(helloSheet).parseEHLO, []string{"mail", "AUTHENTICATE PLAIN", "STARTTLSX"}, offer{}, "whole words count"},
		{"CAPA", new(listsSheet).parseCAPA, []string{"USER", "STLS", "SASL CRAM-MD5", "TOP"},
			offer{startTLS: true, listed: true, mechanisms: names{login.UserPass, login.CRAMMD5}}, "the usual"},
		{"CAPA in lower case", new(listsSheet).parseCAPA, []string{"stls", "sasl plain"},
			offer{startTLS: true, listed: true, mechanisms: names{login.PLAIN}}, "RFC 2449 3: tags have no letter case"},
		{"CAPA without lines", new(listsSheet).parseCAPA, nil, offer{}, "refused, or empty"},
	} {
		got := tt.parse(tt.lines)
		got.keywords = nil
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v: %s", tt.name, got, tt.want, tt.why)
		}
	}
}
