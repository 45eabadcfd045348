package discover

import (
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Whatever a domain serves, it is read or refused, and what was read has a
// port.
func FuzzSettings(f *testing.F) {
	f.Add([]byte(`<clientConfig><emailProvider><incomingServer type="pop3"><hostname>a</hostname><port>110</port><socketType>SSL</socketType></incomingServer></emailProvider></clientConfig>`))
	f.Add([]byte(`<Autodiscover><Response><Account><Protocol><Type>SMTP</Type><Server>a</Server></Protocol></Account></Response></Autodiscover>`))
	f.Add([]byte(`<a><a><a>`))
	f.Add([]byte("\xff\xfe<"))
	f.Fuzz(func(t *testing.T, body []byte) {
		first, err1 := readAutoconfig(body, "example.test")
		second, err2 := readAutodiscover(body)
		if len(first) == 0 && err1 == nil || len(second) == 0 && err2 == nil {
			t.Error("nothing was read, and nothing is wrong")
		}
		for _, s := range append(first, second...) {
			if s.port == 0 || s.protocol != "" && s.protocol != login.SMTP && s.protocol != login.POP3 {
				t.Errorf("%+v", s)
			}
		}
	})
}

func TestAutodiscoverPorts(t *testing.T) {
	for _, row := range []struct {
		name, why, body string
		want            server
	}{
		{"SSL on the usual port", "TLS from the first octet", "<Type>POP3</Type><Port>995</Port><SSL>on</SSL>", server{login.POP3, "a", 995, true, false}},
		{"SSL on a clear port", "the port says which TLS is meant", "<Type>POP3</Type><Port>110</Port><SSL>on</SSL>", server{login.POP3, "a", 110, false, false}},
		{"SSL without a port", "the usual one", "<Type>SMTP</Type><SSL>on</SSL>", server{login.SMTP, "a", 465, true, false}},
		{"nothing said", "SSL is on where it is not off", "<Type>SMTP</Type>", server{login.SMTP, "a", 465, true, false}},
		{"SSL off", "in clear", "<Type>SMTP</Type><SSL>off</SSL>", server{login.SMTP, "a", 587, false, true}},
		{"Encryption TLS", "it wins over SSL, and means STARTTLS", "<Type>SMTP</Type><SSL>off</SSL><Encryption>TLS</Encryption>", server{login.SMTP, "a", 587, false, false}},
		{"Encryption SSL", "on any port", "<Type>SMTP</Type><Port>2465</Port><Encryption>SSL</Encryption>", server{login.SMTP, "a", 2465, true, false}},
		{"Encryption None", "in clear", "<Type>POP3</Type><Encryption>None</Encryption>", server{login.POP3, "a", 110, false, true}},
	} {
		got, err := readAutodiscover([]byte("<Autodiscover><Response><Account><Protocol><Server>a</Server>" + row.body +
			"</Protocol></Account></Response></Autodiscover>"))
		if err != nil || len(got) != 1 || got[0] != row.want {
			t.Errorf("%s: %+v, %v, want %+v: %s", row.name, got, err, row.want, row.why)
		}
	}
}
