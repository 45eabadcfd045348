package main

import (
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/scenarios/clientcases"
)

// By which cases a client is judged: a program by all, a person by those that
// were asked for.
func TestObserveClientCases(t *testing.T) {
	all := len(clientcases.All())
	for _, row := range []struct {
		name   string
		config observeConfig
		want   int // -1: more than none and fewer than all
		fails  string
	}{
		{"a program", observeConfig{exec: "x"}, all, ""},
		{"a program, one posture", observeConfig{exec: "x", only: []string{"S1"}}, 0, ""},
		{"a program, one posture and one case", observeConfig{exec: "x", only: []string{"S1"}, clients: []string{"client/smtp/002"}}, 1, ""},
		{"a program, one protocol", observeConfig{exec: "x", protocol: []string{"pop3"}}, -1, ""},
		{"a program, none", observeConfig{exec: "x", clients: []string{"none"}}, 0, ""},
		{"a person", observeConfig{}, 0, ""},
		{"a person, all", observeConfig{clients: []string{"all"}}, all, ""},
		{"a person, by source", observeConfig{clients: []string{"rfc3207"}}, -1, ""},
		{"a typing error", observeConfig{exec: "x", clients: []string{"client/smtp/0022"}}, 0, "--client-cases"},
		{"of the other protocol", observeConfig{exec: "x", protocol: []string{"pop3"}, clients: []string{"client/smtp/002"}}, 0, "--client-cases"},
	} {
		got, err := row.config.clientCases()
		switch {
		case row.fails != "":
			if err == nil || !strings.Contains(err.Error(), row.fails) {
				t.Errorf("%s: %v", row.name, err)
			}
		case err != nil, row.want >= 0 && len(got) != row.want, row.want < 0 && (len(got) == 0 || len(got) == all):
			t.Errorf("%s: %d cases, %v", row.name, len(got), err)
		}
	}
}

// What is printed: each case with its verdict, and the reason of what is not
// well.
func TestWriteVerdicts(t *testing.T) {
	run := &observation{config: observeConfig{name: "mine"}, conducts: map[string]clientcases.Conduct{}}
	var b strings.Builder
	if err := run.writeVerdicts(&b); err != nil || b.Len() > 0 {
		t.Errorf("nothing was offered: %q, %v", b.String(), err)
	}
	for _, c := range clientcases.All() {
		if c.ID == "client/smtp/001" || c.ID == "client/smtp/002" || c.ID == "client/smtp/017" {
			run.judged = append(run.judged, c)
		}
	}
	sin := clientcases.Sabotage{Heard: []string{"S 220 mail", "C EHLO a", "S 250 AUTH PLAIN", "C AUTH PLAIN AGEAYg==", "S 235 in"}}.Conduct(login.SMTP)
	for _, s := range run.judged[1].Situations {
		run.keepConduct(s, &sin)
	}
	run.keepConduct(run.judged[2].Situations[0], nil) // it has no such setting
	if err := run.writeVerdicts(&b); err != nil {
		t.Fatal(err)
	}
	want := `
CLIENT CASES   in 2 situations: 1 FAIL, 2 na

 client/smtp/001 MUST     na      A login to a good server
 client/smtp/002 MUST     FAIL    STARTTLS stripped from EHLO
                 STARTTLS is not listed, TLS required: it began to log in in clear (PLAIN)
 client/smtp/017 MUST     na      TLS from the start means no word in clear
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
