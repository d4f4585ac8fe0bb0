package incident

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kentongan/geo/moment"
)

func worked(t *testing.T) Incident {
	t.Helper()
	in, err := Open(Opening{ID: "01A", Number: "SLK-2026-000001", Type: "flood", Title: "Banjir", At: time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC), Actor: "user:op"})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

var eight = time.Date(2026, 11, 27, 8, 5, 0, 0, time.UTC)

// What somebody writes turns no screen round, and is bounded.
func TestCommentsAreCleanAndBounded(t *testing.T) {
	in := worked(t)
	out, said, err := in.Say(Comment{ID: "c1", By: "user:a", Text: " air\u202e naik\u0000\r\nke\tjalan\u2066 ", Once: "k"}, eight)
	if err != nil || said.Text != "air naik\nke jalan" || out.Version != in.Version || len(out.Comments) != 1 || out.Timeline[len(out.Timeline)-1].Act != "commented" {
		t.Fatalf("%+v %v", said, err)
	}
	if _, again, err := out.Say(Comment{ID: "c2", By: "user:a", Text: "air naik\nke jalan", Once: "k"}, eight); !errors.Is(err, ErrNothing) || again.ID != "c1" {
		t.Errorf("the same key gives %+v, %v", again, err)
	}
	if _, _, err := out.Say(Comment{ID: "c2", By: "user:a", Text: "lain", Once: "k"}, eight); !errors.Is(err, ErrKeyTaken) {
		t.Errorf("another text under the key: %v", err)
	}
	for _, text := range []string{"", " \u202e\u0007 ", strings.Repeat("é", MostComment+1)} {
		if _, _, err := in.Say(Comment{Text: text}, eight); !errors.Is(err, ErrInvalid) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if _, _, err := in.Say(Comment{Text: strings.Repeat("é", MostComment)}, eight); err != nil {
		t.Error(err)
	}
	in.Comments = make([]Comment, MostComments)
	if _, _, err := in.Say(Comment{Text: "satu lagi"}, eight); !errors.Is(err, ErrInvalid) {
		t.Errorf("%v", err)
	}
}

// A photo that was taken after the first dispatch proves something; one before it, or of which nobody says when, does not.
func TestAPhotoAfterTheFirstDispatchProves(t *testing.T) {
	in := worked(t)
	in.Times.TDispatch = moment.Of(eight)
	for name, c := range map[string]struct {
		a    Attachment
		want int
	}{
		"after":    {Attachment{ID: "a", Kind: "photo", SHA256: "1", TakenAt: moment.Of(eight.Add(time.Minute)), TakenBy: TakenBySender}, 1},
		"before":   {Attachment{ID: "a", Kind: "photo", SHA256: "1", TakenAt: moment.Of(eight.Add(-time.Minute))}, 0},
		"not said": {Attachment{ID: "a", Kind: "photo", SHA256: "1"}, 0},
		"a sound":  {Attachment{ID: "a", Kind: "audio", SHA256: "1", TakenAt: moment.Of(eight.Add(time.Minute))}, 0},
	} {
		out, _, err := in.Enclose(c.a, eight.Add(2*time.Minute))
		if err != nil || len(out.Proof.Have) != c.want {
			t.Errorf("%s: %v %v", name, out.Proof.Have, err)
		}
		if last := out.Timeline[len(out.Timeline)-1]; c.want == 1 && (out.Proof.Have[0].Source != "stated" || last.Note != "photo: stated") {
			t.Errorf("%s: whose word the time is: %+v, %+v", name, out.Proof.Have, last)
		}
	}
	lng := 200.0
	for name, a := range map[string]Attachment{"not yet": {SHA256: "1", TakenAt: moment.Of(eight.Add(time.Hour))}, "half a place": {SHA256: "1", Lng: &lng}, "no place": {SHA256: "1", Lng: &lng, Lat: &lng}} {
		if _, _, err := in.Enclose(a, eight); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	out, first, err := in.Enclose(Attachment{ID: "a", Kind: "photo", SHA256: "1", Small: "2", Once: "k"}, eight)
	if err != nil {
		t.Fatal(err)
	}
	if _, again, err := out.Enclose(Attachment{ID: "b", Kind: "photo", SHA256: "1"}, eight); !errors.Is(err, ErrNothing) || again.ID != first.ID {
		t.Errorf("the same bytes give %v, %v", again, err)
	}
	if _, _, err := out.Enclose(Attachment{ID: "b", Kind: "photo", SHA256: "3", Once: "k"}, eight); !errors.Is(err, ErrKeyTaken) {
		t.Errorf("%v", err)
	}
	if sums := strings.Join(out.Sums(), " "); sums != "1 2" {
		t.Errorf("it needs %s", sums)
	}
}

// The lead changes hands only by a yes of whoever is asked; until then nothing changes but who sees it.
func TestTheLeadIsHandedOverByAYes(t *testing.T) {
	in := worked(t)
	known := func(to string) bool { return to == "damkar" || to == "dishub" || to == Neighbour+"sijunjung" }
	ask := func(to string) (Incident, error) {
		return in.Ask(HandingOver{To: to, Note: "api", Version: in.Version}, known, "user:op", eight)
	}
	for _, to := range []string{"bpbd", "nosuch", "neighbour:nosuch", "neighbour:", "Damkar"} {
		if _, err := ask(to); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", to, err)
		}
	}
	asked, err := ask("damkar")
	if err != nil || asked.LeadAgency != "bpbd" || asked.Handover.From != "bpbd" || asked.Version != in.Version+1 || asked.Handover.Due.Sub(eight) != 10*time.Minute || !asked.Handover.Joined {
		t.Fatalf("%+v %v", asked.Handover, err)
	}
	if _, err := asked.Ask(HandingOver{To: "dishub", Version: asked.Version}, known, "user:op", eight); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("asked twice: %v", err)
	}
	if _, err := asked.Accept(HandingOver{Version: asked.Version}, "user:op", eight); !errors.Is(err, ErrOwnAnswer) {
		t.Errorf("own answer: %v", err)
	}
	if _, err := asked.Accept(HandingOver{Version: asked.Version - 1}, "user:dk", eight); !errors.Is(err, ErrStale) {
		t.Errorf("late: %v", err)
	}
	led, err := asked.Accept(HandingOver{ExternalID: "DK-7", Version: asked.Version}, "user:dk", eight)
	if err != nil || led.LeadAgency != "damkar" || led.Handover != nil || len(led.ExternalRefs) != 1 || led.ExternalRefs[0] != (ExternalRef{"damkar", "DK-7"}) {
		t.Fatalf("%+v %v", led, err)
	}
	if s := strings.Join(led.Support, " "); !strings.Contains(s, "bpbd") || strings.Contains(s, "damkar") {
		t.Errorf("support is %s", s)
	}
	if _, err := asked.Decline(HandingOver{Version: asked.Version}, "user:dk", eight); !errors.Is(err, ErrInvalid) {
		t.Errorf("no without a reason: %v", err)
	}
	for _, who := range []string{"user:dk", "user:op"} {
		no, err := asked.Decline(HandingOver{Note: "penuh", Version: asked.Version}, who, eight)
		if err != nil || no.LeadAgency != "bpbd" || no.Handover != nil || strings.Contains(strings.Join(no.Support, " "), "damkar") {
			t.Errorf("%s: %+v %v", who, no.Support, err)
		}
	}
}

// Nobody answers: it is noted once, and who leads goes on leading.
func TestAnAnswerIsDue(t *testing.T) {
	in := worked(t)
	asked, err := in.Ask(HandingOver{To: "damkar", Version: 1}, func(string) bool { return true }, "user:op", eight)
	if err != nil {
		t.Fatal(err)
	}
	asked.SLA.Missed = slaSteps // the other clocks are not asked here
	if next := asked.NextDue(); !next.Equal(asked.Handover.Due.Time) {
		t.Errorf("next is %s", next)
	}
	if _, late := asked.HandoverLate("house:clock", eight.Add(9*time.Minute)); late {
		t.Error("late before it was due")
	}
	late, is := asked.HandoverLate("house:clock", eight.Add(10*time.Minute))
	if !is || !late.Handover.Late || asked.Handover.Late || late.Version != asked.Version || late.LeadAgency != "bpbd" || late.NextDue().Equal(asked.Handover.Due.Time) {
		t.Errorf("%+v", late.Handover)
	}
	if _, again := late.HandoverLate("house:clock", eight.Add(time.Hour)); again {
		t.Error("noted twice")
	}
}

// What a neighbour is asked to take does not end here before it has the neighbour's number.
func TestANeighbourTakesACaseWithItsNumber(t *testing.T) {
	in := worked(t)
	asked, err := in.Ask(HandingOver{To: Neighbour + "sijunjung", Version: 1}, func(string) bool { return true }, "user:op", eight)
	if err != nil || asked.Handover.Joined {
		t.Fatalf("%+v %v", asked.Handover, err)
	}
	if _, err := asked.Apply(Act{To: Cancelled, Reason: "out_of_area", Version: 2}, "user:op", eight); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("%v", err)
	}
	if _, err := asked.Accept(HandingOver{Version: 2}, "user:op", eight); !errors.Is(err, ErrNoNumber) {
		t.Errorf("%v", err)
	}
	taken, err := asked.Accept(HandingOver{ExternalID: "SJJ-12", Version: 2}, "user:op", eight)
	if err != nil || taken.LeadAgency != "bpbd" || taken.ExternalRefs[0] != (ExternalRef{"neighbour:sijunjung", "SJJ-12"}) {
		t.Fatalf("%+v %v", taken.ExternalRefs, err)
	}
	if _, err := taken.Apply(Act{To: Cancelled, Reason: "out_of_area", Version: 3}, "user:op", eight); err != nil {
		t.Error(err)
	}
}

// Who sees less of an incident sees neither words nor pictures; that it is an exercise everybody sees.
func TestWordsAndPicturesAreForWhoWorksIt(t *testing.T) {
	in, err := Open(Opening{ID: "01A", Number: "SIM-2026-000001", Type: "flood", Title: "Banjir", At: eight, Actor: "user:op", Exercise: true})
	if err != nil || !in.Simulated {
		t.Fatalf("an exercise is simulated: %v", err)
	}
	in, _, _ = in.Say(Comment{ID: "c", Text: "nama"}, eight)
	in, _, _ = in.Enclose(Attachment{ID: "a", Kind: "photo", SHA256: "1"}, eight)
	in, err = in.Ask(HandingOver{To: "damkar", Note: "nama", Version: 1}, func(string) bool { return true }, "user:op", eight)
	if err != nil {
		t.Fatal(err)
	}
	for name, seen := range map[string]Incident{"coarse": in.Coarse(), "facts": in.Facts()} {
		if len(seen.Comments)+len(seen.Attachments) != 0 || !seen.Exercise || seen.Handover != nil && (seen.Handover.Note != "" || seen.Handover.By != "user") {
			t.Errorf("%s: %+v", name, seen)
		}
	}
}
