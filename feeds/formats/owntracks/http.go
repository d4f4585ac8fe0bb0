package owntracks

import (
	"strings"

	"kentongan/feeds"
)

// Reply is what the app waits for over HTTP: a list of messages for it. The house has none (OwnTracks booklet, HTTP mode).
func (Format) Reply() feeds.Reply {
	return feeds.Reply{Status: 200, ContentType: "application/json", Body: []byte("[]")}
}

// TopicOf makes the topic of the headers X-Limit-U (user) and X-Limit-D (device), which the app sends over HTTP in place of one. A part
// that would change the topic's form is no name.
func (Format) TopicOf(header func(name string) string) string {
	user, device := header("X-Limit-U"), header("X-Limit-D")
	for _, part := range []string{user, device} {
		if part == "" || len(part) > maxName/3 || strings.ContainsAny(part, "/+#\x00") {
			return ""
		}
	}
	return "owntracks/" + user + "/" + device
}
