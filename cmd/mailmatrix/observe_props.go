package main

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/recording"
)

// observeProps are what observe makes for the occasion: a password, and in a
// folder that only the user can read what clients need of it.
type observeProps struct {
	folder   string
	password string
}

func newObserveProps(authority []byte) (*observeProps, error) {
	folder, err := os.MkdirTemp("", "mailmatrix-") // 0700
	if err != nil {
		return nil, err
	}
	// As long as the recordings' password, since some of what clients say is
	// told apart by its length.
	p := &observeProps{folder: folder, password: strings.ToLower(rand.Text())[:len(recording.Password)]}
	for name, data := range map[string][]byte{"password": []byte(p.password + "\n"), "ca.pem": authority, "message": []byte(message)} {
		if err := os.WriteFile(p.path(name), data, privateFile); err != nil {
			return nil, errors.Join(err, p.remove())
		}
	}
	return p, nil
}

func (p *observeProps) path(name string) string { return filepath.Join(p.folder, name) }
func (p *observeProps) remove() error           { return os.RemoveAll(p.folder) }
