// Package privacy is personal data: who reported, kept apart and sealed; how long each class of data stays, and its erasure; what we hold, and
// what a breach of it must tell (UU 27/2022).
package privacy

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/server/seal"
)

// Errors of reporters.
var (
	// ErrNoReporter means that nobody is known to have given the report.
	ErrNoReporter = errors.New("nobody is known to have given this report")
	// ErrGone means that who gave it was erased, or was kept long enough.
	ErrGone = errors.New("who gave this report is no longer kept")
)

// Purposes of seals.
const (
	keyPurpose   = "reporter-key"
	matchPurpose = "reporter-match"
)

// Reporters keeps who gave reports. Each has a data key of its own, sealed; what a person said of themselves is closed with it. Without the
// key it is noise, wherever a copy of it lies. Safe for concurrent use, by several servers too.
type Reporters struct {
	rdb  redis.UniversalClient
	keys keyspace.Keys
	ring *seal.Ring
	zone *time.Location // whose days "today" are
	now  func() time.Time

	mu    sync.Mutex
	match []byte // the key that callers are matched with; nil: not read yet
}

// NewReporters opens the store of reporters. A nil zone is UTC.
func NewReporters(rdb redis.UniversalClient, keys keyspace.Keys, ring *seal.Ring, zone *time.Location, now func() time.Time) *Reporters {
	if zone == nil {
		zone = time.UTC
	}
	return &Reporters{rdb: rdb, keys: keys, ring: ring, zone: zone, now: now}
}

// Whole is a reporter as they gave it.
type Whole struct {
	Name    string `json:"name"`
	Phone   string `json:"phone" doc:"E.164 where it could be read so, else as it was given"`
	Email   string `json:"email"`
	Address string `json:"address" doc:"Where the person lives or can be met; the place of the report stands in the report"`
	Device  string `json:"device" doc:"Id of the telephone or account that an app sent"`
	Note    string `json:"note"`
}

// Masked is what may be seen of a reporter without a reason.
type Masked struct {
	Report     string      `json:"report"`
	Name       string      `json:"name" doc:"Bu** S****; empty: not known"`
	Phone      string      `json:"phone" doc:"+62 812-••••-••89; empty: not known"`
	Email      string      `json:"email"`
	Address    bool        `json:"address" doc:"There is one"`
	Device     bool        `json:"device"`
	Note       bool        `json:"note"`
	PersonRef  string      `json:"person_ref" doc:"The same for every report of one telephone number or e-mail address; it tells nothing of them. Empty: neither is known"`
	CallToday  int         `json:"call_today" doc:"The how many-th of this person on its day; 0: cannot be told"`
	CallsToday int         `json:"calls_today" doc:"How many there are of this person on that day"`
	KeptAt     moment.Time `json:"kept_at"`
	GoneAt     moment.Time `json:"gone_at" doc:"When it was erased; null: it is there"`
	Gone       string      `json:"gone" enum:",erased,expired" doc:"Why it is not there"`
	Revealed   []Revealed  `json:"shown" doc:"Who has seen it whole before, the newest last"`
}

// Revealed is one time that a reporter was revealed.
type Revealed struct {
	By   string      `json:"by"`
	Name string      `json:"name"`
	At   moment.Time `json:"at"`
}

// mostShown bounds the list of who has seen a reporter; the audit log keeps all.
const mostShown = 100

// record is what is kept beside the closed text, in the open: nothing of it tells who.
type record struct {
	V         int         `json:"v"`
	KeptAt    moment.Time `json:"kept_at"`
	PersonRef string      `json:"person_ref,omitempty"`
	GoneAt    moment.Time `json:"gone_at,omitzero"`
	Gone      string      `json:"gone,omitempty"`
}

// Of is what of a report a feed says beside it.
type Of struct {
	Report string // "<feed>:<id>"
	feeds.Reporter
}

// putScript keeps a reporter unless there was one before, erased ones included: what a feed says again brings nobody back.
//
// KEYS  1 the reporter  2 the data keys  3 all reporters by time  4 the calls of the person
// ARGV  1 report id  2 record  3 closed text  4 sealed data key  5 ms  6 "" where the person has no calls
var putScript = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'record', ARGV[2], 'closed', ARGV[3])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
redis.call('ZADD', KEYS[3], ARGV[5], ARGV[1])
if ARGV[6] ~= '' then redis.call('ZADD', KEYS[4], ARGV[5], ARGV[1]) end
return 1`)

// Put keeps who gave a report. A report that has a reporter keeps it, one whose reporter was erased gets none.
func (s *Reporters) Put(ctx context.Context, list ...Of) error {
	if len(list) == 0 {
		return nil
	}
	pipe := s.rdb.Pipeline()
	there := make([]*redis.IntCmd, len(list))
	for i, r := range list {
		there[i] = pipe.Exists(ctx, s.keys.Reporter(r.Report))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return s.busy("look for reporters", err)
	}
	for i, r := range list {
		if there[i].Val() == 1 || r.Empty() {
			continue
		}
		if err := s.put(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Reporters) put(ctx context.Context, r Of) error {
	who := Whole{Name: strings.TrimSpace(r.Name), Phone: r.Phone, Email: strings.TrimSpace(r.Email), Address: r.Address, Device: r.Device, Note: r.Note}
	if n := Normal(r.Phone); n != "" {
		who.Phone = n
	}
	plain, err := json.Marshal(who)
	if err != nil {
		return fmt.Errorf("reporter of %s: %w", r.Report, err)
	}
	key := make([]byte, seal.KeySize)
	_, _ = rand.Read(key) // never fails
	closed, err := seal.Close(key, plain, []byte(r.Report))
	if err != nil {
		return fmt.Errorf("reporter of %s: %w", r.Report, err)
	}
	sealed, err := s.ring.Seal(keyPurpose, key, []byte(r.Report))
	if err != nil {
		return fmt.Errorf("reporter of %s: %w", r.Report, err)
	}
	ref, err := s.refOf(ctx, who)
	if err != nil {
		return err
	}
	now := moment.Of(s.now())
	doc, err := json.Marshal(record{V: 1, KeptAt: now, PersonRef: ref})
	if err != nil {
		return fmt.Errorf("reporter of %s: %w", r.Report, err)
	}
	keys := []string{s.keys.Reporter(r.Report), s.keys.ReporterKey(), s.keys.Reporters(), s.keys.ReporterCall(ref)}
	if err := putScript.Run(ctx, s.rdb, keys, r.Report, doc, closed, sealed, now.Milli(), ref).Err(); err != nil {
		return s.busy("keep a reporter", err)
	}
	return nil
}

// refOf is the keyed hash by which calls of one person are known to be of one person.
func (s *Reporters) refOf(ctx context.Context, who Whole) (string, error) {
	said := ""
	switch {
	case Normal(who.Phone) != "":
		said = "phone\x00" + Normal(who.Phone)
	case strings.Contains(who.Email, "@"):
		said = "email\x00" + strings.ToLower(who.Email)
	default:
		return "", nil
	}
	key, err := s.matchKey(ctx)
	if err != nil {
		return "", err
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(said))
	return hex.EncodeToString(m.Sum(nil)[:10]), nil
}

// matchKey is drawn once for a store and lies there sealed, so that a change of the ring's keys breaks no match.
func (s *Reporters) matchKey(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.match != nil {
		return s.match, nil
	}
	drawn := make([]byte, seal.KeySize)
	_, _ = rand.Read(drawn)
	sealed, err := s.ring.Seal(matchPurpose, drawn, nil)
	if err != nil {
		return nil, err
	}
	if err := s.rdb.SetNX(ctx, s.keys.ReporterMatch(), sealed, 0).Err(); err != nil {
		return nil, s.busy("the key of matches", err)
	}
	if sealed, err = s.rdb.Get(ctx, s.keys.ReporterMatch()).Result(); err != nil {
		return nil, s.busy("the key of matches", err)
	}
	key, err := s.ring.Unseal(matchPurpose, sealed, nil)
	if err != nil {
		return nil, fmt.Errorf("the key of matches: %w", err)
	}
	s.match = key
	return key, nil
}

// Masked gives what may be seen without a reason. Errors: ErrNoReporter, of the store, of opening.
func (s *Reporters) Masked(ctx context.Context, report string) (Masked, error) {
	r, who, err := s.open(ctx, report)
	if err != nil && !errors.Is(err, ErrGone) {
		return Masked{}, err
	}
	out := Masked{Report: report, PersonRef: r.PersonRef, KeptAt: r.KeptAt, GoneAt: r.GoneAt, Gone: r.Gone, Revealed: []Revealed{}}
	if err == nil {
		out.Name, out.Phone, out.Email = maskName(who.Name), maskPhone(who.Phone), maskEmail(who.Email)
		out.Address, out.Device, out.Note = who.Address != "", who.Device != "", who.Note != ""
	}
	if out.Revealed, err = s.shown(ctx, report); err != nil {
		return Masked{}, err
	}
	return out, s.count(ctx, &out)
}

// count tells the how many-th call of the day it is.
func (s *Reporters) count(ctx context.Context, m *Masked) error {
	if m.PersonRef == "" {
		return nil
	}
	at := m.KeptAt.In(s.zone)
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, s.zone)
	calls, err := s.rdb.ZRangeByScore(ctx, s.keys.ReporterCall(m.PersonRef), &redis.ZRangeBy{
		Min: strconv.FormatInt(day.UnixMilli(), 10), Max: "(" + strconv.FormatInt(day.AddDate(0, 0, 1).UnixMilli(), 10)}).Result()
	if err != nil {
		return s.busy("count calls", err)
	}
	m.CallsToday = len(calls)
	for i, id := range calls {
		if id == m.Report {
			m.CallToday = i + 1
		}
	}
	return nil
}

// Reveal gives a reporter whole. The caller must have kept why, and by whom, before it answers: keep is called once the reporter is open,
// and its error ends the reveal.
func (s *Reporters) Reveal(ctx context.Context, report string, by Revealed, keep func() error) (Whole, error) {
	_, who, err := s.open(ctx, report)
	if err != nil {
		return Whole{}, err
	}
	if err := keep(); err != nil {
		return Whole{}, err
	}
	doc, err := json.Marshal(by)
	if err != nil {
		return Whole{}, err
	}
	pipe := s.rdb.TxPipeline()
	pipe.RPush(ctx, s.keys.ReporterShown(report), doc)
	pipe.LTrim(ctx, s.keys.ReporterShown(report), -mostShown, -1)
	if _, err := pipe.Exec(ctx); err != nil {
		return Whole{}, s.busy("note who has seen a reporter", err)
	}
	return who, nil
}

func (s *Reporters) shown(ctx context.Context, report string) ([]Revealed, error) {
	list, err := s.rdb.LRange(ctx, s.keys.ReporterShown(report), 0, -1).Result()
	if err != nil {
		return nil, s.busy("who has seen a reporter", err)
	}
	out := []Revealed{}
	for _, text := range list {
		var one Revealed
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			return nil, fmt.Errorf("who has seen the reporter of %s: %w", report, err)
		}
		out = append(out, one)
	}
	return out, nil
}

// open gives what is kept in the open, and the reporter; ErrGone comes with the former.
func (s *Reporters) open(ctx context.Context, report string) (r record, who Whole, err error) {
	pipe := s.rdb.Pipeline()
	kept, key := pipe.HMGet(ctx, s.keys.Reporter(report), "record", "closed"), pipe.HGet(ctx, s.keys.ReporterKey(), report)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return r, who, s.busy("a reporter", err)
	}
	text, there := kept.Val()[0].(string)
	if !there {
		return r, who, ErrNoReporter
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, who, fmt.Errorf("reporter of %s: %w", report, err)
	}
	closed, _ := kept.Val()[1].(string)
	if r.Gone != "" || closed == "" {
		return r, who, ErrGone
	}
	data, err := s.ring.Unseal(keyPurpose, key.Val(), []byte(report))
	if err != nil {
		return r, who, fmt.Errorf("reporter of %s: %w", report, err)
	}
	plain, err := seal.Unclose(data, []byte(closed), []byte(report))
	if err != nil {
		return r, who, fmt.Errorf("reporter of %s: %w", report, err)
	}
	if err := json.Unmarshal(plain, &who); err != nil {
		return r, who, fmt.Errorf("reporter of %s: %w", report, err)
	}
	return r, who, nil
}

// goneScript forgets a reporter: the data key goes, and with it all that the closed text said. A mark stays as long as the report, so that a
// feed that says the reporter again brings nobody back.
//
// KEYS  1 the reporter  2 the data keys  3 all reporters by time  4 the calls of the person
// ARGV  1 report id  2 record  3 "" where the person has no calls
var goneScript = redis.NewScript(`
local had = redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'record', ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[3] ~= '' then redis.call('ZREM', KEYS[4], ARGV[1]) end
return had`)

// Forget erases who gave a report, or whose time is over (why: erased, expired). It tells whether there was anybody. A report whose reporter
// is not known is marked too, so that none is kept of it later.
func (s *Reporters) Forget(ctx context.Context, report, why string) (bool, error) {
	text, err := s.rdb.HGet(ctx, s.keys.Reporter(report), "record").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return false, s.busy("a reporter", err)
	}
	r := record{V: 1}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return false, fmt.Errorf("reporter of %s: %w", report, err)
		}
	}
	ref := r.PersonRef
	if r.Gone == "" {
		r.GoneAt, r.Gone = moment.Of(s.now()), why
	}
	r.PersonRef = ""
	doc, err := json.Marshal(r)
	if err != nil {
		return false, err
	}
	had, err := goneScript.Run(ctx, s.rdb, []string{s.keys.Reporter(report), s.keys.ReporterKey(), s.keys.Reporters(), s.keys.ReporterCall(ref)}, report, doc, ref).Int()
	if err != nil {
		return false, s.busy("forget a reporter", err)
	}
	return had > 0, nil
}

// ReportsOf lists the reports of one person.
func (s *Reporters) ReportsOf(ctx context.Context, ref string) ([]string, error) {
	if ref == "" {
		return nil, nil
	}
	list, err := s.rdb.ZRange(ctx, s.keys.ReporterCall(ref), 0, -1).Result()
	if err != nil {
		return nil, s.busy("reports of a person", err)
	}
	return list, nil
}

// revealsAnHour is how many reporters one person may see whole within an hour without having shown anew who they are.
const revealsAnHour = 20

// Allow counts a reveal of a subject, and tells whether it is within what an hour allows.
func (s *Reporters) Allow(ctx context.Context, subject string) (bool, error) {
	key := s.keys.Reveal(subject)
	pipe := s.rdb.TxPipeline()
	pipe.SetNX(ctx, key, 0, time.Hour)
	n := pipe.Incr(ctx, key)
	if _, err := pipe.Exec(ctx); err != nil {
		return false, s.busy("count reveals", err)
	}
	return n.Val() <= revealsAnHour, nil
}

func (s *Reporters) busy(what string, err error) error {
	return fmt.Errorf("%w: %s: %w", feeds.ErrBusy, what, err)
}
