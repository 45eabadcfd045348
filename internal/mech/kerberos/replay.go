package kerberos

import (
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

// replays remembers authenticators for as long as they are fresh, so that each
// is good for once (RFC 4120 3.2.3, 10). The zero value remembers none yet.
//
// It keeps two generations, and forgets the older when the younger has seen
// the whole time in which an authenticator can be fresh.
type replays struct {
	mu             sync.Mutex
	since          time.Time // when the younger generation began
	younger, older map[[sha256.Size]byte]struct{}
}

const (
	// fresh is the time from the first moment at which an authenticator can be
	// accepted to the last: the skew either way.
	fresh = 2 * skew
	// generation bounds the memory: two of them take about 20 MB.
	generation = 1 << 17
)

// errFull is no refusal: the service does not know whether it has seen this.
var errFull = errors.New("kerberos: too many logins to remember them all")

// again notes an authenticator and reports whether it was there before.
func (r *replays) again(authenticator []byte, now time.Time) (bool, error) {
	sum := sha256.Sum256(authenticator)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.younger == nil || now.Sub(r.since) > fresh {
		r.younger, r.older, r.since = map[[sha256.Size]byte]struct{}{}, r.younger, now
	}
	if _, known := r.younger[sum]; known {
		return true, nil
	}
	if _, known := r.older[sum]; known {
		return true, nil
	}
	if len(r.younger) >= generation {
		return false, errFull
	}
	r.younger[sum] = struct{}{}
	return false, nil
}
