package cameras

import (
	"errors"
	"io"
	"net/url"
	"regexp"

	"kentongan/feeds/bounded"
)

// contentRange is the form in which a part says where it belongs (RFC 9110, section 14.4).
var contentRange = regexp.MustCompile(`^bytes \d{1,15}-\d{1,15}/(\d{1,15}|\*)$`)

// namer names the addresses of a camera's playlists; one that the camera may not lead to refuses the playlist.
func (s *Set) namer(c *camera) func(u *url.URL, list bool) (string, error) {
	return func(u *url.URL, list bool) (string, error) {
		if err := c.client.allowed(u); err != nil {
			return "", bounded.Explain(err)
		}
		name, err := s.sealer.name(c.ID, u.String(), list)
		if err != nil {
			return "", &bounded.Fault{Code: "playlist", Text: "the playlist names an address that is too long"}
		}
		return name, nil
	}
}

// readHead fills head as far as the body goes.
func readHead(body io.Reader, head []byte) (int, error) {
	n, err := io.ReadFull(body, head)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) && n == 0 {
		return n, nil
	}
	return n, err
}
