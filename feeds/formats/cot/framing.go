package cot

import (
	"bytes"
	"errors"
	"fmt"

	"kentongan/feeds"
	"kentongan/feeds/cap"
)

// streamed is our content type of events that a stream brought: each stands for itself, as lines do.
const streamed = "application/x-cot-stream"

// Framing is one <event> after the other, with XML declarations and white space as they come. A stream has no other sign of an end.
func (Format) Framing() feeds.Framing {
	return feeds.Framing{Next: next, Together: true, ContentType: streamed}
}

var (
	endTag      = []byte("</event")
	errProtobuf = errors.New("the protobuf form of TAK, which is not read: have the stream sent as XML")
)

// next ends a message after its </event>.
func next(data []byte, seen int) (int, error) {
	if begin := bytes.TrimLeft(data, " \t\r\n"); len(begin) > 0 && begin[0] == 0xbf {
		return 0, errProtobuf
	}
	const longest = 64 // of an end tag with the white space it may hold
	for from := max(0, seen-longest); ; {
		at := bytes.Index(data[from:], endTag)
		if at < 0 {
			return 0, nil
		}
		from += at + len(endTag)
		rest := data[from:]
		white := len(rest) - len(bytes.TrimLeft(rest, " \t\r\n"))
		switch {
		case white == len(rest):
			return 0, nil
		case rest[white] == '>':
			return from + white + 1, nil
		}
	}
}

// stream reads events that stand for themselves: a faulty one costs itself.
func (d *decoder) stream(body []byte) {
	for i := 0; len(bytes.TrimSpace(body)) > 0; i++ {
		end, err := next(body, 0)
		if end == 0 {
			end = len(body)
		}
		if err == nil {
			err = d.alone(i, body[:end])
		}
		if err != nil {
			d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("event %d: %.300s", i, err)})
		}
		body = body[end:]
	}
}

// alone reads what stands up to one </event>.
func (d *decoder) alone(i int, message []byte) error {
	spans, err := split(message)
	if err != nil {
		return err
	}
	for _, s := range spans {
		e, err := cap.Parse(message[s.From:s.To])
		if err == nil {
			err = isEvent(e)
		}
		if err != nil {
			return err
		}
		d.event(i, e)
	}
	return nil
}

// isEvent tells an event by its name, its uid and its type.
func isEvent(e *cap.Element) error {
	if e.Name != "event" || e.Space != "" || e.Attr("uid") == "" && e.Attr("type") == "" {
		return fmt.Errorf("<%.40s> is not an <event> with uid and type", e.Name)
	}
	return nil
}
