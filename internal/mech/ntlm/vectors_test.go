package ntlm

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A vector is one published exchange. testdata/vectors explains the format.
type vector map[string]string

func readVectors(t testing.TB) map[string]vector {
	t.Helper()
	files, err := filepath.Glob("testdata/vectors/*.txt")
	if err != nil || len(files) != 4 {
		t.Fatalf("%d files of vectors, want 4 (%v)", len(files), err)
	}
	vectors := map[string]vector{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, name := vector{}, ""
		for line := range strings.Lines(string(data)) {
			line = strings.TrimRight(line, "\n")
			switch {
			case line == "" || line[0] == '#':
			case line[0] == ' ':
				v[name] += line
			default:
				var value string
				name, value, _ = strings.Cut(line, " ")
				v[name] = value
			}
		}
		vectors[strings.TrimSuffix(filepath.Base(file), ".txt")] = v
	}
	return vectors
}

// bytes is a hexadecimal value; nil where the vector has none.
func (v vector) bytes(t testing.TB, name string) []byte {
	t.Helper()
	value, ok := v[name]
	if !ok {
		return nil
	}
	b, err := hex.DecodeString(strings.ReplaceAll(value, " ", ""))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return b
}

func eachVector(t *testing.T, test func(t *testing.T, v vector)) {
	for name, v := range readVectors(t) {
		t.Run(name, func(t *testing.T) { test(t, v) })
	}
}

func TestVectorMessages(t *testing.T) {
	eachVector(t, func(t *testing.T, v vector) {
		if raw := v.bytes(t, "negotiate"); raw != nil {
			m, err := ParseNegotiate(raw)
			mustEqual(t, err, nil)
			mustEqual(t, m.Marshal(), raw)
		}
		raw := v.bytes(t, "challenge")
		c, err := ParseChallenge(raw)
		mustEqual(t, err, nil)
		mustEqual(t, c.Marshal(), raw)

		raw = v.bytes(t, "authenticate")
		m, err := ParseAuthenticate(raw)
		mustEqual(t, err, nil)
		mustEqual(t, m.Marshal(), raw)
		mustEqual(t, []string{m.User, m.Domain, m.Workstation}, []string{v["user"], v["domain"], v["workstation"]})
		mustEqual(t, m.LMResponse, v.bytes(t, "lm-response"))
		if want := v.bytes(t, "nt-response"); want != nil {
			mustEqual(t, m.NTResponse, want)
		}
	})
}

func TestVectorHashes(t *testing.T) {
	eachVector(t, func(t *testing.T, v vector) {
		nt := NTHash(v["password"])
		if want := v.bytes(t, "nt-hash"); want != nil {
			mustEqual(t, nt[:], want)
		}
		if want := v.bytes(t, "lm-hash"); want != nil {
			lm, ok := LMHash(v["password"])
			mustEqual(t, ok, true)
			mustEqual(t, lm[:], want)
		}
		if want := v.bytes(t, "v2-key"); want != nil {
			key := v2Key(nt, v["user"], v["domain"])
			mustEqual(t, key[:], want)
		}
	})
}

func TestVectorResponsesVerify(t *testing.T) {
	eachVector(t, func(t *testing.T, v vector) {
		challenge, authenticate := v.bytes(t, "challenge"), v.bytes(t, "authenticate")
		c, _ := ParseChallenge(challenge)
		m, _ := ParseAuthenticate(authenticate)
		for password, want := range map[string]bool{v["password"]: true, v["password"] + "x": false, "": false} {
			kind, ok := Verify(m, c.ServerChallenge, NewSecret(password))
			mustEqual(t, kind.String(), v["kind"])
			mustEqual(t, ok, want)
			mustEqual(t, Cracks(challenge, authenticate, password), want)
		}
	})
}

// The client, given the vector's randomness and time, makes the vector's responses.
func TestVectorClient(t *testing.T) {
	eachVector(t, func(t *testing.T, v vector) {
		kinds := map[string]Kind{V1.String(): V1, Session.String(): Session, V2.String(): V2}
		client := Client{
			User: v["user"], Domain: v["domain"], Password: v["password"], Workstation: v["workstation"],
			Kind: kinds[v["kind"]],
			Rand: bytes.NewReader(v.bytes(t, "client-challenge")),
			Now:  func() time.Time { return time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC) },
		}
		raw, err := client.Authenticate(v.bytes(t, "challenge"))
		mustEqual(t, err, nil)
		m, err := ParseAuthenticate(raw)
		mustEqual(t, err, nil)
		mustEqual(t, m.LMResponse, v.bytes(t, "lm-response"))
		if want := v.bytes(t, "nt-response"); want != nil {
			mustEqual(t, m.NTResponse, want)
		}
	})
}

func TestVectorSessionKeys(t *testing.T) {
	v := readVectors(t)["ms-nlmp-4.2.4-ntlmv2"]
	m, _ := ParseAuthenticate(v.bytes(t, "authenticate"))
	key := [16]byte(v.bytes(t, "v2-key"))
	exported := m.v2SessionKey(key)
	mustEqual(t, exported[:], v.bytes(t, "session-key"))
	m.Flags &^= FlagKeyExchange
	base := m.v2SessionKey(key)
	mustEqual(t, base[:], v.bytes(t, "session-base-key"))
}

// Windows's message integrity code holds, and covers every bit of all three messages.
func TestVectorMIC(t *testing.T) {
	v := readVectors(t)["windows-8.1-ntlmv2-mic"]
	finish := func(negotiate, challenge, authenticate []byte) error {
		c, err := ParseChallenge(v.bytes(t, "challenge"))
		mustEqual(t, err, nil)
		e := &Exchange{
			acceptor:   &Acceptor{Lookup: func(string, string) (Secret, bool) { return NewSecret(v["password"]), true }},
			challenge:  c,
			transcript: append(bytes.Clone(negotiate), challenge...),
		}
		_, err = e.Finish(authenticate)
		return err
	}
	messages := [][]byte{v.bytes(t, "negotiate"), v.bytes(t, "challenge"), v.bytes(t, "authenticate")}
	mustEqual(t, finish(messages[0], messages[1], messages[2]), nil)
	for i := range messages {
		for at := range messages[i] {
			for bit := range 8 {
				messages[i][at] ^= 1 << bit
				if finish(messages[0], messages[1], messages[2]) == nil {
					t.Errorf("type %d accepted with bit %d of byte %d changed", i+1, bit, at)
				}
				messages[i][at] ^= 1 << bit
			}
		}
	}
}

// tester is what testing and rapid have in common.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

func mustEqual(t tester, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}
