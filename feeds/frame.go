package feeds

import "bytes"

// Framer is a format that says how its messages follow one another in a stream. A format that is none is read as a document a line, each
// line a delivery.
type Framer interface{ Framing() Framing }

// Framing is how messages follow one another in a stream. Its functions are pure and keep nothing of what they are given.
type Framing struct {
	// Next gives the end of the first message in data, 0 where it is not whole yet. The first seen bytes were looked at before and did
	// not end it. An error means that the stream cannot be read on. Nil: lines.
	Next func(data []byte, seen int) (end int, err error)

	// Together says that messages which come close to each other make one body, in the order they came.
	Together bool

	// Unfinished gives the offset in a body from which on it wants what comes next, such as a first part without its second; len(body)
	// where it wants nothing. Such an end waits for the next messages, but not for long. Nil: none waits.
	Unfinished func(body []byte) int

	// Closed says that the last line of a stream counts only with its line feed: without it a half would look whole.
	Closed bool

	// ContentType of a body that was put together, empty where the format needs none.
	ContentType string
}

// FramingOf gives the framing of a format: that of a document a line where it says none.
func FramingOf(f Format) Framing {
	if framer, ok := f.(Framer); ok {
		return framer.Framing()
	}
	return Framing{}
}

// NextLine is Framing.Next for lines: a message ends after its line feed.
func NextLine(data []byte, seen int) (int, error) {
	if at := bytes.IndexByte(data[seen:], '\n'); at >= 0 {
		return seen + at + 1, nil
	}
	return 0, nil
}

// Lines is the framing of formats that read each line for itself.
func Lines(contentType string) Framing { return Framing{Together: true, ContentType: contentType} }
