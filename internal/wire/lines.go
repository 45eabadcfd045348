package wire

import (
	"bufio"
	"errors"
	"io"
)

// ErrLineTooLong says that a line had more octets than were allowed. The rest
// of the line has been read and thrown away: the next line is whole.
var ErrLineTooLong = errors.New("line too long")

// ReadLine reads one line of at most limit octets, its end not counted, and
// returns it without that end, which is LF with or without CR. The slice is
// valid until the next read. What follows the last line end in a stream is
// not a line: it ends in [io.ErrUnexpectedEOF].
func ReadLine(r *bufio.Reader, limit int) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err == nil { // the common case: the whole line is in the buffer
		return within(trimEnd(line), limit)
	}
	var long []byte
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(long) <= limit { // keep no more than shows that it is too long
			long = append(long, line...)
		}
		line, err = r.ReadSlice('\n')
	}
	switch {
	case errors.Is(err, io.EOF) && len(long)+len(line) > 0:
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	case len(long) > limit+2:
		return nil, ErrLineTooLong
	}
	return within(trimEnd(append(long, line...)), limit)
}

func within(line []byte, limit int) ([]byte, error) {
	if len(line) > limit {
		return nil, ErrLineTooLong
	}
	return line, nil
}

// trimEnd takes one CR LF or LF off the end.
func trimEnd(line []byte) []byte {
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}
