package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	for _, src := range sources(config) {
		if matches, _ := filepath.Glob(filepath.Join("../..", src)); len(matches) == 0 && !strings.HasPrefix(src, "build/") {
			t.Errorf("%s, which a package holds, is not there", src)
		}
	}
}

func sources(config releaseConfig) []string {
	var all []string
	for _, a := range config.Archives {
		for _, f := range a.Files {
			all = append(all, f.Src)
		}
	}
	for _, n := range config.Nfpms {
		for _, f := range n.Contents {
			all = append(all, f.Src)
		}
	}
	return all
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
