package harness

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/mailmatrix/mailmatrix/internal/login"
)

// Journal is a file to which a run writes each result as soon as it is there,
// so that another run of the same plan can go on where the first was cut off.
// Results stand in it as in a report: secrets are veiled already.
//
// The first line says what is run (see journalHeader), each further one what
// became of a job. A line is written by one call and handed to the system at
// once: a killed program loses the experiments that were under way, and no more.
type Journal struct {
	header journalHeader
	// done is what was read, by the job's ID; worked is how long that took.
	done   map[string]result
	worked time.Duration

	mu   sync.Mutex
	file io.WriteCloser
	err  error // the first that writing met
}

// journalSchema is the version of the file.
const journalSchema = "mailmatrix-journal/1"

// journalHeader is everything on which the results depend.
type journalHeader struct {
	Journal     string              `json:"journal"`
	Tool        string              `json:"tool"`
	Catalogue   string              `json:"catalogue"`
	Target      string              `json:"target"`
	Started     time.Time           `json:"started"`
	Seed        uint64              `json:"seed"`
	Transcripts Transcripts         `json:"transcripts"`
	Selection   map[string][]string `json:"selection"`
	Jobs        int                 `json:"jobs"`
	// Plan is a digest of the jobs, with what is expected of each.
	Plan string `json:"plan"`
}

// journalLine is the result of one job.
type journalLine struct {
	Job string `json:"job"`
	// At is when, in milliseconds of work since the run began.
	At       float64               `json:"at_ms"`
	Cell     *login.CellResult     `json:"cell,omitempty"`
	Scenario *login.ScenarioResult `json:"scenario,omitempty"`
	Case     *login.CaseResult     `json:"case,omitempty"`
	// Transcript stands in a table in a report, and here with its result.
	Transcript []string `json:"transcript,omitempty"`
}

// OpenJournal opens a journal for a run of the plan, which must be given in its
// Config. A new one is begun, and never in place of a file that is there. With
// resume the run goes on that the file tells of, with its seed: that it was of
// another plan, program or catalogue is an error. A last line that was cut off
// is dropped.
func OpenJournal(name string, resume bool, plan Plan, config Config) (*Journal, error) {
	digest, err := digestOf(plan)
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", name, err)
	}
	asked := config.Seed
	config = config.withDefaults()
	j := &Journal{done: map[string]result{}, header: journalHeader{
		Journal: journalSchema, Tool: config.Tool, Catalogue: plan.Catalogue, Target: config.Target.Name(),
		Started: config.Now().UTC().Truncate(time.Second), Seed: config.Seed, Transcripts: config.Transcripts,
		Selection: maps.Clone(plan.Selection), Jobs: len(plan.Jobs), Plan: digest,
	}}
	if resume {
		err = j.resume(name, asked)
	} else {
		err = j.begin(name)
	}
	if err != nil {
		return nil, err
	}
	return j, nil
}

func (j *Journal) begin(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the user names the file; the umask takes what it takes
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("journal %s is there already: go on with it by --resume, or name another file", name)
	case err != nil:
		return fmt.Errorf("journal: %w", err)
	}
	j.file = f
	j.write(j.header)
	return j.begun(name)
}

// begun closes a journal that cannot be written.
func (j *Journal) begun(name string) error {
	if j.err != nil {
		_ = j.file.Close()
		return fmt.Errorf("journal %s: %w", name, j.err)
	}
	return nil
}

// resume goes on with the journal. The run may ask for a seed; 0 is any.
func (j *Journal) resume(name string, seed uint64) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no journal %s to go on with: leave out --resume to begin it", name)
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("cannot go on with journal %s: it is no regular file", name)
	case err != nil:
		return fmt.Errorf("journal: %w", err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0) //nolint:gosec // the user names the file
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.file = f
	whole, err := j.read(f, seed)
	if err == nil {
		// What follows the last whole line is one that was cut off.
		err = errors.Join(f.Truncate(whole), seekTo(f, whole))
	}
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("cannot go on with journal %s: %w", name, err)
	}
	if whole == 0 { // cut off before it had begun
		j.write(j.header)
	}
	return j.begun(name)
}

func seekTo(f io.Seeker, at int64) error {
	_, err := f.Seek(at, io.SeekStart)
	return err
}

// read takes over what the journal tells, and returns how far its whole lines
// reach.
func (j *Journal) read(f io.Reader, seed uint64) (whole int64, err error) {
	data, err := io.ReadAll(f)
	if err != nil {
		return 0, err
	}
	end := bytes.LastIndexByte(data, '\n') + 1
	for n, line := range bytes.Split(data[:end], []byte("\n")) {
		switch {
		case len(line) == 0 && n > 0: // behind the last line
		case n == 0 && end > 0:
			err = j.readHeader(line, seed)
		case n > 0:
			err = j.readLine(line)
		}
		if err != nil {
			return 0, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	return int64(end), nil
}

// readHeader accepts the header of a run of the very same plan, and takes over
// its seed.
func (j *Journal) readHeader(line []byte, seed uint64) error {
	var there journalHeader
	if err := json.Unmarshal(line, &there); err != nil || there.Journal == "" {
		return errors.New("this is no journal")
	}
	here := j.header
	for _, field := range []struct{ there, here, differ string }{
		{there.Journal, here.Journal, "it is of the form %s, and this program writes %s"},
		{there.Tool, here.Tool, "it was begun by %s, and this is %s"},
		{there.Catalogue, here.Catalogue, "it is about catalogue %s, and this run about %s"},
		{there.Target, here.Target, "it is about %s, and this run about %s"},
		{selectionText(there.Selection), selectionText(here.Selection), "its run was narrowed to %s, and this one to %s"},
		{string(there.Transcripts), string(here.Transcripts), "its run kept the transcripts of %s, and this one of %s"},
		{fmt.Sprint(there.Jobs), fmt.Sprint(here.Jobs), "its run was of %s experiments, and this one of %s"},
		{there.Plan, here.Plan, "its plan was %s, and this one is %s: a policy or a profile has changed"},
	} {
		if field.there != field.here {
			return fmt.Errorf(field.differ+"; begin another journal", field.there, field.here)
		}
	}
	if seed != 0 && seed != there.Seed {
		return fmt.Errorf("its run has seed %d, and this one is to have %d: leave out --seed", there.Seed, seed)
	}
	j.header.Seed, j.header.Started = there.Seed, there.Started
	return nil
}

func selectionText(selection map[string][]string) string {
	var parts []string
	for _, axis := range slices.Sorted(maps.Keys(selection)) {
		parts = append(parts, axis+" "+strings.Join(selection[axis], ","))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// readLine takes over a result. A later one of the same job replaces it.
func (j *Journal) readLine(line []byte) error {
	var l journalLine
	if err := json.Unmarshal(line, &l); err != nil || l.Job == "" {
		return errors.New("this is no result")
	}
	if l.Cell == nil && l.Scenario == nil && l.Case == nil {
		return errors.New("this is no result")
	}
	j.done[l.Job] = result{done: true, cell: l.Cell, scenario: l.Scenario, compliance: l.Case, transcript: l.Transcript}
	j.worked = max(j.worked, time.Duration(l.At*float64(time.Millisecond)))
	return nil
}

// Seed is that of the run.
func (j *Journal) Seed() uint64 { return j.header.Seed }

// Done is how many jobs need not be run again.
func (j *Journal) Done() int { return len(j.done) }

// Close closes the file. Its error is the first that writing met.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := errors.Join(j.err, j.file.Close()); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// before returns what became of a job in the run that was cut off. A control
// that held is done again: it must hold for what is run now as well.
func (j *Journal) before(job Job) (result, bool) {
	if j == nil {
		return result{}, false
	}
	got := j.done[job.ID()]
	if !got.of(job) {
		return result{}, false
	}
	again := job.Scenario != nil && job.Scenario.Kind == login.KindControl && got.scenario.Verdict == login.Pass
	return got, !again
}

// keep writes a result down.
func (j *Journal) keep(job Job, got result, worked time.Duration) {
	if j == nil {
		return
	}
	j.write(journalLine{Job: job.ID(), At: milliseconds(j.worked + worked), Transcript: got.transcript,
		Cell: got.cell, Scenario: got.scenario, Case: got.compliance})
}

// write writes one line.
func (j *Journal) write(line any) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(line)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return // behind a line that was cut off nothing may follow
	}
	if err == nil {
		_, err = j.file.Write(b.Bytes())
	}
	j.err = err
}

// digestOf is a short form of everything that a plan says.
func digestOf(plan Plan) (string, error) {
	sum := sha256.New()
	encoder := json.NewEncoder(sum)
	for _, job := range plan.Jobs {
		if err := errors.Join(encoder.Encode(job.ID()), encoder.Encode(job.Policy), encoder.Encode(job.Expect)); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:12]), nil
}

// inUTF8 is the result with octets that are no UTF-8 as reports show them: JSON
// has no way to write them down, and what is read again must be what was seen.
func (r result) inUTF8() result {
	switch {
	case r.cell != nil:
		r.cell.Reason = utf8Of(r.cell.Reason)
	case r.scenario != nil:
		r.scenario.Reason, r.scenario.Outcome = utf8Of(r.scenario.Reason), utf8Of(r.scenario.Outcome)
	case r.compliance != nil:
		r.compliance.Reason = utf8Of(r.compliance.Reason)
	}
	for i, line := range r.transcript {
		r.transcript[i] = utf8Of(line)
	}
	return r
}

func utf8Of(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i, c := range s {
		if _, n := utf8.DecodeRuneInString(s[i:]); c == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}
