// Package report is Report: a citizen's or officer's account as the house keeps it. Pure.
//
// Who gave it is not kept here: name, telephone, e-mail and device have no field. They lie apart and sealed, for those who must call back
// (server/privacy).
package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Report is one account with what its feed last said of it.
type Report struct {
	ID          string            `json:"id"` // "<feed>:<service_request_id>"
	Feed        string            `json:"feed"`
	Agency      string            `json:"agency,omitempty"` // slug: whose feed or desk it came by; empty: the house's own
	RequestID   string            `json:"service_request_id"`
	Channel     string            `json:"channel"` // call, chat, radio, app, open311, or as the feed says it
	Type        string            `json:"type"`    // the producer's word (Open311 service_name), may be empty
	Code        string            `json:"service_code,omitempty"`
	Text        string            `json:"text"`
	Status      Status            `json:"status"`
	StatusNotes string            `json:"status_notes,omitempty"`
	Responsible string            `json:"agency_responsible,omitempty"`
	Media       string            `json:"media_url,omitempty"` // http or https
	State       State             `json:"state"`               // of triage
	Address     string            `json:"address"`
	Lng         *float64          `json:"lng"` // null: its place is not known
	Lat         *float64          `json:"lat"`
	Cell        geo.Cell          `json:"cell"`
	AreaName    string            `json:"area_name"`
	At          moment.Time       `json:"at"`         // when it was given; where the producer does not say, received_at
	UpdatedAt   moment.Time       `json:"updated_at"` // of this revision, as the producer says it; null: it does not
	ReceivedAt  moment.Time       `json:"received_at"`
	ChangedAt   moment.Time       `json:"changed_at"`       // when the house took this revision
	Revision    int               `json:"revision"`         // 1, and one more with each change
	Triage      *Triage           `json:"triage,omitempty"` // the judgement that stands; absent: nobody has judged it
	Simulated   bool              `json:"simulated"`
	Attribution string            `json:"attribution,omitempty"`
	External    []feeds.ReportRef `json:"external_refs"`
	EnteredBy   string            `json:"entered_by,omitempty"` // subject of who took the call; empty: it came by a feed
	Erased      bool              `json:"erased,omitempty"`     // its words were erased; what its feed says of it again is not taken up

	undated bool // its producer gives no time: At is our clock's
}

// Status is where the producer says that a report stands (GeoReport v2).
type Status string

// A report is open until its producer closes it.
const (
	Open   Status = "open"
	Closed Status = "closed"
)

// State is where a report stands in our own triage.
type State string

// Where a report may stand (domain.md section 5).
const (
	New      State = "new"      // judged by nobody
	Linked   State = "linked"   // evidence of an incident
	Referred State = "referred" // somebody else's to answer
	Rejected State = "rejected" // a prank, or no emergency
)

// Fresh is for how long a report that nobody closed belongs to what a screen starts with, from its receipt.
const Fresh = 24 * time.Hour

// Standing tells whether a report belongs to what a screen starts with.
func (r *Report) Standing(now time.Time) bool {
	return r.Status != Closed && now.Sub(r.ReceivedAt.Time) < Fresh
}

// Position gives the place; false where it is not known.
func (r *Report) Position() (geo.Position, bool) {
	if r.Lng == nil || r.Lat == nil {
		return geo.Position{}, false
	}
	return geo.Position{Lng: *r.Lng, Lat: *r.Lat}, true
}

// ID is the name of a feed's report.
func ID(feed, request string) string { return feed + ":" + request }

// RequestID is the producer's id of a report; where it gives none, a hash of what was said, when and where, so that the same account
// has the same name each time it comes.
func RequestID(in feeds.Report) string {
	if in.ID != "" {
		return in.ID
	}
	said, err := json.Marshal([]any{in.Channel, in.Type, in.Text, in.At, in.Address, in.Position.Lng, in.Position.Lat})
	if err != nil {
		said = []byte(in.Text) // a place that is no number: ingest has refused it before
	}
	sum := sha256.Sum256(said)
	return hex.EncodeToString(sum[:10])
}

// From makes a report of what a feed says. It is pure. area names the place of a position, empty where it is not ours.
func From(in feeds.Report, m feeds.Meta, area func(*geo.Position) string) Report {
	r := Report{
		Feed: m.Feed, Agency: m.Agency, RequestID: RequestID(in), Channel: in.Channel, Type: in.Type, Code: in.Code, Text: in.Text, Status: Open,
		StatusNotes: in.StatusNotes, Responsible: in.Responsible, Media: address(in.Media), State: New, Address: in.Address,
		At: in.At, UpdatedAt: in.UpdatedAt, ReceivedAt: moment.Of(m.ReceivedAt), Revision: 1, Simulated: m.Simulated, Attribution: m.Attribution,
		External: []feeds.ReportRef{},
	}
	r.ID, r.ChangedAt = ID(r.Feed, r.RequestID), r.ReceivedAt
	if r.undated = r.At.IsZero(); r.undated {
		r.At = r.ReceivedAt
	}
	if strings.EqualFold(in.Status, string(Closed)) {
		r.Status = Closed
	}
	if in.Placed {
		at := in.Position
		r.Lng, r.Lat, r.AreaName = &at.Lng, &at.Lat, area(&at)
		if cell, err := geo.CellAt(at, geo.ResThing); err == nil {
			r.Cell = cell
		}
	}
	for _, e := range in.External {
		if !slices.Contains(r.External, e) {
			r.External = append(r.External, e)
		}
	}
	if own := (feeds.ReportRef{Agency: m.Agency, ID: in.ID}); own.Agency != "" && own.ID != "" && !slices.Contains(r.External, own) {
		r.External = append(r.External, own)
	}
	return r
}

// address keeps what a browser may open.
func address(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// Revise gives the report after its feed has said something of it again: next is what From makes of that. The changes name the fields
// that differ; none means that it was a repeat, or an earlier version that came late. What is the house's own (receipt, triage) stays.
func (r Report) Revise(next Report) (out Report, changes []string) {
	if !next.UpdatedAt.IsZero() && next.UpdatedAt.Before(r.UpdatedAt.Time) {
		return r, nil
	}
	if next.EnteredBy = r.EnteredBy; r.Erased {
		status, updated := next.Status, next.UpdatedAt
		next = r
		next.Status, next.UpdatedAt, next.ReceivedAt = status, updated, r.ReceivedAt
		if next.Status == r.Status {
			return r, nil
		}
		next.Revision, next.ChangedAt = r.Revision+1, r.ChangedAt
		return next, []string{"status"}
	}
	changed := next.ReceivedAt
	next.ReceivedAt, next.ChangedAt, next.Revision = r.ReceivedAt, r.ChangedAt, r.Revision
	r.keep(&next)
	if next.UpdatedAt.IsZero() {
		next.UpdatedAt = r.UpdatedAt
	}
	if next.undated {
		next.At = r.At
	}
	if changes = r.changes(next); len(changes) == 0 {
		return r, nil
	}
	next.Revision, next.ChangedAt = r.Revision+1, changed
	return next, changes
}

// ErasedText stands in the place of words that were erased.
const ErasedText = "[dihapus atas permintaan / erased on request]"

// Erase gives the report without anybody's words: what Facts leaves, and that they were erased.
func (r *Report) Erase(now moment.Time) Report {
	out := r.Facts()
	out.Text, out.Erased, out.EnteredBy = ErasedText, true, r.EnteredBy
	out.Revision, out.ChangedAt = r.Revision+1, now
	return out
}

// changes names the fields in which next differs, other than times of the house.
func (r Report) changes(next Report) (out []string) {
	was, _ := r.Position()
	is, _ := next.Position()
	for _, f := range []struct {
		name string
		same bool
	}{
		{"status", r.said() == next.said() && r.Status == next.Status}, {"status_notes", r.StatusNotes == next.StatusNotes}, {"text", r.Text == next.Text},
		{"type", r.Type == next.Type && r.Code == next.Code}, {"channel", r.Channel == next.Channel},
		{"agency_responsible", r.Responsible == next.Responsible}, {"media_url", r.Media == next.Media}, {"address", r.Address == next.Address},
		{"place", was == is && (r.Lng == nil) == (next.Lng == nil)}, {"at", r.At.Equal(next.At.Time)},
		{"external_refs", slices.Equal(r.External, next.External)},
	} {
		if !f.same {
			out = append(out, f.name)
		}
	}
	return out
}
