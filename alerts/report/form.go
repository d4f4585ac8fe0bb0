package report

import (
	"kentongan/feeds"
	"kentongan/geo"
)

// Facts is a report without anybody's words: that one came, when, how, about what by its code, and in which cell of about 5 km². Every
// field is named here, so that one that is added later stays out until somebody lets it in.
func (r *Report) Facts() Report {
	out := Report{ID: r.ID, Feed: r.Feed, Agency: r.Agency, RequestID: r.RequestID, Channel: r.Channel, Code: r.Code, Status: r.Status, State: r.State,
		Cell: r.Cell.Parent(geo.ResFrame), AreaName: r.AreaName, At: r.At, UpdatedAt: r.UpdatedAt, ReceivedAt: r.ReceivedAt, ChangedAt: r.ChangedAt,
		Revision: r.Revision, Simulated: r.Simulated, Attribution: r.Attribution, External: []feeds.ReportRef{}}
	if out.Cell != 0 {
		at := out.Cell.Center()
		out.Lng, out.Lat = &at.Lng, &at.Lat
	}
	return out
}

// ExternalIDs are the numbers by which others know the report, for who looks for one.
func (r *Report) ExternalIDs() []string {
	out := make([]string, len(r.External))
	for i, e := range r.External {
		out[i] = e.ID
	}
	return out
}
