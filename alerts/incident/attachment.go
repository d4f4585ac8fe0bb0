package incident

import (
	"slices"
	"strings"
	"time"

	"kentongan/geo"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// Attachment is a picture, a sound or a document that belongs to the incident. Its bytes lie elsewhere, under their sum.
type Attachment struct {
	ID      string      `json:"id"`   // ULID
	Kind    string      `json:"kind"` // photo, audio, file
	Mime    string      `json:"mime"` // of the bytes as they are kept
	Bytes   int         `json:"bytes"`
	At      moment.Time `json:"at"`                 // when it came
	TakenAt moment.Time `json:"taken_at"`           // when the picture was taken, or the sound; null: not known
	TakenBy string      `json:"taken_by,omitempty"` // whose word that is: exif of the camera, stated by whoever sent it
	Lng     *float64    `json:"lng"`                // likewise
	Lat     *float64    `json:"lat"`
	By      string      `json:"by"`
	SHA256  string      `json:"sha256"`          // of the bytes as they are kept, in hex
	Small   string      `json:"small,omitempty"` // of a photo: sum of its small form
	Width   int         `json:"width,omitempty"`
	Height  int         `json:"height,omitempty"`
	Once    string      `json:"once,omitempty"`
	From    string      `json:"from,omitempty"` // id of the merged incident with which it came
}

// Whose word TakenAt is.
const (
	TakenByCamera = "exif"   // the camera's own clock wrote it into the photo
	TakenBySender = "stated" // whoever sent it says so
)

// MostAttachments is how many an incident may have.
const MostAttachments = 100

// Enclose gives the incident with an attachment; also one that is over takes it. The version stays. The same key, or the same bytes, give the
// attachment that is there, with ErrNothing. A photo that was taken after the first dispatch proves something (N8). Errors: ErrInvalid, ErrKeyTaken,
// ErrNothing.
func (in *Incident) Enclose(a Attachment, at time.Time) (Incident, Attachment, error) {
	for _, o := range in.Attachments {
		switch {
		case a.Once != "" && o.Once == a.Once && o.SHA256 != a.SHA256:
			return Incident{}, Attachment{}, ErrKeyTaken
		case o.SHA256 == a.SHA256:
			return Incident{}, o, ErrNothing
		}
	}
	a.At = moment.Of(at)
	switch {
	case len(in.Attachments) >= MostAttachments:
		return Incident{}, Attachment{}, fault.In(ErrInvalid, "file", fault.Long, MostAttachments, "there are %d attachments already, which is the most", MostAttachments)
	case a.TakenAt.After(at.Add(skew)):
		return Incident{}, Attachment{}, fault.In(ErrInvalid, "taken_at", fault.Late, nil, "%s has not come yet", a.TakenAt)
	case (a.Lng == nil) != (a.Lat == nil):
		return Incident{}, Attachment{}, fault.In(ErrInvalid, "lng", fault.Together, nil, "and lat come together")
	}
	if a.Lng != nil {
		if err := (geo.Position{Lat: *a.Lat, Lng: *a.Lng}).Validate(); err != nil {
			return Incident{}, Attachment{}, fault.In(ErrInvalid, "lng", fault.Outside, nil, "%v", err)
		}
	}
	out := in.Clone()
	out.Attachments = append(out.Attachments, a)
	out.Remark(a.By, "attached", a.Kind, at)
	if out.shows(a) {
		out.Remark(a.By, "proved", strings.TrimSuffix(string(Photo)+": "+a.TakenBy, ": "), at)
	}
	return out, a, nil
}

// shows notes that a photo which was taken after the first dispatch proves something (N8), and by whose word that time is; false: it does not, or it
// is noted.
func (in *Incident) shows(a Attachment) bool {
	sent := in.Times.TDispatch
	return a.Kind == "photo" && !sent.IsZero() && !a.TakenAt.IsZero() && !a.TakenAt.Before(sent.Time) &&
		in.Prove(Proven{Kind: Photo, Ref: a.ID, At: a.TakenAt, By: a.By, Source: a.TakenBy})
}

// gather takes over the attachments of an incident that becomes part of this one.
func (in *Incident) gather(from *Incident) {
	for _, a := range from.Attachments {
		a.From = from.ID
		in.Attachments = append(in.Attachments, a)
		in.shows(a)
	}
}

// giveBack is without the attachments that came with an incident, and what they proved.
func (in *Incident) giveBack(from string) {
	for _, a := range in.Attachments {
		if a.From == from {
			in.disprove(Photo, a.ID)
		}
	}
	if in.Attachments = slices.DeleteFunc(in.Attachments, func(a Attachment) bool { return a.From == from }); len(in.Attachments) == 0 {
		in.Attachments = nil
	}
}

// Attached finds an attachment by its id.
func (in *Incident) Attached(id string) (Attachment, bool) {
	i := slices.IndexFunc(in.Attachments, func(a Attachment) bool { return a.ID == id })
	if i < 0 {
		return Attachment{}, false
	}
	return in.Attachments[i], true
}

// Sums are those of the bytes that the incident needs.
func (in *Incident) Sums() []string {
	var out []string
	for _, a := range in.Attachments {
		for _, sum := range []string{a.SHA256, a.Small} {
			if sum != "" {
				out = append(out, sum)
			}
		}
	}
	return out
}
