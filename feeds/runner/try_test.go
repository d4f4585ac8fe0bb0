package runner

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

// The example of the README, tried: the map is applied, the register gives the place, and what is wrong is told by item.
func TestTryIsTheWayOfADelivery(t *testing.T) {
	places := filepath.Join(t.TempDir(), "sungai.csv")
	if err := os.WriteFile(places, []byte("thing,lat,lng,name,kind\nLB-1,-0.83,100.63,AWLR Lembang,river_gauge\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	c.Name, c.Format, c.Register, c.Options = "sungai", "json", places, map[string]any{"each": ".data[]"}
	c.Map = `{thing: .kode, property: "water_level", unit: "m", value: (.tma | sub(","; ".") | num), at: (.waktu | zoned("WIB"))}`
	body := `{"data":[{"kode":"LB-1","tma":"3,40","waktu":"2026-11-23 14:04:11"},{"kode":"LB-2","tma":"tinggi","waktu":"2026-11-23 14:04:11"}]}`
	got, err := Try(t.Context(), c, []byte(body), feeds.Meta{}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := got.Batch.Observations
	if len(o) != 1 || !o[0].Placed || o[0].Position.Lat != -0.83 || o[0].Kind != "river_gauge" || o[0].Value.Num != 3.4 || o[0].At.String() != "2026-11-23T07:04:11.000Z" {
		t.Errorf("%+v", o)
	}
	if r := got.Receipt; r.Accepted != 1 || len(r.Rejected) != 1 || r.Rejected[0].Index != 1 || !strings.Contains(r.Rejected[0].Reason, `"tinggi" is no number`) || !r.DryRun {
		t.Errorf("%+v", r)
	}
	if _, err := Try(t.Context(), c, []byte(`{"data":`), feeds.Meta{}, nil, Options{}); !errors.Is(err, feeds.ErrPermanent) {
		t.Errorf("half a document: %v", err)
	}
	c.Map, c.Every, c.Name = "{", 0, "?"
	_, err = Try(t.Context(), c, nil, feeds.Meta{}, nil, Options{})
	var fault *ConfigError
	if !errors.As(err, &fault) || !strings.Contains(err.Error(), "name:") || !strings.Contains(err.Error(), "map:") {
		t.Errorf("faulty settings: %v", err)
	}
}

// The store judges where there is one, and is told that nothing may be kept.
func TestTryAsksTheStore(t *testing.T) {
	dry := false
	s := sinkFunc(func(_ feeds.Batch, m feeds.Meta) { dry = m.Dry && m.Feed == "live" })
	got, err := Try(t.Context(), entry("live", func(c *FeedConfig) { c.Format = "native" }), []byte(onePost), feeds.Meta{}, s, Options{})
	if err != nil || !dry || got.Receipt.Accepted != 1 {
		t.Errorf("%v %v %+v", err, dry, got.Receipt)
	}
}

func TestAskOnceAndWhatWouldFollow(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write([]byte("a link:/one link:/one link:http://elsewhere.example/x"))
	}))
	defer srv.Close()
	c := entry("web", func(c *FeedConfig) { c.Transport, c.URL, c.AllowPrivate = Poll, srv.URL, true })
	opt := Options{Formats: formatsForTests}
	a, err := Ask(t.Context(), c, opt)
	if err != nil || asked != 1 || a.ContentType != "text/plain" {
		t.Fatalf("%v, asked %d times: %+v", err, asked, a)
	}
	got, err := Try(t.Context(), c, a.Body, feeds.Meta{ContentType: a.ContentType, URL: a.URL}, nil, opt)
	if err != nil || asked != 1 || len(got.Follow) != 1 || got.Follow[0] != srv.URL+"/one" {
		t.Errorf("%v, asked %d times: %+v", err, asked, got)
	}
	c.Transport, c.URL, c.AllowPrivate = Push, "", false
	got, err = Try(t.Context(), c, a.Body, feeds.Meta{}, nil, opt)
	if err != nil || len(got.Follow) != 0 || len(got.Receipt.Ignored) != 3 {
		t.Errorf("over push: %v %+v", err, got)
	}
	if _, err := Ask(t.Context(), c, opt); err == nil || !strings.Contains(err.Error(), "push asks no address") {
		t.Errorf("a push asked: %v", err)
	}
	c.Transport, c.URL = Poll, srv.URL
	var fault *bounded.Fault
	if _, err := Ask(t.Context(), c, opt); !errors.As(err, &fault) || fault.Code != "address" {
		t.Errorf("loopback without leave: %v", err)
	}
}
