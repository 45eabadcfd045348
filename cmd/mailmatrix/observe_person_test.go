package main

import (
	"bytes"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// screen is a terminal that can be read while it is written.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// until waits for something to become true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestObservePerson: the page and the terminal lead a person through the
// postures, and show what the client says without its password.
func TestObservePerson(t *testing.T) {
	folder := t.TempDir()
	records := filepath.Join(folder, "records.jsonl")
	keys, keyboard := io.Pipe()
	defer func() { _ = keyboard.Close() }()
	var out, shown screen
	ended := make(chan int, 1)
	go func() {
		ended <- run(t.Context(), []string{"observe", "--name", "mine", "--output", records, "--case", "S1,S2,S3,S4"}, terminal{In: keys, Out: &out, Err: &shown})
	}()
	address := regexp.MustCompile(`http://[0-9.:]+/`)
	until(t, "the page's address", func() bool {
		return address.MatchString(shown.String()) && strings.Contains(shown.String(), "S1 (1 of 4)")
	})
	page := address.FindString(shown.String())
	get := func() string {
		reply, err := http.Get(page) //nolint:noctx // a test's own
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = reply.Body.Close() }()
		text, err := io.ReadAll(reply.Body)
		if err != nil {
			t.Fatal(err)
		}
		return html.UnescapeString(string(text))
	}
	cell := func(text, what string) string {
		m := regexp.MustCompile(`<th scope="row">` + what + `</th><td>([^<]*)</td>`).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no %s on the page:\n%s", what, text)
		}
		return m[1]
	}
	press := func(text, button, host string) int {
		token := regexp.MustCompile(`name="token" value="([^"]*)"`).FindStringSubmatch(text)
		posture := regexp.MustCompile(`name="posture" value="([^"]*)"`).FindStringSubmatch(text)
		if token == nil || posture == nil {
			t.Fatalf("no form:\n%s", text)
		}
		form := url.Values{"choice": {button}, "token": {token[1]}, "posture": {posture[1]}}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page+"choose", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if host != "" {
			request.Host = host
		}
		reply, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = reply.Body.Close()
		return reply.StatusCode
	}

	first := get()
	user, _, _ := strings.Cut(cell(first, "User"), ",")
	passwordFile := strings.TrimPrefix(cell(first, "Password"), "that in ")
	data, err := os.ReadFile(passwordFile)
	if err != nil {
		t.Fatal(err)
	}
	password := strings.TrimSpace(string(data))
	if cell(first, "Encryption") != "none" || !strings.HasPrefix(user, "mine-") {
		t.Errorf("the page says\n%s", first)
	}
	if press(first, "next", "") != 200 {
		t.Error("next is not taken")
	}
	until(t, "the note", func() bool { return strings.Contains(get(), "Nothing has connected yet") })
	if got := press(first, "next", "evil.example"); got != 403 {
		t.Errorf("another host's page may press: %d", got)
	}
	if got := press(strings.Replace(first, `name="token" value="`, `name="token" value="x`, 1), "next", ""); got != 403 {
		t.Errorf("who has not the page may press: %d", got)
	}

	speak("localhost", cell(first, "Port"), "off", "default", "", user, password)
	until(t, "the transcript", func() bool { return strings.Contains(get(), "<password>") && strings.Contains(get(), "0 of them open") })
	second := get()
	until(t, "the terminal's transcript", func() bool { return strings.Contains(shown.String(), "c1 clear QUIT") })
	if press(second, "next", "") != 200 {
		t.Error("next is not taken")
	}
	until(t, "the second posture", func() bool { return strings.Contains(get(), "S2, 2 of 4") })
	press(second, "skip", "") // the button of a posture that is over
	if _, err := keyboard.Write([]byte("s\n")); err != nil {
		t.Fatal(err)
	}
	until(t, "the third posture", func() bool { return strings.Contains(shown.String(), "S3 (3 of 4)") })
	third := get()
	if !strings.Contains(third, "skipped") || !strings.Contains(third, "LOGIN ok; PASSWORD readable") || cell(third, "Encryption") != "SSL/TLS from the start" {
		t.Errorf("the page says\n%s", third)
	}
	if _, err := keyboard.Write([]byte("what?\nq\n")); err != nil {
		t.Fatal(err)
	}
	if status := <-ended; status != 0 {
		t.Errorf("exit status %d: %s", status, shown.String())
	}
	fresh, err := readFile(records, recording.ReadRecords)
	if err != nil || len(fresh) != 1 || fresh[0].Case != "S1" || !fresh[0].OK {
		t.Errorf("%v, %+v", err, fresh)
	}
	recorded, err := os.ReadFile(records)
	if err != nil {
		t.Fatal(err)
	}
	hidden(t, password, map[string][]byte{"page": []byte(first + second + third), "terminal": []byte(shown.String()),
		"output": []byte(out.String()), "records": recorded})
	if _, err := os.Stat(filepath.Dir(passwordFile)); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", filepath.Dir(passwordFile), err)
	}
}
