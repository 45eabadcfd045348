package harness

import (
	"fmt"
	"hash/fnv"
	"maps"
	"strconv"
	"strings"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Shard is one of the parts into which a plan is divided, so that each can be
// run on a machine of its own; their reports are merged into that of the whole.
// K counts from 1 to N.
type Shard struct{ K, N int }

// selectedShard is the axis of a selection that a shard is.
const selectedShard = "shard"

// ParseShard reads "2/3".
func ParseShard(text string) (Shard, error) {
	k, n, _ := strings.Cut(text, "/")
	var s Shard
	var errK, errN error
	s.K, errK = strconv.Atoi(k)
	s.N, errN = strconv.Atoi(n)
	if errK != nil || errN != nil || s.K < 1 || s.K > s.N || s.String() != text {
		return Shard{}, fmt.Errorf("unknown shard %q: the second of three is 2/3", text)
	}
	return s, nil
}

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.K, s.N) }

// has reports whether the shard has the job with this ID. It depends on nothing
// else, so that a job stays where it is when others come and go.
func (s Shard) has(id string) bool {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return h.Sum64()%uint64(s.N) == uint64(s.K-1) //nolint:gosec // both are positive
}

// Shard narrows the plan to a part of its jobs. Controls are in every one, or
// its results would prove nothing; the clients' manners are in the first.
func (p Plan) Shard(s Shard) Plan {
	var kept []Job
	for i, j := range p.Jobs {
		if j.Scenario != nil && j.Scenario.Kind == login.KindControl || s.has(j.ID()) {
			j.place = i
			kept = append(kept, j)
		}
	}
	p.Jobs = kept
	if s.K != 1 {
		p.Clients = nil
	}
	p.Selection = maps.Clone(p.Selection)
	if p.Selection == nil {
		p.Selection = map[string][]string{}
	}
	p.Selection[selectedShard] = []string{s.String()}
	return p
}

func (p Plan) sharded() bool { return len(p.Selection[selectedShard]) > 0 }
