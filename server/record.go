package server

import (
	"slices"
	"sync"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// keptRecords bounds the memory of a server that runs for months.
const keptRecords = 4096

// recorder keeps the newest login attempts.
type recorder struct {
	mu      sync.Mutex
	records []login.Record
}

func (r *recorder) add(rec login.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.records) == 2*keptRecords {
		r.records = append(r.records[:0], r.records[keptRecords:]...)
	}
	r.records = append(r.records, rec)
}

func (r *recorder) all() []login.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.records)
}
