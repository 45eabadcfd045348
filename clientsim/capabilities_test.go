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
		{"EHLO", parseEHLO, []string{"mail", "SIZE 10", "STARTTLS", "AUTH PLAIN LOGIN"},
			offer{startTLS: true, mechanisms: names{login.PLAIN, login.LOGIN}}, "the usual"},
		{"EHLO in lower case", parseEHLO, []string{"mail", "starttls", "auth plain"},
			offer{startTLS: true, mechanisms: names{login.PLAIN}}, "RFC 5321 2.4: keywords have no letter case"},
		{"EHLO of a host called AUTH", parseEHLO, []string{"AUTH PLAIN"}, offer{}, "the first line is the greeting"},
		{"EHLO without lines", parseEHLO, nil, offer{}, "no list, nothing offered"},
		{"EHLO with an empty list", parseEHLO, []string{"mail", "AUTH"}, offer{}, "a keyword without mechanisms"},
		{"EHLO, a longer word", parseEHLO, []string{"mail", "AUTHENTICATE PLAIN", "STARTTLSX"}, offer{}, "whole words count"},
		{"CAPA", parseCAPA, []string{"USER", "STLS", "SASL CRAM-MD5", "TOP"},
			offer{startTLS: true, mechanisms: names{login.UserPass, login.CRAMMD5}}, "the usual"},
		{"CAPA in lower case", parseCAPA, []string{"stls", "sasl plain"},
			offer{startTLS: true, mechanisms: names{login.PLAIN}}, "RFC 2449 3: tags have no letter case"},
		{"CAPA without lines", parseCAPA, nil, offer{}, "refused, or empty"},
	} {
		if got := tt.parse(tt.lines); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v: %s", tt.name, got, tt.want, tt.why)
		}
	}
}
