package report

import (
	"errors"
	"testing"
	"time"

	"kentongan/geo/moment"
)

func TestCalls(t *testing.T) {
	c := Call{ID: "1", State: Ringing, At: moment.Of(noon), RingsTill: moment.Of(noon.Add(RingLife))}
	if c.Stands(noon.Add(RingLife-time.Second)) != Ringing || c.Stands(noon.Add(RingLife)) != Over {
		t.Error("a call rings too long, or not long enough")
	}
	mine, err := c.Take("user:sari", noon)
	if err != nil || mine.State != Taken || mine.TakenBy != "user:sari" || c.TakenBy != "" {
		t.Errorf("taken %+v, %v", mine, err)
	}
	if again, err := mine.Take("user:sari", noon.Add(time.Minute)); err != nil || !again.TakenAt.Equal(noon) {
		t.Errorf("taken again %+v, %v", again, err)
	}
	if _, err := mine.Take("user:budi", noon); !errors.Is(err, ErrCall) {
		t.Errorf("taken by two: %v", err)
	}
	missed, err := c.Take("user:sari", noon.Add(RingLife))
	if err != nil || missed.State != Ringing || missed.Stands(noon.Add(RingLife)) != Over || missed.TakenBy == "" {
		t.Errorf("called back %+v, %v", missed, err)
	}
	if over := mine.End(noon); over.State != Over || over.TakenBy != "user:sari" {
		t.Errorf("hung up %+v", over)
	}
}
