package cameras

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds/bounded"
)

func TestAPictureThatPanicsIsOnlyThatCamerasFault(t *testing.T) {
	now := time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)
	broken := true
	s, err := New(Options{Now: func() time.Time { return now }, Log: zerolog.Nop(), Drawn: []Drawn{{
		Camera: Camera{ID: "sim:1", Name: "Jembatan", Still: true, Every: time.Second},
		Draw: func(context.Context, time.Time) ([]byte, error) {
			if broken {
				panic("a decoder read beyond its end")
			}
			return []byte("png"), nil
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var fault *bounded.Fault
	if _, err := s.Still(t.Context(), "sim:1"); !errors.Is(err, ErrUnseen) || !errors.As(err, &fault) || fault.Code != "picture" {
		t.Fatalf("%v", err)
	}
	broken, now = false, now.Add(time.Minute)
	if f, err := s.Still(t.Context(), "sim:1"); err != nil || string(f.Body) != "png" {
		t.Errorf("after it: %v, %q", err, f.Body)
	}
}
