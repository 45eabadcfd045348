package reports

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

var pageReports = []struct {
	name, why string
	report    func() login.Report
}{
	{"full", "as expected", fullReport},
	{"failing", "what a server said is text, markup or not", failingReport},
	{"small", "one of everything", smallReport},
	{"empty", "nothing is made up", emptyReport},
	{"policy", "a policy given as a whole", policyReport},
	{"check", "a server in service", probedReport},
	{"large", "indices of more than one octet", func() login.Report { return largeReport(5000) }},
}

var (
	pageData   = regexp.MustCompile(`(?s)<script type="application/json" id="report">(.*?)</script>`)
	pageInline = regexp.MustCompile(`(?s)(<(?:script|style)[^>]*>).*?(</(?:script|style)>)`)
)

// dataOf is the report in the page, and the page without it.
func dataOf(t *testing.T, html []byte) (data, rest []byte) {
	t.Helper()
	found := pageData.FindSubmatch(html)
	if found == nil {
		t.Fatal("the page has no data")
	}
	return found[1], bytes.Replace(html, found[1], nil, 1)
}

func TestPageIsWhole(t *testing.T) {
	for _, c := range pageReports {
		t.Run(c.name, func(t *testing.T) {
			html := written(t, "html", c.report(), Options{})
			if !bytes.Equal(html, written(t, "html", c.report(), Options{})) {
				t.Error("twice the same report, and two pages")
			}
			data, rest := dataOf(t, html)
			if bytes.ContainsAny(data, "<>") {
				t.Error("the data could end its script")
			}
			for _, outside := range []string{"http://", "https://", "src=", "url(", "@import", "<link", "import("} {
				if bytes.Contains(rest, []byte(outside)) {
					t.Errorf("the page has %q: it is to need nothing from elsewhere", outside)
				}
			}
			balanced(t, pageInline.ReplaceAll(html, []byte("$1$2")))
		})
	}
}

// balanced reads the frame as strictly as HTML permits: what is opened is
// closed, but for the elements that have no end.
func balanced(t *testing.T, html []byte) {
	t.Helper()
	html = bytes.Replace(html, []byte("<!doctype html>"), nil, 1)
	decoder := xml.NewDecoder(bytes.NewReader(html))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, []string{"meta", "input"}, xml.HTMLEntity
	ids := map[string]bool{}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("the frame: %v", err)
		}
		start, is := token.(xml.StartElement)
		if !is {
			continue
		}
		for _, a := range start.Attr {
			switch {
			case a.Name.Local == "id" && ids[a.Value]:
				t.Errorf("the id %q stands twice", a.Value)
			case a.Name.Local == "id":
				ids[a.Value] = true
			case strings.HasPrefix(a.Name.Local, "on"), a.Name.Local == "style":
				t.Errorf("%s in %s: the page forbids itself that", a.Name.Local, start.Name.Local)
			}
		}
	}
}

// TestPageDropsNothing makes the report anew from the columns, and compares it
// with what the report says as JSON.
func TestPageDropsNothing(t *testing.T) {
	for _, c := range pageReports {
		t.Run(c.name, func(t *testing.T) {
			r := c.report()
			data, _ := dataOf(t, written(t, "html", r, Options{}))
			var got, want map[string]any
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(written(t, "json", r, Options{}), &want); err != nil {
				t.Fatal(err)
			}
			delete(got, "conclusion") // which follows from the rest
			delete(got, "commands")
			delete(got, "explain")
			delete(got, "causes")
			said := unpackedRows(t, got["transcripts"])
			for _, name := range []string{"cells", "lacks", "scenarios", "cases"} {
				got[name] = unpackedTable(t, got[name])
			}
			for i, cell := range got["cells"].([]any) {
				if cell := cell.(map[string]any); cell["id"] == "" {
					cell["id"] = r.Cells[i].ID
					if idOf(r.Cells[i]) != r.Cells[i].ID {
						t.Errorf("the page cannot know the ID %s", r.Cells[i].ID)
					}
				}
			}
			spell(got, said)
			spell(want, want["transcripts"].([]any))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("JSON against the page:\n%s", cut(diff, 3000))
			}
		})
	}
}

// spell puts conversations where their numbers are: the page numbers them
// anew. What is absent by omission is the same as what is told to be nothing.
func spell(v any, said []any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "transcripts")
		for name, part := range v {
			if at, is := part.(float64); is && name == "transcript" {
				v[name] = said[int(at)]
			} else if part == nil || part == "" || part == false || name == "excused" && part == "" {
				delete(v, name)
			} else {
				spell(part, said)
			}
		}
	case []any:
		for _, part := range v {
			spell(part, said)
		}
	}
}

func unpackedTable(t *testing.T, v any) []any {
	t.Helper()
	table := v.(map[string]any)
	rows := make([]any, int(table["rows"].(float64)))
	for i := range rows {
		rows[i] = map[string]any{}
	}
	for name, c := range table["columns"].(map[string]any) {
		column := c.(map[string]any)
		values, index := column["values"].([]any), make([]int, len(rows))
		if packed, is := column["index"]; is {
			index = unpacked(t, packed)
		}
		for i, at := range index {
			rows[i].(map[string]any)[name] = cloned(values[at])
		}
	}
	return rows
}

// cloned lets rows be changed that have the same value.
func cloned(v any) any {
	text, _ := json.Marshal(v) // it came from JSON
	var copied any
	_ = json.Unmarshal(text, &copied)
	return copied
}

func unpacked(t *testing.T, v any) []int {
	t.Helper()
	p := v.(map[string]any)
	data, err := base64.StdEncoding.DecodeString(p["data"].(string))
	if err != nil {
		t.Fatal(err)
	}
	width, numbers := int(p["bits"].(float64)), make([]int, int(p["count"].(float64)))
	for i := range numbers {
		for bit := range width {
			at := i*width + bit
			numbers[i] |= int(data[at/8]>>(at%8)&1) << bit
		}
	}
	return numbers
}

func unpackedRows(t *testing.T, v any) []any {
	t.Helper()
	p := v.(map[string]any)
	lengths, items := unpacked(t, p["lengths"]), unpacked(t, p["items"])
	rows := make([]any, len(lengths))
	for i, n := range lengths {
		row := make([]any, n)
		for k := range row {
			row[k] = float64(items[k])
		}
		rows[i], items = row, items[n:]
	}
	return rows
}

// TestPageSize: the default run has 23,580 cells with as many conversations,
// and its page is to stay below two million octets. That run is made elsewhere;
// here a cell is to stay below forty octets with all that is about it.
func TestPageSize(t *testing.T) {
	empty := len(written(t, "html", emptyReport(), Options{}))
	r := largeReport(20_000)
	per := float64(len(written(t, "html", r, Options{}))-empty) / float64(len(r.Cells))
	t.Logf("the page without data: %d octets; %.1f octets for each of %d cells", empty, per, len(r.Cells))
	if empty > 160_000 || per > 40 {
		t.Errorf("the page without data: %d octets; %.1f octets for each of %d cells", empty, per, len(r.Cells))
	}
}

// TestPageTitleIsSeen: what would show the title in another order is written out.
func TestPageTitleIsSeen(t *testing.T) {
	r := emptyReport()
	r.Targets[0].Name = "mail.example\u202egnp.exe\x1b[31m"
	if html := string(written(t, "html", r, Options{})); !strings.Contains(html, `<title>mail.example\xe2\x80\xaegnp.exe\x1b[31m - mailmatrix</title>`) {
		t.Errorf("the title is %q", html[strings.Index(html, "<title>"):][:80])
	}
}
