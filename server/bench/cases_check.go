package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// offers are orders that nobody answers: each runs out by the clock, and then another unit is asked.
type offers struct {
	play     *play
	units    []string
	incident string
	sent     []string // ids of dispatches
	ran      int      // of them, those that have run out
}

// look sends the first order, and the next one where the last has run out.
func (o *offers) look() error {
	s := o.play.house.Load()
	if o.incident == "" {
		b, err := o.play.insist(o.play.desk, "/api/v1/incidents", "application/json", []byte(`{"type":"medical","severity":"Extreme","lng":100.6,"lat":-0.9}`), nil)
		var in struct{ ID string }
		if err = errors.Join(err, json.Unmarshal(b, &in)); err != nil {
			return err
		}
		o.incident = in.ID
	} else {
		d, err := s.order(o.sent[len(o.sent)-1])
		if err != nil || d.Status == "offered" {
			return err
		}
		if d.Status != "expired" || d.Next == nil {
			return fmt.Errorf("an offer that nobody answered is %s, and who comes next is %v", d.Status, d.Next)
		}
		o.ran++
	}
	body, _ := json.Marshal(map[string]string{"unit": o.units[len(o.sent)%len(o.units)]})
	b, err := o.play.insist(o.play.desk, "/api/v1/incidents/"+o.incident+"/dispatches", "application/json", body, nil)
	var d struct{ ID string }
	if err = errors.Join(err, json.Unmarshal(b, &d)); err == nil {
		o.sent = append(o.sent, d.ID)
	}
	return err
}

// order is what the drill needs of a dispatch.
type order struct {
	Status string
	Times  map[string]*time.Time
	Next   *struct{ To string }
}

func (s *server) order(id string) (d order, err error) {
	return d, s.doc("/api/v1/dispatches/"+id, &d)
}

// doc reads one document of the interface as the administrator, and waits while the store is away.
func (s *server) doc(path string, into any) error {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(30 * time.Millisecond) {
		code, b, err := s.request("GET", path, nil)
		if err == nil && code == http.StatusOK {
			return json.Unmarshal(b, into)
		}
		if err == nil && code != http.StatusServiceUnavailable || time.Now().After(end) {
			return fmt.Errorf("%s answered %d: %.200s (%w)", path, code, b, errors.Join(err))
		}
	}
}

// account is what is wrong, by kind, with the first few told.
type account struct {
	acts, lost, doubled, gaps, orders, unshown, twice int
	said                                              []string
}

func (a *account) wrong(count *int, format string, args ...any) {
	*count++
	a.said = append(a.said, fmt.Sprintf(format, args...))
}

func (a *account) is(n, want int, what string) {
	switch {
	case n < want:
		a.wrong(&a.lost, "%s: %d of %d", what, n, want)
	case n > want:
		a.wrong(&a.doubled, "%s: %d, not %d", what, n, want)
	}
}

// ledger reads back every incident, the log, and what came to whom, and gives its line of the table.
func (p *play) ledger(name string, kills int, slowest, took time.Duration) ([]figure, error) {
	s := p.house.Load()
	a := &account{}
	log, err := p.log(a)
	if err != nil {
		return nil, err
	}
	for _, l := range p.lanes {
		for i := range l.over {
			if err := p.reckon(a, &l.over[i], log); err != nil {
				return nil, err
			}
		}
	}
	if err := p.runOut(a, log); err != nil {
		return nil, err
	}
	if err := s.numbers(a); err != nil {
		return nil, err
	}
	p.told(a)
	for _, text := range a.said[:min(20, len(a.said))] {
		fmt.Fprintln(os.Stderr, "  ", text)
	}
	returns, resumed := p.readers.returns()
	out := []figure{
		{name, "0 lost, 0 doubled", fmt.Sprintf("acts %d, kills %d, repeats %d (unheard at a kill %d), lost %d, doubled %d, gaps %d; slowest return %s, %s in all", a.acts, kills, p.repeats.Load(), p.unheard.Load(), a.lost, a.doubled, a.gaps, ms(slowest), took.Round(time.Second))},
		{"  orders: to the crew and to a webhook >= 1, shown 1", "0, 0", fmt.Sprintf("orders %d (run out by the clock %d), not delivered %d, shown twice %d; posts %d; sockets came back %d times, %d with what they had missed", a.orders, p.offers.ran, a.unshown, a.twice, p.readers.hook.posts, returns, resumed)},
	}
	if a.lost+a.doubled+a.gaps+a.unshown+a.twice > 0 || p.readers.hook.forged > 0 {
		return out, fmt.Errorf("the ledger of %s does not hold", name)
	}
	return out, nil
}

// log counts the records of each act on each object, and looks for gaps in their sequence.
func (p *play) log(a *account) (map[string]int, error) {
	type record struct {
		Seq            int64
		Action, Object string
	}
	list, err := list[record](p.house.Load(), "/api/v1/audit?limit=1000")
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b record) int { return int(a.Seq - b.Seq) })
	out := map[string]int{}
	for i, r := range list {
		if r.Seq != int64(i+1) {
			a.wrong(&a.gaps, "log: sequence %d at place %d", r.Seq, i+1)
			break
		}
		out[r.Action+" "+r.Object]++
	}
	return out, nil
}

// reckon holds an incident that was worked to its end against what was done.
func (p *play) reckon(a *account, w *worked, log map[string]int) error {
	var in struct {
		Number, Status string
		Timeline       []struct {
			At         time.Time
			Act, Actor string
			Note       string
			ReceivedAt time.Time `json:"received_at"`
		}
		Dispatches []string
		Proof      struct{ Have []struct{ Kind string } }
		Override   string
	}
	s := p.house.Load()
	if err := s.doc("/api/v1/incidents/"+w.incident, &in); err != nil {
		return err
	}
	got, want := map[string]int{}, map[string]int{"acknowledged": 1} // by the house, when the first unit declined
	for _, e := range in.Timeline {
		got[e.Act]++
	}
	for _, st := range script {
		a.acts++
		want[st.timeline]++
	}
	for act, n := range want {
		a.is(got[act], n, in.Number+" timeline "+act)
	}
	if in.Status != "closed" || in.Override != "" || len(in.Proof.Have) < 2 {
		a.wrong(&a.lost, "%s is %s, proved by %v", in.Number, in.Status, in.Proof.Have)
	}
	a.is(len(in.Dispatches), 2, in.Number+" dispatches")
	sent := 0
	for _, st := range script {
		object := "incident:" + w.incident
		if strings.HasPrefix(st.audit, "dispatch.") {
			object = "dispatch:" + w.dispatches[min(sent, 1)]
			if st.audit == "dispatch.declined" {
				sent++
			}
		}
		a.is(log[st.audit+" "+object], 1, in.Number+" log "+st.audit)
	}
	return p.stamps(a, w, in.Number)
}

// stamps holds the times of what the crews did against when they said they did it.
func (p *play) stamps(a *account, w *worked, number string) error {
	for n, steps := range []map[string]string{{"declined": "decline"}, {"accepted": "accept", "en_route": "en route", "on_scene": "on scene", "done": "done"}} {
		d, err := p.house.Load().order(w.dispatches[n])
		if err != nil {
			return err
		}
		for to, step := range steps {
			if at := d.Times[to]; at == nil || !at.Equal(w.stamps[step]) {
				a.wrong(&a.lost, "%s %s at %v, not at %s", number, to, at, w.stamps[step])
			}
		}
	}
	return nil
}

// runOut holds the orders that nobody answered against the log.
func (p *play) runOut(a *account, log map[string]int) error {
	for _, id := range p.offers.sent {
		d, err := p.house.Load().order(id)
		if err != nil {
			return err
		}
		want := 0
		if d.Status == "expired" {
			want = 1
		}
		a.is(log["dispatch.offered dispatch:"+id], 1, "order "+id)
		a.is(log["dispatch.expired dispatch:"+id], want, "order run out "+id)
	}
	return nil
}

// numbers looks for gaps and doubles in the short numbers.
func (s *server) numbers(a *account) error {
	type numbered struct{ ID, Number string }
	all, err := list[numbered](s, "/api/v1/incidents?limit=200")
	if err != nil {
		return err
	}
	var got []string
	for _, in := range all {
		got = append(got, in.Number)
	}
	slices.Sort(got)
	for i, n := range got {
		if !strings.HasSuffix(n, fmt.Sprintf("-%06d", i+1)) {
			a.wrong(&a.gaps, "number %s at place %d of %d", n, i+1, len(got))
			break
		}
	}
	return nil
}

// told waits until every order has come to its crew and to the program, and counts those that did not, and those shown twice.
func (p *play) told(a *account) {
	type sent struct{ id, unit string }
	var all []sent
	for _, l := range p.lanes {
		for _, w := range l.over {
			for n, id := range w.dispatches {
				all = append(all, sent{id, []string{l.first.unit, l.second.unit}[n]})
			}
		}
	}
	for n, id := range p.offers.sent {
		all = append(all, sent{id, p.offers.units[n%len(p.offers.units)]})
	}
	a.orders = len(all)
	r := p.readers
	end := time.Now().Add(90 * time.Second)
	for _, o := range all {
		for {
			live, _ := r.crews[o.unit].shown(o.id)
			if live && r.hook.heard("dispatch.offered", o.id) > 0 || time.Now().After(end) {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	for _, o := range all {
		live, messages := r.crews[o.unit].shown(o.id)
		posted := r.hook.heard("dispatch.offered", o.id)
		if !live || posted == 0 {
			a.wrong(&a.unshown, "order %s of %s: by the crew's socket %v, by webhook %d", o.id, o.unit, live, posted)
		}
		if _, desk := r.desk.shown(o.id); messages > 1 || posted > 1 || desk > 1 {
			a.wrong(&a.twice, "order %s of %s: messages by the crew's socket %d, the desk's %d, by webhook %d", o.id, o.unit, messages, desk, posted)
		}
	}
}
