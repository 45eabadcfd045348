package server

import (
	"bufio"
	"bytes"
	"errors"
)

// What can be wrong with a line.
var (
	errTooLong = errors.New("line too long") // it has been read to its end
	errControl = errors.New("a bare CR or a NUL inside a line")
	// RFC 5321 2.3.8: only CR LF ends a line. Whoever sends LF alone may
	// mean two commands where others see one, so nothing of it is obeyed.
	errBareLF  = errors.New("a line that ends in LF without CR")
	errEndless = errors.New("a line without end")
)

// mostDiscarded is how much of a line that is too long is read and thrown
// away before the peer is given up.
const mostDiscarded = 1 << 20

// readLine reads one line of at most limit octets and returns it without its
// end, and how many octets it took, whether they make a good line or not. With
// errTooLong comes how the line begins, with errControl all of it. The slice is
// valid until the next read.
func readLine(r *bufio.Reader, limit int) (line []byte, octets int, err error) {
	line, err = r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, octets, err = readLongLine(r, line, limit)
	} else {
		octets = len(line)
	}
	if err != nil {
		return nil, octets, err
	}
	line, err = checkLine(line, limit)
	return line, octets, err
}

// readLongLine goes on where the buffer was full. Of a line that is too long
// it keeps enough to tell that, and how it ends.
func readLongLine(r *bufio.Reader, start []byte, limit int) (line []byte, octets int, err error) {
	line, octets = bytes.Clone(start), len(start)
	for {
		part, err := r.ReadSlice('\n')
		line, octets = append(line, part...), octets+len(part)
		if len(line) > limit+4 {
			// The two octets at the end decide how the line ends.
			line = append(line[:limit+2], line[len(line)-2:]...)
		}
		switch {
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, octets, err
		case octets-len(line) > mostDiscarded:
			return nil, octets, errEndless
		}
	}
}

func checkLine(line []byte, limit int) ([]byte, error) {
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return nil, errBareLF
	}
	line = line[:len(line)-2]
	switch {
	case len(line) > limit:
		return line[:limit], errTooLong
	case bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0:
		return line, errControl
	}
	return line, nil
}

// ascii reports whether the text is printable ASCII and blanks.
func ascii(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\t' || c > '~' {
			return false
		}
	}
	return true
}
