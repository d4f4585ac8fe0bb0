package privacy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/store"
	"kentongan/geo/moment"
)

// notifyWithin is how long after a breach became known it must be told (UU 27/2022, article 46 (1): at most 3 x 24 hours).
const notifyWithin = 72 * time.Hour

// Breach is what somebody asks of a breach.
type Breach struct {
	From, To time.Time
	KnownAt  time.Time      // when it became known
	Classes  []string       // none: every class with personal data
	What     string         // what happened, in the words of whoever asks; may be empty
	Done     string         // what was done against it
	Zone     *time.Location // of the text, whose readers live by it; nil: UTC
}

// BreachNotice is what a notification needs.
type BreachNotice struct {
	From      moment.Time    `json:"from"`
	To        moment.Time    `json:"to"`
	KnownAt   moment.Time    `json:"known_at"`
	NotifyBy  moment.Time    `json:"notify_by" doc:"3 x 24 hours after it became known (article 46)"`
	Classes   []Holding      `json:"classes"`
	Subjects  map[string]int `json:"subjects" doc:"How many people the data of a class are about, at most, as far as it can be told"`
	Acts      map[string]int `json:"acts" doc:"Records of the audit log by action"`
	Seen      []Seen         `json:"seen" doc:"Who saw reporters whole"`
	Denied    int            `json:"denied" doc:"Tries to sign in, and acts, that were refused"`
	Affected  []string       `json:"affected" doc:"Reports whose reporter was seen"`
	Text      Words          `json:"text" doc:"To send, in Indonesian and English"`
	Remaining string         `json:"remaining" doc:"Until notify_by; negative: it is past"`
}

// Seen is what one subject saw.
type Seen struct {
	By    string      `json:"by"`
	Count int         `json:"count"`
	First moment.Time `json:"first"`
	Last  moment.Time `json:"last"`
}

// Breach gathers it from what is kept and from the audit log.
func (r *Retention) Breach(ctx context.Context, cases *store.Store, b Breach) (BreachNotice, error) {
	if !b.From.Before(b.To) {
		return BreachNotice{}, errors.New("from must lie before to")
	}
	if b.KnownAt.IsZero() {
		b.KnownAt = r.now()
	}
	out := BreachNotice{From: moment.Of(b.From), To: moment.Of(b.To), KnownAt: moment.Of(b.KnownAt), NotifyBy: moment.Of(b.KnownAt.Add(notifyWithin)), Acts: map[string]int{}, Seen: []Seen{}, Affected: []string{},
		Remaining: b.KnownAt.Add(notifyWithin).Sub(r.now()).Round(time.Minute).String(), Classes: []Holding{}}
	all, err := r.Map(ctx)
	if err != nil {
		return BreachNotice{}, err
	}
	for _, name := range b.Classes {
		if !slices.ContainsFunc(all, func(h Holding) bool { return h.Name == name }) {
			return BreachNotice{}, fmt.Errorf("%w: %.40q", ErrNoClass, name)
		}
	}
	for _, h := range all {
		if len(b.Classes) == 0 && h.Personal || slices.Contains(b.Classes, h.Name) {
			out.Classes = append(out.Classes, h)
		}
	}
	if out.Subjects, err = r.subjects(ctx, out.Classes); err != nil {
		return BreachNotice{}, err
	}
	if err := out.acts(ctx, cases, b); err != nil {
		return BreachNotice{}, err
	}
	out.Text = out.words(b)
	return out, nil
}

// acts reads the audit log.
func (out *BreachNotice) acts(ctx context.Context, cases *store.Store, b Breach) error {
	seen := map[string]*Seen{}
	err := cases.AuditWalk(ctx, b.From, b.To, func(rec audit.Record) error {
		out.Acts[rec.Action]++
		if strings.HasSuffix(rec.Action, ".denied") {
			out.Denied++
		}
		if rec.Action != "reporter.revealed" {
			return nil
		}
		s := seen[rec.Actor]
		if s == nil {
			s = &Seen{By: rec.Actor, First: rec.Time}
			seen[rec.Actor] = s
		}
		s.Count, s.Last = s.Count+1, rec.Time
		if id := strings.TrimPrefix(rec.Object, "report:"); !slices.Contains(out.Affected, id) {
			out.Affected = append(out.Affected, id)
		}
		return nil
	})
	for _, s := range seen {
		out.Seen = append(out.Seen, *s)
	}
	slices.SortFunc(out.Seen, func(a, b Seen) int { return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.By, b.By)) })
	return err
}

// subjects counts, at most, whom the data of each class are about.
func (r *Retention) subjects(ctx context.Context, classes []Holding) (map[string]int, error) {
	pipe := r.rdb.Pipeline()
	reporters, reports, people := pipe.ZCard(ctx, r.keys.Reporters()), pipe.ZCard(ctx, r.keys.Reports()), pipe.HLen(ctx, r.keys.Person())
	incidents := pipe.ZCard(ctx, r.keys.Incidents())
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, r.reporters.busy("count whom data are about", err)
	}
	known := map[string]int64{"reporters": reporters.Val(), "reports": reports.Val(), "accounts": people.Val(), "sessions": people.Val(), "audit": people.Val(), "words": people.Val(), "incidents": incidents.Val()}
	out := map[string]int{}
	for _, c := range classes {
		if n, ok := known[c.Name]; ok {
			out[c.Name] = int(n)
		}
	}
	return out, nil
}

// words is the notification of article 46 (2): which data, when and how, what was done.
func (out *BreachNotice) words(b Breach) Words {
	var id, en strings.Builder
	line := func(i, e string, args ...any) {
		fmt.Fprintf(&id, i+"\n", args...)
		fmt.Fprintf(&en, e+"\n", args...)
	}
	zone := b.Zone
	if zone == nil {
		zone = time.UTC
	}
	at := func(m moment.Time) string { return m.In(zone).Format("2006-01-02 15:04 MST") }
	line("PEMBERITAHUAN KEGAGALAN PELINDUNGAN DATA PRIBADI", "NOTIFICATION OF A PERSONAL DATA BREACH")
	line("UU 27/2022 pasal 46. Diketahui %s; pemberitahuan tertulis paling lambat %s (3 x 24 jam).", "Law 27/2022, article 46. Known since %s; written notification by %s at the latest (3 x 24 hours).", at(out.KnownAt), at(out.NotifyBy))
	line("", "")
	line("1. Data pribadi yang terungkap", "1. Personal data disclosed")
	for _, c := range out.Classes {
		n, counted := out.Subjects[c.Name]
		howI, howE := "jumlah subjek tidak dapat dihitung", "number of people cannot be counted"
		if counted {
			howI, howE = fmt.Sprintf("paling banyak %d subjek", n), fmt.Sprintf("%d people at most", n)
		}
		fmt.Fprintf(&id, "   - %s (%s): %s\n", c.Title["id"], c.Whose["id"], howI)
		fmt.Fprintf(&en, "   - %s (%s): %s\n", c.Title["en"], c.Whose["en"], howE)
	}
	line("", "")
	line("2. Kapan dan bagaimana terungkap", "2. When and how they were disclosed")
	line("   Antara %s dan %s.", "   Between %s and %s.", at(out.From), at(out.To))
	if b.What != "" {
		line("   %s", "   %s", b.What)
	}
	line("   Menurut catatan audit: identitas %d pelapor dibuka oleh %d orang; %d percobaan ditolak.", "   By the audit log: the identity of %d reporters was revealed to %d people; %d tries were refused.", len(out.Affected), len(out.Seen), out.Denied)
	for _, s := range out.Seen {
		line("   - %s: %d kali, %s sampai %s", "   - %s: %d times, %s to %s", s.By, s.Count, at(s.First), at(s.Last))
	}
	line("", "")
	line("3. Upaya penanganan dan pemulihan", "3. What was done, and is being done, against it")
	if b.Done == "" {
		line("   [isi sebelum dikirim]", "   [fill in before sending]")
	} else {
		line("   %s", "   %s", b.Done)
	}
	return Words{"id": id.String(), "en": en.String()}
}
