//go:build unix

// Modes and links are what Unix has.

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWriteFile(t *testing.T) {
	folder := t.TempDir()
	name, link := filepath.Join(folder, "file"), filepath.Join(folder, "link")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	for _, text := range []string{"one", "two"} {
		if err := writeFile(name, []byte(text), publicFile); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(link); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := writeFile(link, []byte("three"), publicFile); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != "three" {
		t.Errorf("through the link: %q, %v", got, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is one no more: %v, %v", info, err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the umask does not count: %v, %v", info.Mode(), err)
	}
	// A file that more may read stays readable, and a key does not become so.
	if err := os.Chmod(name, 0o644); err != nil { //nolint:gosec // what is tested
		t.Fatal(err)
	}
	for _, row := range []struct{ asked, want os.FileMode }{{publicFile, 0o644}, {privateFile, 0o600}} {
		if err := writeFile(name, []byte("four"), row.asked); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != row.want {
			t.Errorf("mode %o, want %o: %v", info.Mode().Perm(), row.want, err)
		}
	}
	if err := writeFile(os.DevNull, []byte("x"), publicFile); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("the null device is a file now: %v, %v", info, err)
	}

	// What failed leaves nothing behind.
	f, err := createFile(name, publicFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.commit(errors.New("no")); err == nil {
		t.Error("committed what had failed")
	}
	if f, err = createFile(name, publicFile); err != nil {
		t.Fatal(err)
	}
	f.discard()
	if left, err := os.ReadDir(folder); err != nil || len(left) != 2 {
		t.Errorf("%v, %v", left, err)
	}
}

// Whoever is told that a file cannot be written is told of the file that he has
// named, and of all of them in one line.
func TestCannotWrite(t *testing.T) {
	t.Chdir(t.TempDir())
	f, err := createFile("mine.json", publicFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = f.Write([]byte("x"))
	if err = f.commit(err); err == nil || err.Error() != "cannot write mine.json: file already closed" {
		t.Errorf("says %v", err)
	}
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("this system has no device that is full")
	}
	report := file(t, "whole.json", `{"schema": "mailmatrix/1", "targets": [{"name": "reference", "kind": "reference"}]}`)
	for _, link := range []string{"one", "two"} {
		if err := os.Symlink(full, link); err != nil {
			t.Fatal(err)
		}
	}
	status, _, says := mailmatrix(t, "report", "convert", report, "--output", "json=one", "--output", "csv=two")
	const want = "mailmatrix: cannot write one: no space left on device; cannot write two: no space left on device\n"
	if status != 2 || says != want {
		t.Errorf("exit status %d, says %q, want %q", status, says, want)
	}
}

// A pipe is read when somebody writes into it, and whoever does not want to wait
// for that any more can leave.
func TestPipes(t *testing.T) {
	folder := t.TempDir()
	nobody, somebody := filepath.Join(folder, "nobody"), filepath.Join(folder, "somebody")
	for _, pipe := range []string{nobody, somebody} {
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var out, says bytes.Buffer
	status := run(ctx, []string{"report", "convert", nobody}, terminal{In: strings.NewReader(""), Out: &out, Err: &says})
	if status != 2 || out.Len() > 0 || says.String() != "mailmatrix: convert: interrupted while waiting for "+nobody+"\n" {
		t.Errorf("exit status %d, output %q, says %q", status, out.String(), says.String())
	}
	waiting, err := os.OpenFile(nobody, os.O_RDWR, 0) // whoever still waits is let go
	if err != nil {
		t.Fatal(err)
	}
	if err := waiting.Close(); err != nil {
		t.Fatal(err)
	}

	written := make(chan error, 1)
	go func() { written <- os.WriteFile(somebody, []byte("hello"), 0o600) }()
	data, err := contentsOf(t.Context(), somebody)
	if err = errors.Join(err, <-written); err != nil || string(data) != "hello" {
		t.Errorf("read %q, %v", data, err)
	}
}
