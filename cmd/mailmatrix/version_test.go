package main

import (
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/mailmatrix/mailmatrix/scenarios/compliance"
)

func TestVersion(t *testing.T) {
	status, out, diagnostics := mailmatrix(t, "version")
	if status != 0 || diagnostics != "" || !strings.HasPrefix(out, "mailmatrix "+version+"\ncommit ") ||
		!strings.Contains(out, "\ncatalogue  "+compliance.Release()+"\n") || !strings.Contains(out, runtime.Version()) {
		t.Errorf("exit status %d, says %q, output:\n%s", status, diagnostics, out)
	}
	status, out, _ = mailmatrix(t, "version", "--format", "json")
	var p provenance
	if err := json.Unmarshal([]byte(out), &p); status != 0 || err != nil || p.Version != version || p.Catalogue != compliance.Release() {
		t.Errorf("exit status %d, %v, %+v", status, err, p)
	}
	if status, out, _ = mailmatrix(t, "--version"); status != 0 || out != "mailmatrix "+version+"\n" {
		t.Errorf("--version: exit status %d, output %q", status, out)
	}
	if status, _, diagnostics = mailmatrix(t, "version", "--format", "xml"); status != 2 || !strings.Contains(diagnostics, `unknown format "xml"`) {
		t.Errorf("exit status %d, says %q", status, diagnostics)
	}
}

func TestProvenance(t *testing.T) {
	info := func(settings ...string) *debug.BuildInfo {
		b := &debug.BuildInfo{}
		for _, s := range settings {
			key, value, _ := strings.Cut(s, "=")
			b.Settings = append(b.Settings, debug.BuildSetting{Key: key, Value: value})
		}
		return b
	}
	for _, row := range []struct {
		name, why string
		info      *debug.BuildInfo
		want      string
	}{
		{"no build information", "a program built by something other than the go command", nil, "commit     unknown\n"},
		{"no repository", "a build from an archive, or with -buildvcs=false", info("CGO_ENABLED=0"), "commit     unknown\n"},
		{"a commit", "a clean working copy", info("vcs.revision=abc", "vcs.time=2026-11-29T20:00:00Z", "vcs.modified=false"),
			"commit     abc, 2026-11-29T20:00:00Z\n"},
		{"a change", "results of a dirty copy can be had again by nobody", info("vcs.revision=abc", "vcs.modified=true"), "commit     abc, dirty\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out strings.Builder
			if err := provenanceOf(row.info).write(&out); err != nil || !strings.Contains(out.String(), row.want) {
				t.Errorf("%s: %v, want %q in:\n%s", row.why, err, row.want, out.String())
			}
		})
	}
}
