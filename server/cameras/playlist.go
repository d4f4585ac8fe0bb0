package cameras

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"kentongan/feeds/bounded"
)

// mostLines bounds a playlist, beside its bytes.
const mostLines = 20_000

// Tags of RFC 8216, section 4.3, that hold no address, and those whose URI is one of a playlist or of bytes. Any other tag, and every comment,
// is left out: an address could stand in it. Those of low latency, of session data and of advertisements are among them.
var (
	plainTags = map[string]bool{"#EXTM3U": true, "#EXT-X-VERSION": true, "#EXTINF": true, "#EXT-X-BYTERANGE": true, "#EXT-X-DISCONTINUITY": true, "#EXT-X-PROGRAM-DATE-TIME": true,
		"#EXT-X-TARGETDURATION": true, "#EXT-X-MEDIA-SEQUENCE": true, "#EXT-X-DISCONTINUITY-SEQUENCE": true, "#EXT-X-ENDLIST": true, "#EXT-X-PLAYLIST-TYPE": true,
		"#EXT-X-I-FRAMES-ONLY": true, "#EXT-X-STREAM-INF": true, "#EXT-X-INDEPENDENT-SEGMENTS": true, "#EXT-X-START": true, "#EXT-X-GAP": true, "#EXT-X-BITRATE": true}
	listTags  = map[string]bool{"#EXT-X-MEDIA": true, "#EXT-X-I-FRAME-STREAM-INF": true}
	bytesTags = map[string]bool{"#EXT-X-KEY": true, "#EXT-X-SESSION-KEY": true, "#EXT-X-MAP": true}
)

// rewrite gives a playlist in which every address is what name makes of it: of a further playlist (list), or of bytes. Addresses are resolved
// against base first. It is refused whole where it is none, or where name refuses an address.
func rewrite(body []byte, base *url.URL, name func(u *url.URL, list bool) (string, error)) ([]byte, error) {
	refuse := func(text string) error { return &bounded.Fault{Code: "playlist", Text: text} }
	body = bounded.TrimBOM(body)
	if !bytes.HasPrefix(body, []byte("#EXTM3U")) || !utf8.Valid(body) || bytes.IndexByte(body, 0) >= 0 {
		return nil, refuse("the answer is no HLS playlist")
	}
	if bytes.Count(body, []byte("\n")) > mostLines {
		return nil, refuse(fmt.Sprintf("the playlist has more than %d lines", mostLines))
	}
	if bytes.Contains(body, []byte("{$")) {
		return nil, refuse("the playlist makes its addresses of variables")
	}
	renamed := func(text string, list bool) (string, error) {
		u, err := base.Parse(text)
		if err != nil {
			return "", refuse("the playlist names an address that cannot be read")
		}
		u.Fragment = ""
		return name(u, list)
	}
	var out bytes.Buffer
	playlists := false // the next address is of a playlist
	for line := range bytes.Lines(body) {
		text := strings.TrimRight(string(line), " \t\r\n")
		tag, _, _ := strings.Cut(text, ":")
		switch {
		case text == "":
			continue
		case plainTags[tag]:
			if text = plain(text); text == "" {
				return nil, refuse("the playlist has an address where none belongs")
			}
			playlists = tag == "#EXT-X-STREAM-INF" || playlists && tag != "#EXTINF"
		case listTags[tag] || bytesTags[tag]:
			var err error
			if text, err = withURI(text, func(address string) (string, error) { return renamed(address, listTags[tag]) }); err != nil {
				return nil, err
			}
		case strings.HasPrefix(text, "#"):
			continue
		default:
			address, err := renamed(text, playlists)
			if err != nil {
				return nil, err
			}
			text, playlists = address, false
		}
		out.WriteString(text)
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}

// plain is a tag without its free text, a segment's title; empty where an address stands in it.
func plain(tag string) string {
	if length, _, found := strings.Cut(tag, ","); found && strings.HasPrefix(tag, "#EXTINF:") {
		tag = length + ","
	}
	if strings.Contains(tag, "://") {
		return ""
	}
	return tag
}

// withURI gives a tag with its attribute URI renamed. Attributes are read as RFC 8216, section 4.2, has them: a quoted text may hold commas.
func withURI(tag string, name func(string) (string, error)) (string, error) {
	broken := &bounded.Fault{Code: "playlist", Text: "the playlist has a tag that cannot be read"}
	head, rest, _ := strings.Cut(tag, ":")
	var out []string
	for rest != "" {
		key, after, found := strings.Cut(rest, "=")
		if !found {
			return "", broken
		}
		var value string
		if strings.HasPrefix(after, `"`) {
			end := strings.IndexByte(after[1:], '"')
			if end < 0 {
				return "", broken
			}
			value, rest = after[:end+2], after[end+2:]
		} else if end := strings.IndexByte(after, ','); end >= 0 {
			value, rest = after[:end], after[end:]
		} else {
			value, rest = after, ""
		}
		if rest != "" && !strings.HasPrefix(rest, ",") {
			return "", broken
		}
		rest = strings.TrimPrefix(rest, ",")
		if key = strings.TrimSpace(key); key == "URI" {
			address, err := name(strings.Trim(value, `"`))
			if err != nil {
				return "", err
			}
			value = `"` + address + `"`
		} else if strings.Contains(value, "://") {
			continue // an address that nobody needs
		}
		out = append(out, key+"="+value)
	}
	return head + ":" + strings.Join(out, ","), nil
}
