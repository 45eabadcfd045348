package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	name string // "" where nothing has to be renamed
}

// createFile opens the file now, so that a folder without permission costs
// nothing but this call.
func createFile(name string, mode fs.FileMode) (*pendingFile, error) {
	info, err := os.Stat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(name, os.O_WRONLY, 0) //nolint:gosec // the user names the file
		if err != nil {
			return nil, cannotWrite(name, err)
		}
		return &pendingFile{File: f}, nil
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
	return &pendingFile{f, name}, nil
}

// cannotWrite names the file that was asked for, and not the one beside it.
func cannotWrite(name string, err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return fmt.Errorf("cannot write %s: %w", name, err)
}

// commit gives the file its name, unless writing it ended in an error.
func (p *pendingFile) commit(writing error) error {
	err := errors.Join(writing, p.Close())
	if p.name == "" {
		return err
	}
	if err == nil {
		err = os.Rename(p.Name(), p.name)
	}
	if err != nil {
		_ = os.Remove(p.Name())
	}
	return err
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
