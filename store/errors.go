package store

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// explained puts an error of the database into a line that says what to do.
func explained(name string, err error) error {
	if err == nil {
		return nil
	}
	var cause *sqlite.Error
	if !errors.As(err, &cause) {
		return fmt.Errorf("store %s: %w", name, err)
	}
	const kind = 0xff // the rest of a code is details
	says := map[int]string{
		codes.SQLITE_NOTADB:   "this is no database: name another file",
		codes.SQLITE_CANTOPEN: "it cannot be opened: is the folder there, and may you write in it?",
		codes.SQLITE_READONLY: "it or its folder may only be read, and who reads a store writes beside it: copy it to a folder of yours",
		codes.SQLITE_BUSY:     "another program is writing into it, and does not end",
		codes.SQLITE_FULL:     "the disk is full; nothing of this run is kept",
		codes.SQLITE_CORRUPT:  "the database is damaged: take a copy that is not",
	}[cause.Code()&kind]
	if says == "" {
		return fmt.Errorf("store %s: %w", name, err)
	}
	return fmt.Errorf("store %s: %s", name, says)
}
