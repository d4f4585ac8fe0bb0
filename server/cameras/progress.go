package cameras

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kentongan/feeds/bounded"
)

// progress is how far a media playlist has come.
type progress struct {
	end    int64         // number of the segment that comes next: media sequence and count of segments
	last   string        // path of the last segment, for what counts nothing; its query may change with each answer
	target time.Duration // the longest segment
	ended  bool          // nothing will come any more
}

// further tells that p holds something that was not there before.
func (p progress) further(before progress) bool { return p.end != before.end || p.last != before.last }

// progressOf reads a media playlist: EXT-X-MEDIA-SEQUENCE, EXT-X-TARGETDURATION and EXT-X-ENDLIST (RFC 8216, sections 4.3.3.1, 4.3.3.2, 4.3.3.4).
func progressOf(body []byte) progress {
	var p progress
	for line := range strings.Lines(string(body)) {
		text := strings.TrimSpace(line)
		tag, value, _ := strings.Cut(text, ":")
		switch {
		case tag == "#EXT-X-MEDIA-SEQUENCE":
			n, _ := strconv.ParseInt(value, 10, 64) // unread it is 0, as where the tag is missing
			p.end += n
		case tag == "#EXT-X-TARGETDURATION":
			n, _ := strconv.ParseFloat(value, 64) // unread it sets no patience of its own
			p.target = time.Duration(min(max(n, 0), 3600) * float64(time.Second))
		case tag == "#EXT-X-ENDLIST":
			p.ended = true
		case text != "" && !strings.HasPrefix(text, "#"):
			p.end++
			p.last, _, _ = strings.Cut(text, "?")
		}
	}
	return p
}

// variant is the first media playlist that a multivariant one names (EXT-X-STREAM-INF, RFC 8216, section 4.3.4.2); false: it names none.
func variant(body []byte, base *url.URL) (string, bool) {
	named := false
	for line := range strings.Lines(string(body)) {
		text := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(text, "#EXT-X-STREAM-INF:"):
			named = true
		case named && text != "" && !strings.HasPrefix(text, "#"):
			u, err := base.Parse(text)
			if err != nil {
				return "", false
			}
			return u.String(), true
		}
	}
	return "", false
}

// patience is how long a playlist may stand still: RFC 8216, section 6.2.1, has a new segment within one and a half of the longest. Three are
// given, and two of our own questions.
func patience(target, every time.Duration) time.Duration { return max(3*target, 2*every) }

// moving asks a camera that has playlists only. The frame's time is when something last came that was not there before: a playlist that is
// answered and stands still is no new picture. Only one question of a camera is under way at a time, and it alone touches c.far.
func (s *Set) moving(ctx context.Context, c *camera) (Frame, error) {
	raw, final, err := c.client.fetch(ctx, c.config.HLS.Reveal(), mostPlaylist)
	if err != nil {
		return Frame{}, err
	}
	if _, err := rewrite(raw, final, s.namer(c)); err != nil {
		return Frame{}, err
	}
	if address, named := variant(raw, final); named {
		if raw, final, err = c.client.fetch(ctx, address, mostPlaylist); err != nil {
			return Frame{}, err
		}
		if _, err := rewrite(raw, final, s.namer(c)); err != nil {
			return Frame{}, err
		}
	}
	now, p := s.now(), progressOf(raw)
	stopped := func(format string, args ...any) (Frame, error) {
		return Frame{}, &bounded.Fault{Code: "stopped", Text: fmt.Sprintf(format, args...)}
	}
	switch {
	case p.end == 0:
		return stopped("the playlist names no segment")
	case p.ended:
		return stopped("the stream has ended")
	case c.farAt.IsZero() || p.further(c.far):
		c.far, c.farAt = p, now
	case now.Sub(c.farAt) > patience(p.target, c.Every):
		return stopped("the playlist stands still: no new segment for more than %d s", int(patience(p.target, c.Every).Seconds()))
	}
	return Frame{At: c.farAt}, nil
}
