package mqtt

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxTopic bounds a topic filter, in bytes.
const maxTopic = 512

// CheckFilter tells why a text is no topic filter for a feed (MQTT 5, section 4.7): its first level must be fixed, so that a feed never
// reaches beyond what is its own; + and # stand for whole levels beneath it, # for the last ones.
func CheckFilter(filter string) error {
	levels := strings.Split(filter, "/")
	switch {
	case filter == "":
		return errors.New("is empty")
	case len(filter) > maxTopic:
		return fmt.Errorf("has %d bytes, more than %d", len(filter), maxTopic)
	case !utf8.ValidString(filter) || strings.ContainsRune(filter, 0):
		return errors.New("is no UTF-8 text")
	case strings.HasPrefix(filter, "$"):
		return errors.New("begins with $: such topics belong to brokers")
	case levels[0] == "" || strings.ContainsAny(levels[0], "+#"):
		return errors.New("begins with a wildcard or with nothing: its first level must be fixed, as in awlr/+/up")
	}
	for i, level := range levels {
		switch {
		case strings.Contains(level, "#") && (level != "#" || i < len(levels)-1):
			return errors.New("has # elsewhere than as its whole last level")
		case strings.Contains(level, "+") && level != "+":
			return fmt.Errorf("has + in the level %q: it stands for a whole level", level)
		}
	}
	return nil
}

// Covers tells whether every topic that falls under inner falls under outer. Both have passed CheckFilter.
func Covers(outer, inner string) bool {
	for {
		o, restOfOuter, more := strings.Cut(outer, "/")
		if o == "#" {
			return true
		}
		i, restOfInner, deeper := strings.Cut(inner, "/")
		if i == "#" || o != "+" && o != i {
			return false
		}
		if !more || !deeper {
			return more == deeper || more && restOfOuter == "#"
		}
		outer, inner = restOfOuter, restOfInner
	}
}

// Matches tells whether a topic falls under a filter that CheckFilter has passed.
func Matches(filter, topic string) bool {
	for {
		want, restOfFilter, more := strings.Cut(filter, "/")
		if want == "#" {
			return true
		}
		level, restOfTopic, deeper := strings.Cut(topic, "/")
		if want != "+" && want != level {
			return false
		}
		if !more || !deeper {
			return more == deeper || more && restOfFilter == "#" // a/# covers a itself
		}
		filter, topic = restOfFilter, restOfTopic
	}
}
