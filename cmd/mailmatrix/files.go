package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	publicFile  fs.FileMode = 0o666 // less what the umask takes
	privateFile fs.FileMode = 0o600
)

// pendingFile is a file that is written beside its name and then takes it, so
// that whoever reads sees the old contents or the new. What is no regular
// file, such as a pipe or /dev/null, is written as it stands.
type pendingFile struct {
	*os.File
	asked string // the name that was asked for
	name  string // "" where nothing has to be renamed
}

// createFile opens the file now, so that a folder without permission costs
// nothing but this call.
func createFile(name string, mode fs.FileMode) (*pendingFile, error) {
	asked := name
	info, err := os.Stat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(name, os.O_WRONLY, 0) //nolint:gosec // the user names the file
		if err != nil {
			return nil, cannotWrite(name, err)
		}
		return &pendingFile{File: f, asked: asked}, nil
	case err == nil: // a link keeps pointing where it points
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return nil, cannotWrite(name, err)
		}
	}
	beside := filepath.Join(filepath.Dir(name), ".mailmatrix-"+rand.Text())
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // the user names the file
	if err != nil {
		return nil, cannotWrite(name, err)
	}
	p := &pendingFile{f, asked, name}
	if info != nil { // whoever may not read the old contents may not read the new
		if err := f.Chmod(info.Mode().Perm() & mode); err != nil {
			p.discard()
			return nil, cannotWrite(asked, err)
		}
	}
	return p, nil
}

// cannotWrite names the file that was asked for, and not the one beside it.
func cannotWrite(name string, err error) error {
	if cause := (*fs.PathError)(nil); errors.As(err, &cause) {
		err = cause.Err
	}
	if cause := (*os.LinkError)(nil); errors.As(err, &cause) {
		err = cause.Err
	}
	return fmt.Errorf("cannot write %s: %w", name, err)
}

// commit gives the file its name, unless writing it ended in an error.
func (p *pendingFile) commit(writing error) error {
	err := cmp.Or(writing, p.Close())
	if p.name != "" {
		if err == nil {
			err = os.Rename(p.Name(), p.name)
		}
		if err != nil {
			_ = os.Remove(p.Name())
		}
	}
	if err != nil {
		return cannotWrite(p.asked, err)
	}
	return nil
}

// discard forgets a file that was opened for nothing.
func (p *pendingFile) discard() {
	_ = p.Close()
	if p.name != "" {
		_ = os.Remove(p.Name())
	}
}

// writeFile writes a whole file.
func writeFile(name string, data []byte, mode fs.FileMode) error {
	f, err := createFile(name, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return f.commit(err)
}

// contentsOf reads a whole file. Opening a pipe that nobody writes into waits, and
// nothing but the program's end breaks that off: whoever interrupts it is
// answered all the same.
func contentsOf(ctx context.Context, name string) ([]byte, error) {
	type contents struct {
		data []byte
		err  error
	}
	done := make(chan contents, 1)
	go func() {
		data, err := os.ReadFile(name) //nolint:gosec // the user names the file
		done <- contents{data, err}
	}()
	select {
	case c := <-done:
		return c.data, c.err
	case <-ctx.Done():
		return nil, fmt.Errorf("interrupted while waiting for %s", name)
	}
}

// joined is one error of several, in one line: each line is an error of its own
// to who reads them.
func joined(errs ...error) error {
	var all together
	for _, err := range errs {
		if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	default:
		return all
	}
}

type together []error

func (t together) Error() string {
	var texts []string
	for _, err := range t {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

func (t together) Unwrap() []error { return t }
