package simulator

import (
	"bytes"
	"image/png"
	"os"
	"testing"
	"time"
)

// A camera's picture can be read, changes with the hour, and is the same for two cities of one seed; one that is blind gives none and says nothing.
func TestCamerasDrawWhatTheModelHas(t *testing.T) {
	build := func() *City {
		c, err := New(elsewhere(), 2000, 0)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c, twin := build(), build()
	all := c.Cameras()
	if len(all) != 8 || len(c.Kinds()) == 0 || c.Kinds()["camera"] != len(all) {
		t.Fatalf("%d cameras: %+v", len(all), all)
	}
	noon := time.Date(2026, 11, 27, 5, 0, 0, 0, time.UTC)
	drawn, blind := 0, 0
	for _, one := range all {
		for day := range 60 {
			at := noon.AddDate(0, 0, day*5)
			a, ok := c.Still(one.ID, at)
			var w writer
			for i := range c.things {
				if th := &c.things[i]; th.id == one.ID {
					c.scan(th, at.UnixMilli(), &w)
				}
			}
			if ok != (w.lines == 1) {
				t.Fatalf("%s at %s: a picture %v, and it says %q", one.ID, at, ok, w.b)
			}
			if !ok {
				blind++
				continue
			}
			drawn++
			if day > 0 {
				continue
			}
			if _, err := png.Decode(bytes.NewReader(a)); err != nil {
				t.Fatal(err)
			}
			if b, _ := twin.Still(one.ID, at); !bytes.Equal(a, b) {
				t.Errorf("%s: two cities of one seed see different things", one.ID)
			}
			if b, _ := c.Still(one.ID, at.Add(12*time.Hour)); bytes.Equal(a, b) {
				t.Errorf("%s: midnight looks like noon", one.ID)
			}
			if dir := os.Getenv("KENTONGAN_STILLS"); dir != "" { // for a person to look at
				_ = os.WriteFile(dir+"/"+one.ID+".png", a, 0o600)
			}
		}
	}
	if drawn == 0 || blind == 0 || blind*10 > drawn {
		t.Errorf("%d pictures, %d times none", drawn, blind)
	}
	if _, ok := c.Still("cctv-999", noon); ok {
		t.Error("a camera that is not there")
	}
}
