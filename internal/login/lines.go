package login

// Lines is the table of distinct transcript lines: thousands of conversations
// are made of few distinct ones. The zero value is an empty one.
type Lines struct {
	index map[string]int
	lines []string
	rows  [][]int
}

// Keep returns the row of a transcript, nil for none.
func (t *Lines) Keep(transcript []string) *int {
	if len(transcript) == 0 {
		return nil
	}
	if t.index == nil {
		t.index = map[string]int{}
	}
	row := make([]int, len(transcript))
	for i, line := range transcript {
		at, known := t.index[line]
		if !known {
			at = len(t.lines)
			t.index[line] = at
			t.lines = append(t.lines, line)
		}
		row[i] = at
	}
	t.rows = append(t.rows, row)
	at := len(t.rows) - 1
	return &at
}

// Fill puts the table into the report whose results have its rows.
func (t *Lines) Fill(r *Report) { r.Lines, r.Transcripts = t.lines, t.rows }

// Transcript is a conversation of the report; nil where none was kept.
func (r *Report) Transcript(row *int) []string {
	if row == nil || *row >= len(r.Transcripts) {
		return nil
	}
	said := make([]string, len(r.Transcripts[*row]))
	for i, line := range r.Transcripts[*row] {
		said[i] = r.Lines[line]
	}
	return said
}
