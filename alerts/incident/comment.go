package incident

import (
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Comment is what somebody who works the incident says of it.
type Comment struct {
	ID   string      `json:"id"` // ULID
	At   moment.Time `json:"at"`
	By   string      `json:"by"`
	Text string      `json:"text"`
	Once string      `json:"once,omitempty"` // hash of the Idempotency-Key under which it came, and of whose it was
}

// Bounds of comments: the whole incident goes to every screen with each change of it.
const (
	MostComments = 200
	MostComment  = 1000 // characters
)

// ErrKeyTaken means that something else was done under the same key: 422.
var ErrKeyTaken = errors.New("the Idempotency-Key was used for something else")

// Say gives the incident with a comment; also one that is over may be commented on. The version stays. The same key gives the comment that it gave
// before, with ErrNothing. Errors: ErrInvalid, ErrKeyTaken, ErrNothing.
func (in *Incident) Say(c Comment, at time.Time) (Incident, Comment, error) {
	c.Text, c.At = plainText(c.Text), moment.Of(at)
	if i := slices.IndexFunc(in.Comments, func(o Comment) bool { return c.Once != "" && o.Once == c.Once }); i >= 0 {
		if in.Comments[i].Text != c.Text {
			return Incident{}, Comment{}, ErrKeyTaken
		}
		return Incident{}, in.Comments[i], ErrNothing
	}
	switch n := utf8.RuneCountInString(c.Text); {
	case n == 0:
		return Incident{}, Comment{}, fault.In(ErrInvalid, "text", fault.Missing, nil, "a comment says something")
	case n > MostComment:
		return Incident{}, Comment{}, fault.In(ErrInvalid, "text", fault.Long, MostComment, "%d characters, at most %d", n, MostComment)
	case len(in.Comments) >= MostComments:
		return Incident{}, Comment{}, fault.In(ErrInvalid, "comments", fault.Long, MostComments, "there are %d comments already, which is the most; attach a file instead", MostComments)
	}
	out := in.Clone()
	out.Comments = append(out.Comments, c)
	out.Remark(c.By, "commented", "", at)
	return out, c, nil
}
