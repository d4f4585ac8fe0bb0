package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/patient"
)

// maxRefused is how many deliveries in a row may be refused before a connection is ended: whoever speaks another language is not heard on.
const maxRefused = 10

// session is one connection being read. While a delivery is on its way nothing more is read.
type session struct {
	config  *Config
	conn    net.Conn
	peer    string // empty where we dialled
	deliver feeds.Deliver
	cut     cutter
	batch   batch
	heard   time.Time // when bytes came last
	began   time.Time // when the message began that is not whole
	refused int       // deliveries in a row
}

func newSession(c *Config, conn net.Conn, peer string, deliver feeds.Deliver) *session {
	return &session{config: c, conn: conn, peer: peer, deliver: deliver, cut: newCutter(c.Framing, c.MaxFrame), batch: batch{framing: c.Framing}}
}

// errIdle says that a connection brought nothing for too long.
var errIdle = errors.New("nothing came for too long")

// run reads until the connection or ctx ends, and says why: nil where the other side ended it between two messages. It closes the
// connection.
func (s *session) run(ctx context.Context) error {
	defer s.conn.Close()
	defer context.AfterFunc(ctx, func() { s.conn.Close() })()
	buf := make([]byte, 8<<10)
	s.heard = time.Now()
	for {
		if err := s.conn.SetReadDeadline(s.deadline()); err != nil {
			return s.end(ctx, err)
		}
		n, err := s.conn.Read(buf)
		if n > 0 {
			if err := s.take(ctx, buf[:n]); err != nil {
				return s.fail(ctx, err)
			}
		}
		if err := s.flushDue(ctx); err != nil {
			return s.fail(ctx, err)
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := s.overdue(); err != nil {
				return s.fail(ctx, err)
			}
		case err != nil:
			return s.end(ctx, err)
		}
	}
}

// deadline is until when the next bytes are waited for.
func (s *session) deadline() time.Time {
	at := s.heard.Add(s.config.Idle)
	if limit := s.began.Add(frameLimit); len(s.cut.rest()) > 0 && limit.Before(at) {
		at = limit
	}
	if len(s.batch.body) > 0 && s.batch.due.Before(at) {
		at = s.batch.due
	}
	return at
}

// overdue says what has lasted too long, nil where it is only the batch.
func (s *session) overdue() error {
	now := time.Now()
	switch {
	case len(s.cut.rest()) > 0 && now.Sub(s.began) >= frameLimit:
		return fault("timeout", fmt.Sprintf("a message was not whole within %s", frameLimit), nil)
	case now.Sub(s.heard) >= s.config.Idle:
		return fault("timeout", fmt.Sprintf("nothing came for %s", s.config.Idle), errIdle)
	}
	return nil
}

// take cuts what has come and delivers what is full.
func (s *session) take(ctx context.Context, p []byte) error {
	now := time.Now()
	s.heard = now
	fresh := len(s.cut.rest()) == 0
	s.cut.write(p)
	for {
		m, err := s.cut.message()
		if err != nil {
			return s.unreadable(err)
		}
		if m == nil {
			break
		}
		fresh = true
		if s.batch.add(m, now, s.config.Now()) {
			if err := s.flush(ctx, false); err != nil {
				return err
			}
			now = time.Now()
		}
	}
	if fresh {
		s.began = now
	}
	return nil
}

// unreadable is a stream that cannot be cut on.
func (s *session) unreadable(err error) error {
	if errors.Is(err, bounded.ErrTooLarge) {
		return bounded.Explain(err)
	}
	return fault("format", err.Error(), err)
}

func (s *session) flushDue(ctx context.Context) error {
	if len(s.batch.body) == 0 || time.Now().Before(s.batch.due) {
		return nil
	}
	return s.flush(ctx, false)
}

// flush delivers what the batch gives, and waits until it is stored or refused. The time that takes is not the sender's.
func (s *session) flush(ctx context.Context, last bool) error {
	began := time.Now()
	body := s.batch.take(began, last)
	if len(body) == 0 {
		return nil
	}
	meta := feeds.Meta{Peer: s.peer, ContentType: s.config.Framing.ContentType, ReceivedAt: s.batch.at}
	_, err := patient.Deliver(ctx, s.deliver, body, meta)
	took := time.Since(began)
	s.heard, s.began, s.batch.due = s.heard.Add(took), s.began.Add(took), s.batch.due.Add(took)
	switch {
	case err == nil:
		s.refused = 0
		return nil
	case !errors.Is(err, feeds.ErrPermanent): // ctx has ended
		s.lastWords(ctx, body)
		return err
	}
	if s.refused++; s.refused >= maxRefused {
		return fault("format", fmt.Sprintf("%d deliveries in a row were refused, the last: %.200s", s.refused, err), err)
	}
	return nil
}

// lastWords delivers body and what is whole behind it after ctx has ended.
func (s *session) lastWords(ctx context.Context, body []byte) {
	now := time.Now()
	body = append(body, s.batch.take(now, true)...)
	for m, err := s.cut.message(); m != nil && err == nil; m, err = s.cut.message() {
		if !s.config.Framing.Together {
			s.lastWord(ctx, body)
			body = nil
		}
		body = append(body, m...)
	}
	s.lastWord(ctx, body)
}

func (s *session) lastWord(ctx context.Context, body []byte) {
	if len(body) == 0 {
		return
	}
	meta := feeds.Meta{Peer: s.peer, ContentType: s.config.Framing.ContentType, ReceivedAt: s.batch.at}
	if err := patient.DeliverLast(ctx, s.deliver, body, meta); err != nil && !errors.Is(err, feeds.ErrPermanent) {
		s.config.Log.Warn().Err(err).Int("bytes", len(body)).Msg("read from a stream, but not stored before the end")
	}
}

// fail ends a connection for a fault of what it brought: what was whole before is delivered.
func (s *session) fail(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if ferr := s.flush(ctx, true); ctx.Err() != nil {
		return ferr
	}
	if !errors.Is(err, errIdle) {
		s.config.Watch.Reject(1, err)
	}
	return err
}

// end delivers what is left when a connection has ended. A last line without its end counts where the other side ended in order.
func (s *session) end(ctx context.Context, why error) error {
	if ctx.Err() != nil {
		s.lastWords(ctx, nil)
		return ctx.Err()
	}
	ordered := errors.Is(why, io.EOF)
	half := s.cut.rest()
	if len(half) > 0 && ordered && s.config.Framing.Next == nil && !s.config.Framing.Closed {
		s.batch.add(append(half[:len(half):len(half)], '\n'), time.Now(), s.config.Now())
		half = nil
	}
	if err := s.flush(ctx, true); err != nil {
		return err
	}
	if len(half) > 0 {
		err := fault("broken", fmt.Sprintf("the connection ended inside a message, after %d bytes of it", len(half)), why)
		s.config.Watch.Reject(1, err)
		return err
	}
	if ordered {
		return nil
	}
	return bounded.Explain(why)
}
