package owntracks

import (
	"strings"
	"testing"

	"kentongan/feeds"
)

func TestHeadersOfThePhoneBecomeItsTopic(t *testing.T) {
	for _, c := range []struct{ user, device, topic string }{
		{"rani", "hp", "owntracks/rani/hp"}, {"", "hp", ""}, {"rani", "", ""}, {"a/b", "hp", ""}, {"+", "hp", ""}, {"rani", "#", ""}, {strings.Repeat("u", 100), "hp", ""},
	} {
		header := func(name string) string { return map[string]string{"X-Limit-U": c.user, "X-Limit-D": c.device}[name] }
		topic := Format{}.TopicOf(header)
		if topic != c.topic {
			t.Errorf("%s, %s: %q, want %q", c.user, c.device, topic, c.topic)
		}
		b, err := Format{}.Decode([]byte(`{"_type":"location","tid":"rh","lat":-0.8,"lon":100.6,"tst":1700000000}`), feeds.Meta{Topic: topic})
		want := "rh"
		if c.topic != "" {
			want = "rani/hp"
		}
		if err != nil || len(b.Positions) != 1 || b.Positions[0].Unit != want {
			t.Errorf("%s, %s: %+v %v", c.user, c.device, b, err)
		}
	}
}
