package recording

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func testCases(t *testing.T) Cases {
	t.Helper()
	cases, err := ReadCases(bytes.NewReader(readFile(t, "testdata/cases.json")))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestRoundTrip: what is read is written again octet for octet, so nothing of
// a record is lost or made up.
func TestRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		records    int
	}{
		{"all", "testdata/recorded-logins.jsonl", 973},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := readFile(t, tt.file)
			records, err := ReadRecords(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if len(records) == 0 || tt.records != 0 && len(records) != tt.records {
				t.Fatalf("read %d records, want %d", len(records), tt.records)
			}
			if err := CheckCases(records, testCases(t)); err != nil {
				t.Error(err)
			}
			var written bytes.Buffer
			for _, r := range records {
				if err := WriteRecord(&written, r); err != nil {
					t.Fatal(err)
				}
				if d := Compare(r, r); len(d) != 0 {
					t.Errorf("%s/%s/%s differs from itself: %v", r.Client, r.Variant, r.Case, d)
				}
			}
			read, got := strings.Split(string(data), "\n"), strings.Split(written.String(), "\n")
			for i := range min(len(read), len(got)) {
				if read[i] != got[i] {
					t.Fatalf("line %d\n was %s\n now %s", i+1, read[i], got[i])
				}
			}
			if len(read) != len(got) {
				t.Errorf("%d lines became %d", len(read), len(got))
			}
		})
	}
}

// TestCasesRoundTrip: each case of the file means the same after it was read.
func TestCasesRoundTrip(t *testing.T) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(readFile(t, "testdata/cases.json"), &raw); err != nil {
		t.Fatal(err)
	}
	cases := testCases(t)
	if len(cases) != 60 || len(cases) != len(raw) {
		t.Fatalf("read %d cases of %d, want 60", len(cases), len(raw))
	}
	for name, want := range raw {
		got, err := json.Marshal(cases[name])
		if err != nil {
			t.Fatal(err)
		}
		if canonical(t, got) != canonical(t, want) {
			t.Errorf("%s\n was %s\n now %s", name, canonical(t, want), canonical(t, got))
		}
	}
}

// canonical is JSON with its fields in order.
func canonical(t *testing.T, data []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

const goodRecord = `{"client":"c","variant":"","version":"1","case":"S1","proto":"smtp","client_tls":"off","trust":"default",` +
	`"offer":{"tls":"none","mechs":["PLAIN"]},"commands":["c1 clear QUIT"],"attempts":[],"names":[],"capa":0,"quit":true,` +
	`"tls_up":false,"cert_fail":null,"conns":1,"starttls_sent":0,"clear_password":[],"clear_hash":[],"unauth_commands":[],` +
	`"ok":false,"rc":0,"timed_out":false}`

// TestBadRecords: the error names the line and what is wrong with it.
func TestBadRecords(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"bad JSON", `"quit":true`, `"quit":`, "bad JSON at octet"},
		{"cut off", `"ok":false,"rc":0,"timed_out":false}`, `"ok":`, "bad JSON: it ends too soon"},
		{"unknown field", `"quit":true`, `"quitted":true`, `unknown field "quitted"`},
		{"unknown field of the offer", `"tls":"none"`, `"ssl":"none"`, `unknown field "ssl"`},
		{"field twice", `"quit":true`, `"quit":true,"quit":false`, `field "quit" stands there twice`},
		{"field twice in other letters", `"rc":0`, `"rc":0,"RC":1`, `field "RC" stands there twice`},
		{"field of another kind", `"capa":0`, `"capa":"0"`, `field "capa" does not take JSON of the kind string`},
		{"something behind", `"timed_out":false}`, `"timed_out":false} {}`, "something follows"},
		{"no client", `"client":"c"`, `"client":""`, "it has no client"},
		{"no such protocol", `"proto":"smtp"`, `"proto":"imap"`, `proto cannot be "imap"`},
		{"no such mode", `"client_tls":"off"`, `"client_tls":"on"`, `mode cannot be "on"`},
		{"no such trust", `"trust":"default"`, `"trust":"all"`, `trust cannot be "all"`},
		{"no such TLS", `"tls":"none"`, `"tls":"some"`, `tls cannot be "some"`},
		{"no such certificate", `"tls":"none"`, `"cert":"bad"`, `cert cannot be "bad"`},
		{"no mechanism", `["PLAIN"]`, `["PLAIN LOGIN"]`, `"PLAIN LOGIN" is not the name of a mechanism`},
		{"no command", `"c1 clear QUIT"`, `"QUIT"`, `"QUIT" is not a command`},
		{"attempt in no channel", `"attempts":[]`, `"attempts":[{"mech":"PLAIN","ir":true,"ch":"dark","conn":1,"res":"ok"}]`, `ch cannot be "dark"`},
		{"attempt on no connection", `"attempts":[]`, `"attempts":[{"mech":"PLAIN","ir":true,"ch":"tls","conn":2,"res":"ok"}]`, "connection 2 of 1"},
		{"attempt without an end", `"attempts":[]`, `"attempts":[{"mech":"PLAIN","ir":true,"ch":"tls","conn":1}]`, "has a mech and a res"},
		{"reply of two lines", `"tls":"none"`, `"tls":"none","reject":{"*":"535 a\r\n535 b"}`, "is not one line"},
		{"not an object", goodRecord, `[]`, `field "(the whole)" does not take JSON of the kind array`},
	} {
		bad := strings.Replace(goodRecord, tt.old, tt.new, 1)
		if bad == goodRecord {
			t.Fatalf("%s: nothing was changed", tt.name)
		}
		_, err := ReadRecords(strings.NewReader(goodRecord + "\n\n" + bad + "\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "line 3: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want line 3 and %q", tt.name, err, tt.want)
		}
	}
	if records, err := ReadRecords(strings.NewReader(goodRecord)); err != nil || len(records) != 1 {
		t.Errorf("without a line's end: %d records, %v", len(records), err)
	}
}

// TestUnknownCase: a record's case must be there, and be the record's.
func TestUnknownCase(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"unknown", `"case":"S1"`, `"case":"S99"`, `line 1: no case is called "S99"`},
		{"another offer", `["PLAIN"]`, `["LOGIN"]`, `line 1: c/ was recorded under another case "S1"`},
		{"another mode", `"client_tls":"off"`, `"client_tls":"opp"`, `line 1: c/ was recorded under another case "S1"`},
	} {
		records, err := ReadRecords(strings.NewReader(strings.Replace(goodRecord, tt.old, tt.new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckCases(records, testCases(t)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestBadCases(t *testing.T) {
	const good = "{\n \"A\": {\"name\": \"A\", \"proto\": \"smtp\", \"mode\": \"off\", \"trust\": \"default\", \"doc\": \"\", \"spec\": {\"mechs\": []}}"
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", "line 1: bad JSON: it ends too soon"},
		{"a list", "[]", "line 1: the cases are an object by name"},
		{"cut off", good, "line 2: bad JSON: it ends too soon"},
		{"something behind", good + "}\n{}", "line 3: something follows"},
		{"twice", good + ",\n" + good[2:] + "}", `line 3: case "A" stands there twice`},
		{"another name", strings.Replace(good, `"A":`, `"B":`, 1) + "}", `line 2: case "B": it calls itself "A"`},
		{"unknown field", strings.Replace(good, `"mechs"`, `"mechanisms"`, 1) + "}", `unknown field "mechanisms"`},
		{"messages", strings.Replace(good, `"mechs"`, `"messages": 1, "mechs"`, 1) + "}", "mailboxes are empty"},
		{"bad JSON", strings.Replace(good, `"off"`, `off`, 1) + "}", "line 2: bad JSON"},
	} {
		_, err := ReadCases(strings.NewReader(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func FuzzReadRecords(f *testing.F) {
	f.Add([]byte(goodRecord))
	f.Add([]byte(goodRecord + "\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, err := ReadRecords(bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("no line in %q", err)
			}
			return
		}
		for _, r := range records { // what was read can be written and read again
			var once, twice bytes.Buffer
			if err := WriteRecord(&once, r); err != nil {
				t.Fatal(err)
			}
			again, err := ReadRecords(bytes.NewReader(once.Bytes()))
			if err != nil || len(again) != 1 {
				t.Fatalf("%s: %v", once.Bytes(), err)
			}
			if err := WriteRecord(&twice, again[0]); err != nil || once.String() != twice.String() {
				t.Errorf("%s became %s, %v", once.String(), twice.String(), err)
			}
			_ = Case{Spec: r.Offer}.Setup(Secrets())
		}
	})
}

func FuzzReadCases(f *testing.F) {
	f.Add([]byte(`{"A": {"name": "A", "proto": "pop3", "mode": "imp", "trust": "no", "doc": "", "spec": {"tls": "implicit", "mechs": []}}}`))
	f.Add([]byte(`{"A"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		cases, err := ReadCases(bytes.NewReader(data))
		if err != nil && !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("no line in %q", err)
		}
		for name, c := range cases {
			if c.Name != name {
				t.Errorf("%q is called %q", name, c.Name)
			}
			_ = c.Setup(Secrets())
		}
	})
}
