// Package cap is CAP messages of version 1.0 to 1.2, and the Atom and RSS indexes that list them.
//
// A message gives one Alert. An index gives the addresses of its messages as Batch.Follow: the few CAP elements that Atom entries
// carry are not the message. An entry that holds a whole <alert> is read on the spot.
package cap

import (
	"fmt"
	"net/url"
	"path"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/cap"
)

const (
	atom     = "http://www.w3.org/2005/Atom"
	mimeType = "application/cap+xml"
)

// Format reads CAP. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("cap", options)
}

// Decode reads a message or an index. A document that is neither is an error; a message that breaks the standard is rejected.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	root, err := cap.Parse(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("cap: %w", err)
	}
	d := decoder{links: map[string]int{}}
	// An address that cannot be read is as good as none: relative links are then rejected one by one.
	if base, err := url.Parse(meta.URL); err == nil && base.IsAbs() {
		d.base = base
	}
	switch {
	case cap.IsMessage(root):
		d.message(0, root)
	case root.Space == atom && root.Name == "feed":
		for i, e := range root.All(atom, "entry") {
			d.entry(i, e)
		}
	case root.Space == "" && root.Name == "rss":
		channel := root.First("", "channel")
		if channel == nil {
			return feeds.Batch{}, fmt.Errorf("cap: <rss> at line %d has no <channel>", root.Line)
		}
		for i, e := range channel.All("", "item") {
			d.item(i, e)
		}
	default:
		return feeds.Batch{}, fmt.Errorf("cap: <%.40s> of namespace %.80q at line %d is neither a CAP message nor an Atom or RSS index", root.Name, root.Space, root.Line)
	}
	return d.batch, nil
}

type decoder struct {
	batch feeds.Batch
	base  *url.URL
	links map[string]int // address -> the entry that gave it
}

func (d *decoder) reject(i int, format string, args ...any) {
	d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf(format, args...)})
}

func (d *decoder) ignore(i int, format string, args ...any) {
	d.batch.Ignored = append(d.batch.Ignored, feeds.Refusal{Index: i, Reason: fmt.Sprintf(format, args...)})
}

func (d *decoder) message(i int, e *cap.Element) {
	m, err := cap.FromElement(e)
	switch {
	case err != nil:
		d.reject(i, "%v", err)
	case m.MsgType == "Ack" || m.MsgType == "Error":
		d.ignore(i, "msgType %s answers a message and warns of nothing", m.MsgType)
	default:
		d.batch.Alerts = append(d.batch.Alerts, feeds.Alert{Index: i, Message: m})
	}
}

// inside finds a whole message in an entry: its child, or a child of its <content>.
func inside(e *cap.Element) *cap.Element {
	for _, c := range e.Children {
		if cap.IsMessage(c) {
			return c
		}
		if c.Name == "content" {
			for _, cc := range c.Children {
				if cap.IsMessage(cc) {
					return cc
				}
			}
		}
	}
	return nil
}

// entry reads one Atom entry: the link typed as CAP, else the first that could be one (RFC 4287, section 4.2.7).
func (d *decoder) entry(i int, e *cap.Element) {
	if m := inside(e); m != nil {
		d.message(i, m)
		return
	}
	link, pages := "", 0
	for _, l := range e.All(atom, "link") {
		rel, kind := l.Attr("rel"), strings.ToLower(l.Attr("type"))
		kind, _, _ = strings.Cut(kind, ";")
		switch {
		case l.Attr("href") == "":
		case kind == mimeType:
			d.follow(i, e, l.Attr("href"))
			return
		case rel != "" && rel != "alternate":
		case kind != "" && kind != "application/xml" && kind != "text/xml":
			pages++
		case link == "":
			link = l.Attr("href")
		}
	}
	switch {
	case link != "":
		d.follow(i, e, link)
	case pages > 0:
		d.ignore(i, "<entry> at line %d links to web pages only, not to a CAP message", e.Line)
	default:
		d.reject(i, "<entry> at line %d has no link", e.Line)
	}
}

// item reads one RSS item: a <cap> element with an address (GDACS), an enclosure typed as CAP, else its link or permanent guid.
func (d *decoder) item(i int, e *cap.Element) {
	if m := inside(e); m != nil {
		d.message(i, m)
		return
	}
	for _, c := range e.Children {
		if c.Name == "cap" && c.Space != "" && c.Text != "" {
			d.follow(i, e, c.Text)
			return
		}
	}
	for _, c := range e.All("", "enclosure") {
		if strings.EqualFold(c.Attr("type"), mimeType) && c.Attr("url") != "" {
			d.follow(i, e, c.Attr("url"))
			return
		}
	}
	link := ""
	if l := e.First("", "link"); l != nil {
		link = l.Text
	}
	if g := e.First("", "guid"); link == "" && g != nil && g.Attr("isPermaLink") != "false" {
		link = g.Text
	}
	if link == "" {
		d.reject(i, "<item> at line %d has no link", e.Line)
		return
	}
	d.follow(i, e, link)
}

// follow resolves a link against the address of the index (RFC 3986, section 5). Reasons do not repeat addresses: they may hold secrets.
func (d *decoder) follow(i int, e *cap.Element, link string) {
	u, err := url.Parse(strings.TrimSpace(link))
	switch {
	case err != nil:
		d.reject(i, "<%s> at line %d: its link is not an address", e.Name, e.Line)
		return
	case !u.IsAbs() && d.base == nil:
		d.reject(i, "<%s> at line %d: its link is relative, and the index came without an address", e.Name, e.Line)
		return
	case !u.IsAbs():
		u = d.base.ResolveReference(u)
	}
	u.Fragment, u.RawFragment = "", ""
	if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil && (d.base == nil || u.User != d.base.User) {
		d.reject(i, "<%s> at line %d: its link is not a plain http or https address", e.Name, e.Line)
		return
	}
	switch strings.ToLower(path.Ext(u.Path)) {
	case ".html", ".htm", ".aspx", ".pdf", ".png", ".jpg":
		d.ignore(i, "<%s> at line %d links to a page, not to a CAP message", e.Name, e.Line)
		return
	}
	address := u.String()
	if first, twice := d.links[address]; twice {
		d.ignore(i, "<%s> at line %d links to the same message as item %d", e.Name, e.Line, first)
		return
	}
	d.links[address] = i
	d.batch.Follow = append(d.batch.Follow, address)
}
