package recording

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// events reads a conversation: ">" the client, "<" the server, "+" TLS is up,
// "-" why it failed, "." the end; a number before it is the connection.
func events(p login.Protocol, script ...string) []login.Event {
	var all []login.Event
	seen, inside := map[int]bool{}, map[int]bool{}
	for _, step := range script {
		number := 1
		if step[0] >= '1' && step[0] <= '9' {
			number, step = int(step[0]-'0'), step[1:]
		}
		e := login.Event{Connection: number, Protocol: p, Text: step[1:]}
		if !seen[number] {
			seen[number] = true
			all = append(all, login.Event{Kind: login.EventOpened, Connection: number, Protocol: p})
		}
		switch step[0] {
		case '>':
			e.Kind = login.EventLine
		case '<':
			e.Kind = login.EventReply
		case '+':
			e.Kind, inside[number] = login.EventTLSUp, true
		case '-':
			e.Kind = login.EventTLSFailed
		case '.':
			e.Kind = login.EventClosed
		}
		e.Encrypted = inside[number]
		all = append(all, e)
	}
	return all
}

const (
	// b64 of "\x00alice@example.test\x00s3cret-Pa55" and of the two alone.
	plain64 = "AGFsaWNlQGV4YW1wbGUudGVzdABzM2NyZXQtUGE1NQ=="
	alice64 = "YWxpY2VAZXhhbXBsZS50ZXN0"
	pass64  = "czNjcmV0LVBhNTU="
)

// TestNormalise: each rule, and what it leaves alone.
func TestNormalise(t *testing.T) {
	for _, tt := range []struct{ name, line, want string }{
		{"a payload", plain64, "<b64>"},
		{"a payload behind a command", "AUTH PLAIN " + plain64, "AUTH PLAIN <b64>"},
		{"the password alone is short", pass64, pass64},
		{"15 octets of base64 are short", "abcdefghijklmno=", "abcdefghijklmno="},
		{"16 are not", "abcdefghijklmnop", "<b64>"},
		{"the last word only", "AUTH abcdefghijklmnopq X", "AUTH abcdefghijklmnopq X"},
		{"a whole word only", "USER alice@exampleexampleexample", "USER alice@exampleexampleexample"},
		{"an error's acknowledgement", "AQ==", "AQ=="},
		{"nothing", "", ""},
		{"a cancellation", "*", "*"},
		{"a digest, as the recordings have it", "APOP alice@example.test 4bf42ee9d8a2b44d8ad0c1ae5d2a51a7", "APOP alice@example.test <b64>"},
		{"a size", "MAIL FROM:<a@b.test> BODY=8BITMIME SIZE=327", "MAIL FROM:<a@b.test> BODY=8BITMIME SIZE=<n>"},
		{"a size that is not the last", "MAIL FROM:<a@b.test> SIZE=327 BODY=7BIT", "MAIL FROM:<a@b.test> SIZE=<n> BODY=7BIT"},
		{"Python's stays", "mail FROM:<a@b.test> size=23", "mail FROM:<a@b.test> size=23"},
		{"the machine's name", "ehlo here.example", "ehlo vm"},
		{"in HELO", "HELO here.example", "HELO vm"},
		{"another name", "EHLO [127.0.0.1]", "EHLO [127.0.0.1]"},
		{"no greeting", "RCPT here.example", "RCPT here.example"},
		{"the password in clear stays", "PASS s3cret-Pa55", "PASS s3cret-Pa55"},
	} {
		if got := Normalise(tt.line, "here.example"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := Normalise("EHLO here.example", ""); got != "EHLO here.example" {
		t.Errorf("without a host: %q", got)
	}
}

// ntlmMessage is an AUTHENTICATE_MESSAGE with responses of these kinds.
func ntlmMessage(lm, nt []byte) string {
	b := make([]byte, 64, 64+len(lm)+len(nt))
	copy(b, "NTLMSSP\x00\x03")
	binary.LittleEndian.PutUint16(b[12:], uint16(len(lm)))
	binary.LittleEndian.PutUint32(b[16:], 64)
	binary.LittleEndian.PutUint16(b[20:], uint16(len(nt)))
	binary.LittleEndian.PutUint32(b[24:], uint32(64+len(lm)))
	return base64.StdEncoding.EncodeToString(append(append(b, lm...), nt...))
}

var (
	full24    = []byte(strings.Repeat("x", 24))
	session24 = append([]byte("12345678"), make([]byte, 16)...)
)

// TestAttempts: how attempts are read off a conversation, in the form of the
// recordings.
func TestAttempts(t *testing.T) {
	all := map[string]string{"*": "535 5.7.8 no"}
	for _, tt := range []struct {
		name     string
		protocol login.Protocol
		reject   map[string]string
		script   []string
		want     string // the attempts
		password string // clear_password
		hash     string // clear_hash
	}{
		{"PLAIN with initial response", login.SMTP, nil, []string{">AUTH PLAIN " + plain64, "<235 2.7.0 ok"},
			`{"mech":"PLAIN","ir":true,"ch":"clear","conn":1,"res":"ok"}`, "PLAIN", ""},
		{"PLAIN without", login.SMTP, nil, []string{">auth plain", "<334 ", ">" + plain64, "<535 5.7.8 no"},
			`{"mech":"PLAIN","ir":false,"ch":"clear","conn":1,"steps":1,"res":"535"}`, "PLAIN", ""},
		{"inside TLS nothing is clear", login.SMTP, nil, []string{"+", ">AUTH PLAIN " + plain64, "<235 2.7.0 ok"},
			`{"mech":"PLAIN","ir":true,"ch":"tls","conn":1,"res":"ok"}`, "", ""},
		{"PLAIN refused, and shown all the same", login.SMTP, nil, []string{">AUTH PLAIN " + plain64, "<504 5.5.4 no", ">*", "<500 5.5.1 what"},
			`{"mech":"PLAIN","ir":true,"ch":"clear","conn":1,"res":"504"}`, "PLAIN", ""},
		{"LOGIN", login.SMTP, nil, []string{">AUTH LOGIN", "<334 VXNlcm5hbWU6", ">" + alice64, "<334 UGFzc3dvcmQ6", ">" + pass64, "<235 ok"},
			`{"mech":"LOGIN","ir":false,"ch":"clear","conn":1,"steps":2,"res":"ok"}`, "LOGIN", ""},
		{"LOGIN with the name at once", login.SMTP, nil, []string{">AUTH LOGIN " + alice64, "<334 UGFzc3dvcmQ6", ">" + pass64, "<535 no"},
			`{"mech":"LOGIN","ir":true,"ch":"clear","conn":1,"steps":1,"res":"535"}`, "LOGIN", ""},
		{"LOGIN refused shows no password", login.SMTP, nil, []string{">AUTH LOGIN", "<504 5.5.4 no"},
			`{"mech":"LOGIN","ir":false,"ch":"clear","conn":1,"res":"504"}`, "", ""},
		{"LOGIN broken off after the name", login.SMTP, nil, []string{">AUTH LOGIN", "<334 VXNlcm5hbWU6", ">" + alice64, "<334 UGFzc3dvcmQ6", "."},
			`{"mech":"LOGIN","ir":false,"ch":"clear","conn":1,"steps":2,"res":"aborted"}`, "", ""},
		{"CRAM-MD5", login.SMTP, nil, []string{">AUTH CRAM-MD5", "<334 PDE+", ">" + plain64, "<235 ok"},
			`{"mech":"CRAM-MD5","ir":false,"ch":"clear","conn":1,"steps":1,"res":"ok"}`, "", "CRAM-MD5"},
		{"CRAM-MD5 refused counts as a hash (claws-mail, S10)", login.SMTP, nil, []string{">AUTH CRAM-MD5", "<504 5.5.4 not now"},
			`{"mech":"CRAM-MD5","ir":false,"ch":"clear","conn":1,"res":"504"}`, "", "CRAM-MD5"},
		{"cancelled", login.SMTP, nil, []string{">AUTH CRAM-MD5", "<334 PDE+", ">*", "<501 5.0.0 cancelled"},
			`{"mech":"CRAM-MD5","ir":false,"ch":"clear","conn":1,"steps":1,"res":"aborted"}`, "", "CRAM-MD5"},
		{"gone at the challenge (curl, S8)", login.SMTP, nil, []string{"+", ">AUTH GSSAPI", "<334 ", "."},
			`{"mech":"GSSAPI","ir":false,"ch":"tls","conn":1,"steps":1,"res":"aborted"}`, "", ""},
		{"an empty response (DIGEST-MD5)", login.SMTP, nil, []string{"+", ">AUTH DIGEST-MD5", "<334 eA==", ">" + plain64, "<334 eA==", ">", "<235 ok"},
			`{"mech":"DIGEST-MD5","ir":false,"ch":"tls","conn":1,"steps":2,"res":"ok"}`, "", ""},
		{"an error result (XOAUTH2)", login.SMTP, all, []string{"+", ">AUTH XOAUTH2 " + plain64, "<334 e30=", ">", "<535 no"},
			`{"mech":"XOAUTH2","ir":true,"ch":"tls","conn":1,"steps":1,"res":"535"}`, "", ""},
		{"a token in clear is no password", login.SMTP, nil, []string{">AUTH XOAUTH2 " + plain64, "<504 5.5.4 no"},
			`{"mech":"XOAUTH2","ir":true,"ch":"clear","conn":1,"res":"504"}`, "", ""},
		{"NTLMv1, right", login.SMTP, nil, []string{">AUTH NTLM", "<334 ", ">TlRMTVNTUAABAAAA", "<334 TlRMTVNTUAAC", ">" + ntlmMessage(full24, full24), "<235 ok"},
			`{"mech":"NTLM","ir":false,"ch":"clear","conn":1,"steps":2,"ntlm":"NTLMv1","verify":true,"res":"ok"}`, "", "NTLM"},
		{"NTLMv2, wrong", login.SMTP, nil, []string{">AUTH NTLM TlRMTVNTUAABAAAA", "<334 TlRMTVNTUAAC", ">" + ntlmMessage(full24, append(full24, full24...)), "<535 no"},
			`{"mech":"NTLM","ir":true,"ch":"clear","conn":1,"steps":1,"ntlm":"NTLMv2","verify":false,"res":"535"}`, "", "NTLM"},
		{"NTLM2-session, rejected: nobody knows", login.SMTP, all, []string{">AUTH NTLM TlRMTVNTUAABAAAA", "<334 TlRMTVNTUAAC", ">" + ntlmMessage(session24, full24), "<535 no"},
			`{"mech":"NTLM","ir":true,"ch":"clear","conn":1,"steps":1,"ntlm":"NTLM2-session","res":"535"}`, "", "NTLM"},
		{"one after the other", login.SMTP, all, []string{">AUTH CRAM-MD5", "<334 PDE+", ">" + plain64, "<535 no", ">AUTH PLAIN " + plain64, "<535 no"},
			`{"mech":"CRAM-MD5","ir":false,"ch":"clear","conn":1,"steps":1,"res":"535"},{"mech":"PLAIN","ir":true,"ch":"clear","conn":1,"res":"535"}`, "PLAIN", "CRAM-MD5"},
		{"a second login", login.SMTP, nil, []string{">AUTH PLAIN " + plain64, "<235 ok", ">AUTH PLAIN " + plain64, "<503 5.5.1 no"},
			`{"mech":"PLAIN","ir":true,"ch":"clear","conn":1,"res":"ok"},{"mech":"PLAIN","ir":true,"ch":"clear","conn":1,"res":"503"}`, "PLAIN", ""},
		{"a bare AUTH in SMTP", login.SMTP, nil, []string{">AUTH", "<501 5.5.4 no"}, ``, "", ""},

		{"USER and PASS", login.POP3, nil, []string{">USER alice", "<+OK", ">PASS s3cret-Pa55", "<+OK in"},
			`{"mech":"USER","ir":true,"ch":"clear","conn":1,"pass":true,"res":"ok"}`, "USER", ""},
		{"a wrong PASS", login.POP3, nil, []string{">USER alice", "<+OK", ">PASS x", "<-ERR [AUTH] no"},
			`{"mech":"USER","ir":true,"ch":"clear","conn":1,"pass":true,"res":"ERR"}`, "USER", ""},
		{"USER refused (P6)", login.POP3, nil, []string{">USER alice", "<-ERR no", ">QUIT", "<+OK"},
			`{"mech":"USER","ir":true,"ch":"clear","conn":1,"res":"ERR"}`, "", ""},
		{"USER refused, PASS sent all the same", login.POP3, nil, []string{">USER alice", "<-ERR no", ">PASS x", "<-ERR no"},
			`{"mech":"USER","ir":true,"ch":"clear","conn":1,"pass":true,"res":"ERR"}`, "USER", ""},
		{"USER and no more", login.POP3, nil, []string{">USER alice", "<+OK", ">QUIT", "<+OK bye"},
			`{"mech":"USER","ir":true,"ch":"clear","conn":1,"res":"aborted"}`, "", ""},
		{"PASS out of nowhere", login.POP3, nil, []string{">PASS x", "<-ERR no"}, ``, "", ""},
		{"APOP", login.POP3, nil, []string{">APOP alice 4bf42ee9d8a2b44d8ad0c1ae5d2a51a7", "<+OK"},
			`{"mech":"APOP","ir":true,"ch":"clear","conn":1,"res":"ok"}`, "", "APOP"},
		{"AUTH in POP3", login.POP3, nil, []string{">AUTH PLAIN", "<+ ", ">" + plain64, "<+OK"},
			`{"mech":"PLAIN","ir":false,"ch":"clear","conn":1,"steps":1,"res":"ok"}`, "PLAIN", ""},
		{"a mechanism that is not listed (thunderbird, P1)", login.POP3, nil, []string{">AUTH XOAUTH2", "<-ERR no"},
			`{"mech":"XOAUTH2","ir":false,"ch":"clear","conn":1,"res":"ERR"}`, "", ""},
		{"the bare AUTH asks", login.POP3, nil, []string{">AUTH", "<+OK", "<PLAIN", "<."}, ``, "", ""},
	} {
		r := Transcribe(events(tt.protocol, tt.script...), Case{Protocol: tt.protocol, Spec: Spec{Reject: tt.reject}}, "")
		got, err := json.Marshal(r.Attempts)
		if err != nil {
			t.Fatal(err)
		}
		if want := "[" + tt.want + "]"; string(got) != want {
			t.Errorf("%s\n  got %s\n want %s", tt.name, got, want)
		}
		if got := strings.Join(r.ClearPassword, " "); got != tt.password {
			t.Errorf("%s: password in clear by %q, want %q", tt.name, got, tt.password)
		}
		if got := strings.Join(r.ClearHash, " "); got != tt.hash {
			t.Errorf("%s: hash in clear by %q, want %q", tt.name, got, tt.hash)
		}
		if r.OK != strings.Contains(tt.want, `"res":"ok"`) {
			t.Errorf("%s: ok is %v", tt.name, r.OK)
		}
	}
}

// TestTranscribe: what a record says besides.
func TestTranscribe(t *testing.T) {
	reason := "remote error: tls: bad certificate"
	for _, tt := range []struct {
		name     string
		protocol login.Protocol
		script   []string
		want     Record
	}{
		{"a whole session", login.SMTP,
			[]string{"<220 lab.test", ">EHLO here", "<250 lab.test", ">STARTTLS", "<220 go", "+", ">ehlo here", "<250 lab.test",
				">MAIL FROM:<a@b.test> SIZE=10", "<250 ok", ">RCPT TO:<b@b.test>", "<250 ok", ">DATA", "<354 go", ">QUIT", "<221 bye", "."},
			Record{Commands: []string{"c1 clear EHLO vm", "c1 clear STARTTLS", "c1 TLS-UP", "c1 tls ehlo vm", "c1 tls MAIL FROM:<a@b.test> SIZE=<n>",
				"c1 tls RCPT TO:<b@b.test>", "c1 tls DATA", "c1 tls QUIT"}, Names: []string{"EHLO vm", "ehlo vm"},
				Quit: true, TLSUp: true, Conns: 1, StartTLSSent: 1, UnauthCommands: []string{"MAIL"}}},
		{"a certificate refused, and a second connection in clear", login.POP3,
			[]string{"<+OK", ">CAPA", "<+OK", "<STLS", "<.", ">STLS", "<+OK", "-" + reason, ".", "2<+OK", "2>CAPA", "2<+OK", "2<.", "2>stat", "2<-ERR", "2>LIST", "2>STAT"},
			Record{Commands: []string{"c1 clear CAPA", "c1 clear STLS", "c1 TLS-FAIL", "c2 clear CAPA", "c2 clear stat", "c2 clear LIST", "c2 clear STAT"},
				CAPA: 2, CertFail: &reason, Conns: 2, StartTLSSent: 1, UnauthCommands: []string{"STAT", "LIST"}}},
		{"after a login nothing is unauthenticated", login.SMTP, []string{">AUTH PLAIN " + plain64, "<235 ok", ">MAIL FROM:<a@b.test>", "2>MAIL FROM:<>"},
			Record{Commands: []string{"c1 clear AUTH PLAIN <b64>", "c1 clear MAIL FROM:<a@b.test>", "c2 clear MAIL FROM:<>"}, Conns: 2, OK: true,
				UnauthCommands: []string{"MAIL"}, ClearPassword: []string{"PLAIN"},
				Attempts: []Attempt{{Mech: "PLAIN", IR: true, Ch: "clear", Conn: 1, Res: "ok"}}}},
		{"nobody says anything", login.POP3, []string{"<+OK", "."}, Record{Conns: 1}},
		{"nobody comes", login.POP3, nil, Record{}},
	} {
		c := Case{Name: "S1", Protocol: tt.protocol, Mode: Off, Trust: TrustDefault}
		got := Transcribe(events(tt.protocol, tt.script...), c, "here")
		tt.want.Case, tt.want.Proto, tt.want.ClientTLS, tt.want.Trust = c.Name, c.Protocol, c.Mode, c.Trust
		for _, list := range []*[]string{&tt.want.Commands, &tt.want.Names, &tt.want.ClearPassword, &tt.want.ClearHash, &tt.want.UnauthCommands} {
			if *list == nil {
				*list = []string{}
			}
		}
		if tt.want.Attempts == nil {
			tt.want.Attempts = []Attempt{}
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s\n  got %+v\n want %+v", tt.name, got, tt.want)
		}
	}
}

// TestRecorder: connections report at once, each in its order.
func TestRecorder(t *testing.T) {
	r := NewRecorder(Case{Protocol: login.SMTP})
	r.Host = "here"
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			r.Witness(login.Event{Kind: login.EventOpened, Connection: n + 1, Protocol: login.SMTP})
			r.Witness(login.Event{Kind: login.EventLine, Connection: n + 1, Protocol: login.SMTP, Text: "EHLO here"})
		})
	}
	group.Wait()
	if got := r.Record(); got.Conns != 8 || len(got.Commands) != 8 || got.Names[0] != "EHLO vm" {
		t.Errorf("got %+v", got)
	}
}
