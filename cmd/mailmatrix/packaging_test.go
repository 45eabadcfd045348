package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// releaseConfig is .goreleaser.yaml, as far as it names things of ours, which
// goreleaser itself finds out only when a release is made.
type releaseConfig struct {
	Builds []struct {
		Main           string
		Env            []string
		Goos, Goarch   []string
		Flags, Ldflags []string
	}
	Archives []struct{ Files []struct{ Src string } }
	Nfpms    []struct{ Contents []struct{ Src string } }
}

// The program that a release builds knows what the release has written into
// it. A variable that -X does not find is no error to the linker.
func TestReleaseBuild(t *testing.T) {
	var config releaseConfig
	if err := yaml.Unmarshal([]byte(read(t, "../../.goreleaser.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	if len(config.Builds) != 1 {
		t.Fatalf("%d builds, not 1", len(config.Builds))
	}
	build := config.Builds[0]
	if got := strings.Join(build.Goos, " ") + " " + strings.Join(build.Goarch, " "); got != "linux darwin windows amd64 arm64" {
		t.Errorf("it is built for %s", got)
	}
	flags := strings.NewReplacer("{{ .Version }}", "9.8.7", "{{ .FullCommit }}", "abcdef", "{{ .CommitDate }}", "2026-11-29T20:00:00Z").
		Replace(strings.Join(build.Ldflags, " "))
	program := filepath.Join(t.TempDir(), "mailmatrix.exe")
	c := exec.CommandContext(t.Context(), "go", append([]string{"build", "-buildvcs=false", "-ldflags", flags, "-o", program}, append(build.Flags, build.Main)...)...)
	c.Dir = "../.."
	c.Env = append(os.Environ(), build.Env...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), program, "version", "--format", "json").Output()
	var p provenance
	if err != nil || json.Unmarshal(out, &p) != nil || p.Version != "9.8.7" || p.Commit != "abcdef" || p.Date != "2026-11-29T20:00:00Z" {
		t.Errorf("%v, the program says:\n%s", err, out)
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(binary), here+"/cmd/") {
		t.Errorf("the program holds the path %s of the machine that built it", here)
	}
}

// Whatever a release holds is there, and both kinds of package hold the same.
// The pages in it link to nothing that stayed at home.
func TestReleaseDocuments(t *testing.T) {
	root := filepath.Join("..", "..")
	var config releaseConfig
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(root, ".goreleaser.yaml"))), &config); err != nil {
		t.Fatal(err)
	}
	var archived, packed []string
	for _, a := range config.Archives {
		for _, f := range a.Files {
			archived = append(archived, f.Src)
		}
	}
	for _, p := range config.Nfpms {
		for _, f := range p.Contents {
			packed = append(packed, f.Src)
		}
	}
	held := map[string]bool{}
	for _, src := range archived {
		if strings.HasPrefix(src, "build/") {
			continue
		}
		if !slices.Contains(packed, src) {
			t.Errorf("%s is in the archives and not in the packages", src)
		}
		found := matching(t, root, src)
		if len(found) == 0 {
			t.Errorf("%s, which a release holds, is not there", src)
		}
		for _, name := range found {
			held[name] = true
		}
	}
	for name := range held {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, link := range linksIn(read(t, filepath.Join(root, name))) {
			link, _, _ = strings.Cut(link, "#")
			if to := path.Join(path.Dir(name), link); link != "" && !strings.Contains(link, "://") && !holds(held, to) {
				t.Errorf("%s links to %s, which no release holds: link to it below %s", name, to, ourSource)
			}
		}
	}
}

// matching are the files that a pattern of goreleaser names: ** stands for
// folders, too.
func matching(t *testing.T, root, pattern string) []string {
	t.Helper()
	form := strings.NewReplacer("**", ".*", "*", "[^/]*", ".", `\.`, "{", "(", "}", ")", ",", "|").Replace(pattern)
	whole := regexp.MustCompile("^" + form + "$")
	folder, _, _ := strings.Cut(pattern, "/") // or the file itself
	var found []string
	err := filepath.WalkDir(filepath.Join(root, folder), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if rel = filepath.ToSlash(rel); whole.MatchString(rel) {
			found = append(found, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// holds reports whether a release has the file, or the folder.
func holds(held map[string]bool, name string) bool {
	for h := range held {
		if h == name || strings.HasPrefix(h, name+"/") {
			return true
		}
	}
	return false
}

// The container is static, nobody's, and built by the Go that go.mod names.
// No daemon is here that could build it, so its lines are read.
func TestContainerFile(t *testing.T) {
	file := read(t, "../../Dockerfile")
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "../../go.mod"))
	if version == nil {
		t.Fatal("go.mod names no Go")
	}
	_, last, _ := strings.Cut(file, "\nFROM scratch\n")
	for _, row := range []struct{ text, want, why string }{
		{file, "FROM golang:" + version[1] + " AS build\n", "the Go of go.mod"},
		{file, "CGO_ENABLED=0 go build -trimpath", "scratch has no libc"},
		{file, "/etc/ssl/certs/ca-certificates.crt", "without authorities no server is verified"},
		{file, "install -d -m 1777 /root.image/tmp", "serve keeps its password there"},
		{last, "\nUSER 65532:65532\n", "not root, and by number: there is no passwd"},
		{last, "\nENTRYPOINT [\"/usr/bin/mailmatrix\"]\n", "the program itself: there is no shell"},
	} {
		if !strings.Contains(row.text, row.want) {
			t.Errorf("no %q: %s", row.want, row.why)
		}
	}
}
