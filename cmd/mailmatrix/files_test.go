//go:build unix

// Modes and links are what Unix has.

package main

import (
	"errors"
	"os"
	"path/filepath"
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
