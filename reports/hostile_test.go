package reports

import (
	"bytes"
	"testing"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// hostile is what a server would say to get out of where it is quoted: of a line,
// of XML, of Markdown, of a link, of a workflow command; and to call somebody.
const hostile = "-ERR \r\n::error title=owned::x%0A\n[click](https://evil.example) {0} </text><script>\x1b[31m \x00\xff\u202e | `x` ]]> \"'&,:" +
	" @octocat octocat@evil.example www.evil.example ~~x~~ #1 GH-1 $a$ :tada: :+1:"

// hostileReport is one whose server says that wherever a server is quoted.
func hostileReport() login.Report {
	r := smallReport()
	for _, id := range []string{r.Cells[0].ID, r.Cells[1].ID} {
		spoil(&r, id, login.Ruling{Verdict: login.Fail, Reason: hostile}, login.Refused, "S "+hostile, "C QUIT")
	}
	r.Cells[1].ID, r.Cells[1].Profile = hostile, hostile
	r.Cases[1].Reason, r.Cases[1].Refs = hostile, []string{hostile}
	r.Expectations[0].Reason = hostile
	r.Targets[0].Name, r.Vantage = hostile, hostile
	return r
}

// Whatever the order of maps, the bytes are the same.
func TestFormatsAreDeterministic(t *testing.T) {
	for _, f := range All() {
		want := written(t, f.Name, hostileReport(), Options{Claims: testClaims()})
		for range 5 {
			if got := written(t, f.Name, hostileReport(), Options{Claims: testClaims()}); !bytes.Equal(got, want) {
				t.Errorf("%s is not always the same", f.Name)
			}
		}
	}
}
