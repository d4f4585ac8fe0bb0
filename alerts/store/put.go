package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/rules"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// putIncident writes an incident into the step; rev is what it was read at, empty for a new one. It tells the case stream.
func (s *Store) putIncident(st *step, rev string, in *incident.Incident) error {
	doc, err := marshal(incidentDoc{1, *in})
	if err != nil {
		return err
	}
	key := s.keys.Incident(in.ID)
	st.check("rev", key, "", rev)
	st.doc(key, nextRev(rev), doc, "", "")
	if rev == "" {
		st.write("zadd", s.keys.Incidents(), strconv.FormatInt(in.OpenedAt.Milli(), 10), in.ID)
	}
	if in.Status.Open() {
		st.write("sadd", s.keys.IncidentsOpen(), in.ID)
	} else {
		st.write("srem", s.keys.IncidentsOpen(), in.ID)
	}
	for _, sum := range in.Sums() {
		st.write("sadd", s.keys.Blobs(), keptFile(sum, in.ID))
	}
	s.putFigures(st, in)
	st.event("incident", in.ID, doc)
	return nil
}

// putAlert writes an alert into the step; quiet ones do not go to the case stream.
func (s *Store) putAlert(st *step, rev string, a *alerts.Alert, own origin, quiet bool) error {
	doc, err := marshal(alertDoc{1, *a})
	if err != nil {
		return err
	}
	inside, err := json.Marshal(own)
	if err != nil {
		return fmt.Errorf("internals of alert %s: %w", a.ID, err)
	}
	key := s.keys.Alert(a.ID)
	st.check("rev", key, "", rev)
	st.doc(key, nextRev(rev), doc, string(inside), own.Salt)
	if rev == "" {
		st.write("zadd", s.keys.Alerts(), strconv.FormatInt(a.ReceivedAt.Milli(), 10), a.ID)
	}
	if a.State == alerts.Active {
		st.write("sadd", s.keys.AlertsActive(), a.ID)
	} else {
		st.write("srem", s.keys.AlertsActive(), a.ID)
	}
	if !quiet && a.State != alerts.Logged {
		st.event("alert", a.ID, doc)
	}
	return nil
}

// signal is what may open an incident or join one.
type signal struct {
	block    rules.IncidentBlock
	severity cap.Severity // of the alert
	title    string
	at       *geo.Position
	area     string
	event    time.Time // when it arose
	received time.Time
	why      incident.Why
	evidence incident.Evidence
	actor    string
	name     string // makes the id of an incident that it opens
	simul    bool
	beside   map[string]string // incidents of warnings that this one belongs with -> their event
}

// openOrJoin lets a signal join an open incident of its type near enough in place and time, or opens one. It gives the incident's id.
// A new incident rests on the number counter, so that of two signals at once the second is decided again and finds the first's.
func (s *Store) openOrJoin(ctx context.Context, st *step, sig signal) (string, error) {
	now := st.now.Time
	// The counter is read before the open incidents: whoever opens one in between moves it, and this step is decided again.
	last, err := s.lastNumber(ctx, now, sig.simul)
	if err != nil {
		return "", err
	}
	open, err := s.open(ctx)
	if err != nil {
		return "", err
	}
	if n, reasons, weight := joining(open, sig, s.fusionTable().Rest(sig.block.Type)); n >= 0 {
		in := open[n].doc.Clone()
		sig.evidence.Reason += "; " + fusion.Told(reasons)
		sig.evidence.Weight = weight
		in.AddEvidence(sig.evidence, sig.actor, now)
		return in.ID, s.putIncident(st, open[n].rev, &in)
	}
	number, err := s.number(st, last, now, sig.simul)
	if err != nil {
		return "", err
	}
	severity := sig.block.Severity
	if severity == "" && sig.severity != cap.Unknown {
		severity = sig.severity
	}
	in, err := incident.Open(incident.Opening{
		ID: alerts.ID(now, "incident\x00"+sig.name), Number: number, Type: sig.block.Type, Title: sig.title, Severity: severity,
		Position: sig.at, AreaName: sig.area, At: now, EventAt: moment.Of(sig.event), SignalAt: moment.Of(sig.received), Actor: sig.actor,
		Note: sig.evidence.Reason, Why: sig.why, Evidence: []incident.Evidence{sig.evidence}, Simulated: sig.simul,
		Terms: s.terms(sig.block.Type, sig.area),
	})
	if err != nil {
		return "", err
	}
	return in.ID, s.putIncident(st, "", &in)
}

// joining finds the open incident that a signal joins: by its rule's own radius and window, else, of a warning, the incident of those that it
// belongs with. It tells why, and with which weight; -1: none.
func joining(open []kept[incident.Incident], sig signal, rest time.Duration) (n int, reasons []fusion.Reason, weight float64) {
	docs := make([]*incident.Incident, len(open))
	for i := range open {
		docs[i] = &open[i].doc
	}
	o := fusion.Opener{Type: sig.block.Type, RadiusM: sig.block.Radius(), Window: sig.block.Window(), At: sig.at, Event: sig.event, Ref: sig.evidence.Ref, Simulated: sig.simul, Rest: rest}
	n, metres, quiet := fusion.Nearest(docs, o)
	if n >= 0 {
		weight, reasons = fusion.WeighOpener(o, metres, quiet)
		return n, reasons, weight
	}
	for i, in := range docs {
		if sig.beside[in.ID] != "" && in.Type == o.Type && in.Simulated == o.Simulated && in.Status.Open() && in.Status != incident.Resolved {
			return i, []fusion.Reason{{Code: "same_warning", Text: "one warning over adjoining areas: " + sig.beside[in.ID], Value: sig.beside[in.ID], Weight: 1}}, 1
		}
	}
	return -1, nil, 0
}

// series gives the beginning of numbers and the counter of a local year. What is simulated has a series of its own, so that the real one
// has no gaps.
func (s *Store) series(now time.Time, simulated bool) (beginning, key string) {
	year := now.In(s.zone).Format("2006")
	if simulated {
		return "SIM-" + year, s.keys.Number("SIM-" + year)
	}
	return s.prefix + "-" + year, s.keys.Number(year)
}

// lastNumber is the counter of the local year, empty before its first incident.
func (s *Store) lastNumber(ctx context.Context, now time.Time, simulated bool) (string, error) {
	_, key := s.series(now, simulated)
	return s.get(ctx, key)
}

// number takes the number after last in the same step, so that none is lost and none is given twice.
func (s *Store) number(st *step, last string, now time.Time, simulated bool) (string, error) {
	beginning, key := s.series(now, simulated)
	n, err := strconv.ParseInt(nextRev(last), 10, 64)
	if err != nil {
		return "", fmt.Errorf("number counter of %s: %w", beginning, err)
	}
	st.check("str", key, "", last)
	st.set(key, strconv.FormatInt(n, 10), 0)
	return fmt.Sprintf("%s-%06d", beginning, n), nil
}

// areaOf names the place of a position: the kecamatan, lake or zone of ours; empty elsewhere.
func (s *Store) areaOf(p *geo.Position) string {
	if p == nil {
		return ""
	}
	if a, ok := s.place.Areas.Find(*p); ok {
		return a.Name
	}
	return ""
}

// remark tells an alert's incident, or the one that it is part of by now, what became of the alert, where that is still open. It never
// changes the incident's status.
func (s *Store) remark(ctx context.Context, st *step, a *alerts.Alert, actor, act, note string) error {
	if a.Incident == "" {
		return nil
	}
	k, found, err := s.standsFor(ctx, a.Incident)
	if err != nil || !found || !k.doc.Status.Open() {
		return err
	}
	if _, told := st.index[s.keys.Incident(k.doc.ID)]; told {
		return nil
	}
	in := k.doc.Clone()
	in.Remark(actor, act, note, st.now.Time)
	if act == actCleared && a.Thing != "" {
		in.Prove(incident.Proven{Kind: incident.SensorNormal, Ref: a.Thing, At: st.now})
	}
	return s.putIncident(st, k.rev, &in)
}
