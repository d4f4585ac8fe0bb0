package cap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "cap/*.xml", "cap/*.cap") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, Format{}, feedtest.Read(t, file)) })
	}
}

const message = `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>A</identifier><sender>s@x</sender><sent>2026-02-16T22:50:00+07:00</sent>` +
	`<status>Actual</status><msgType>Alert</msgType><scope>Public</scope></alert>`

func TestIndex(t *testing.T) {
	feed := func(entries string) string { return `<feed xmlns="http://www.w3.org/2005/Atom">` + entries + `</feed>` }
	rss := func(items string) string { return `<rss version="2.0"><channel>` + items + `</channel></rss>` }
	cases := []struct {
		name, body, url           string
		follow                    []string
		alerts, ignored, rejected int
		reason                    string
	}{
		{name: "relative link", body: feed(`<entry><link href="../a.xml"/></entry>`), url: "https://h.example/x/y/i.atom", follow: []string{"https://h.example/x/a.xml"}},
		{name: "relative link without address", body: feed(`<entry><link href="a.xml"/></entry>`), rejected: 1, reason: "line 1: its link is relative"},
		{name: "typed link wins", body: feed(`<entry><link href="https://h/a"/><link href="https://h/b" type="application/cap+xml"/></entry>`), follow: []string{"https://h/b"}},
		{name: "same link twice", body: feed(`<entry><link href="https://h/a"/></entry><entry><link href="https://h/a#x"/></entry>`), follow: []string{"https://h/a"}, ignored: 1, reason: "same message as item 0"},
		{name: "web pages only", body: feed(`<entry><link href="https://h/a" type="text/html"/></entry>`), ignored: 1, reason: "web pages only"},
		{name: "script address", body: feed(`<entry><link href="javascript:x"/></entry>`), rejected: 1, reason: "not a plain http"},
		{name: "file address", body: rss(`<item><link>file:///etc/passwd</link></item>`), rejected: 1, reason: "not a plain http"},
		{name: "user name in link", body: rss(`<item><link>https://u:p@h/a</link></item>`), rejected: 1, reason: "not a plain http"},
		{name: "bad item beside a good one", body: rss(`<item/><item><link>https://h/a.xml</link></item>`), follow: []string{"https://h/a.xml"}, rejected: 1, reason: "no link"},
		{name: "permanent guid", body: rss(`<item><guid>https://h/g</guid></item>`), follow: []string{"https://h/g"}},
		{name: "guid that is no link", body: rss(`<item><guid isPermaLink="false">https://h/g</guid></item>`), rejected: 1, reason: "no link"},
		{name: "GDACS names the message", body: `<rss xmlns:g="http://www.gdacs.org"><channel><item><link>https://h/p.aspx</link><g:cap>https://h/c.xml</g:cap></item></channel></rss>`, follow: []string{"https://h/c.xml"}},
		{name: "whole message inside", body: feed(`<entry><content type="text/xml">` + message + `</content></entry>`), alerts: 1},
		{name: "message itself", body: message, alerts: 1},
		{name: "acknowledgement", body: strings.Replace(message, ">Alert<", ">Ack<", 1), ignored: 1, reason: "msgType Ack"},
		{name: "faulty message", body: strings.Replace(message, "<status>", "<status>Test</status><status>", 1), rejected: 1, reason: "<status> at line 1: stands a second time"},
		{name: "empty index", body: rss("")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b, err := Format{}.Decode([]byte(c.body), feeds.Meta{URL: c.url})
			if err != nil {
				t.Fatal(err)
			}
			if strings.Join(b.Follow, " ") != strings.Join(c.follow, " ") || len(b.Alerts) != c.alerts || len(b.Ignored) != c.ignored || len(b.Rejected) != c.rejected {
				t.Errorf("got follow %v, %d alerts, ignored %v, rejected %v", b.Follow, len(b.Alerts), b.Ignored, b.Rejected)
			}
			for _, r := range append(b.Ignored, b.Rejected...) {
				if !strings.Contains(r.Reason, c.reason) {
					t.Errorf("reason %q, want %q", r.Reason, c.reason)
				}
			}
		})
	}
}

func TestOneBadEntry(t *testing.T) {
	body := `<feed xmlns="http://www.w3.org/2005/Atom">` + "\n<entry/>\n<entry><content>" + message + `</content></entry></feed>`
	feedtest.OneBad(t, Format{}, []byte(body), 0, "line 2", "no link")
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "{}", "<html></html>", "<rss></rss>", `<feed></feed>`, `<alert xmlns="urn:x"/>`, message + message, message + "x",
		`<!DOCTYPE a [<!ENTITY x "y">]>` + message} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q: want an error, got %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(message))
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Format{}.Decode(body, feedtest.Meta())
		feedtest.Check(t, b, err)
	})
}

// seeds adds the hand-written cases of testdata/seed.
func seeds(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "seed", "*"))
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds under testdata/seed")
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
}
