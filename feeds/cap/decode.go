package cap

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/geo/moment"
)

// The namespaces of a CAP message, newest first.
const (
	Namespace12 = "urn:oasis:names:tc:emergency:cap:1.2"
	Namespace11 = "urn:oasis:names:tc:emergency:cap:1.1"
	Namespace10 = "http://www.incident.com/cap/1.0"
)

// ErrMessage marks a document that is not a CAP message, or a message that breaks the standard.
var ErrMessage = errors.New("not a CAP message")

// Fault names the place where a message breaks the standard. It is an ErrMessage.
type Fault struct {
	Element string
	Line    int // from 1
	Reason  string
}

func (f *Fault) Error() string {
	return fmt.Sprintf("<%s> at line %d: %s", f.Element, f.Line, f.Reason)
}

// Is makes errors.Is(err, ErrMessage) hold.
func (f *Fault) Is(target error) bool { return target == ErrMessage }

// Longest texts, in bytes.
const (
	maxName  = 1024
	maxProse = 64 << 10
)

// Decode reads one CAP message of version 1.0, 1.1 or 1.2 and nothing else. It is strict where being lax would change the meaning:
// the root and its namespace, elements that may stand once, required elements, the standard's words, times with an offset,
// positions. An element of another namespace (a signature) is passed over, and so is one that the standard does not know, unless it
// is a known one in other letters. Beyond the standard it takes times in Z and with fractions, empty elements as absent ones, and
// rings that are not closed (CAP-v1.2 section 3.2). With an error the Message is empty.
func Decode(body []byte) (Message, error) {
	root, err := Parse(body)
	if err != nil {
		return Message{}, err
	}
	return FromElement(root)
}

// IsMessage tells the root of a CAP message of any version.
func IsMessage(e *Element) bool {
	return e.Name == "alert" && (e.Space == Namespace12 || e.Space == Namespace11 || e.Space == Namespace10)
}

// FromElement is Decode over an element that is already read, which may stand inside another document.
func FromElement(e *Element) (Message, error) {
	if !IsMessage(e) {
		return Message{}, &Fault{e.Name, e.Line, fmt.Sprintf("is not the <alert> of a CAP namespace but of %.80q", e.Space)}
	}
	r := reader{space: e.Space}
	m := r.message(e)
	if r.err != nil {
		return Message{}, r.err
	}
	return m, nil
}

// The words of the standard (CAP-v1.2 section 3.2).
var (
	statuses    = []string{"Actual", "Exercise", "System", "Test", "Draft"}
	msgTypes    = []string{"Alert", "Update", "Cancel", "Ack", "Error"}
	scopes      = []string{"Public", "Restricted", "Private"}
	categories  = []string{"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"}
	responses   = []string{"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"}
	urgencies   = []string{"Immediate", "Expected", "Future", "Past", "Unknown"}
	severities  = []string{"Extreme", "Severe", "Moderate", "Minor", "Unknown"}
	certainties = []string{"Observed", "Likely", "Possible", "Unlikely", "Unknown"}
)

// The elements that may stand once and those that may repeat, by parent.
var (
	alertOnce = []string{"identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses", "note",
		"references", "incidents", "password"}
	alertMany = []string{"code", "info"}
	infoOnce  = []string{"language", "event", "urgency", "severity", "certainty", "audience", "effective", "onset", "expires",
		"senderName", "headline", "description", "instruction", "web", "contact"}
	infoMany  = []string{"category", "responseType", "eventCode", "parameter", "resource", "area"}
	areaOnce  = []string{"areaDesc", "altitude", "ceiling"}
	areaMany  = []string{"polygon", "circle", "geocode"}
	valueOnce = []string{"valueName", "value"}
)

// reader keeps the first fault and reads nothing useful after it.
type reader struct {
	space string
	err   error
}

func (r *reader) fault(e *Element, format string, args ...any) {
	if r.err == nil {
		r.err = &Fault{e.Name, e.Line, fmt.Sprintf(format, args...)}
	}
}

// check refuses a second element where one may stand, and a known name in other letters.
func (r *reader) check(e *Element, once, many []string) {
	seen := make(map[string]int, len(once))
	for _, c := range e.Children {
		if c.Space != r.space {
			continue
		}
		if slices.Contains(once, c.Name) {
			if line, twice := seen[c.Name]; twice {
				r.fault(c, "stands a second time in <%s>; the first is at line %d", e.Name, line)
			}
			seen[c.Name] = c.Line
			continue
		}
		for _, known := range slices.Concat(once, many) {
			if c.Name != known && strings.EqualFold(c.Name, known) {
				r.fault(c, "should be written <%s>", known)
			}
		}
	}
}

// text reads a plain text; nothing where e is nil.
func (r *reader) text(e *Element, limit int) string {
	if e == nil {
		return ""
	}
	if len(e.Children) > 0 {
		r.fault(e, "holds elements where text should be")
	}
	if len(e.Text) > limit {
		r.fault(e, "is longer than %d bytes", limit)
	}
	return e.Text
}

func (r *reader) name(parent *Element, name string) string {
	return r.text(parent.First(r.space, name), maxName)
}

func (r *reader) prose(parent *Element, name string) string {
	return r.text(parent.First(r.space, name), maxProse)
}

// required reads a text that must be there and not be empty.
func (r *reader) required(parent *Element, name string, limit int) string {
	e := parent.First(r.space, name)
	if e == nil {
		r.fault(parent, "has no <%s>", name)
		return ""
	}
	t := r.text(e, limit)
	if t == "" {
		r.fault(e, "is empty")
	}
	return t
}

// word checks one of the standard's words.
func (r *reader) word(e *Element, text string, words []string) string {
	if e != nil && !slices.Contains(words, text) {
		r.fault(e, "%.40q is not one of %s", text, strings.Join(words, ", "))
	}
	return text
}

func (r *reader) requiredWord(parent *Element, name string, words []string) string {
	return r.word(parent.First(r.space, name), r.required(parent, name, maxName), words)
}

// name of a message or sender: without white space, comma, < or & (CAP-v1.2 section 3.2.1), since <references> are cut at these.
func (r *reader) identity(parent *Element, name string) string {
	t := r.required(parent, name, maxName)
	if strings.ContainsAny(t, " \t\r\n,<&") {
		r.fault(parent.First(r.space, name), "%.60q has a space, comma, < or &", t)
	}
	return t
}

func (r *reader) time(e *Element) moment.Time {
	t := r.text(e, maxName)
	if t == "" {
		return moment.Time{}
	}
	at, err := time.Parse(time.RFC3339, t)
	if err != nil || at.Year() < 1900 {
		r.fault(e, "%.40q is not a time with an offset, as in 2026-02-16T22:50:00+07:00", t)
		return moment.Time{}
	}
	return moment.Of(at)
}

func (r *reader) message(e *Element) Message {
	r.check(e, alertOnce, alertMany)
	m := Message{
		Identifier: r.identity(e, "identifier"),
		Sender:     r.identity(e, "sender"),
		Status:     r.requiredWord(e, "status", statuses),
		MsgType:    r.requiredWord(e, "msgType", msgTypes),
		Scope:      r.requiredWord(e, "scope", scopes),
		Source:     r.name(e, "source"),
		Note:       r.prose(e, "note"),
	}
	r.required(e, "sent", maxName)
	m.Sent = r.time(e.First(r.space, "sent"))
	m.References = r.references(e.First(r.space, "references"))
	for _, c := range e.All(r.space, "info") {
		m.Infos = append(m.Infos, r.info(c))
		if r.err != nil {
			break
		}
	}
	return m
}

// references reads triples sender,identifier,sent with white space between them.
func (r *reader) references(e *Element) []Reference {
	var out []Reference
	for _, triple := range strings.Fields(r.text(e, maxProse)) {
		parts := strings.Split(triple, ",")
		if len(parts) != 3 || parts[0] == "" || parts[1] == "" {
			r.fault(e, "%.80q is not sender,identifier,sent", triple)
			return nil
		}
		sent := r.time(&Element{Name: e.Name, Line: e.Line, Text: parts[2]})
		if sent.IsZero() {
			r.fault(e, "%.80q has no time", triple)
		}
		out = append(out, Reference{parts[0], parts[1], sent})
	}
	return out
}

func (r *reader) info(e *Element) Info {
	r.check(e, infoOnce, infoMany)
	i := Info{
		Language:    r.name(e, "language"),
		Event:       r.required(e, "event", maxName),
		Urgency:     r.judged(e, "urgency", urgencies),
		Severity:    Severity(r.judged(e, "severity", severities)),
		Certainty:   r.judged(e, "certainty", certainties),
		Effective:   r.time(e.First(r.space, "effective")),
		Onset:       r.time(e.First(r.space, "onset")),
		Expires:     r.time(e.First(r.space, "expires")),
		SenderName:  r.name(e, "senderName"),
		Headline:    r.prose(e, "headline"),
		Description: r.prose(e, "description"),
		Instruction: r.prose(e, "instruction"),
		Web:         r.prose(e, "web"),
		Contact:     r.prose(e, "contact"),
		EventCodes:  r.values(e, "eventCode"),
		Parameters:  r.values(e, "parameter"),
		Categories:  r.words(e, "category", categories),
		Responses:   r.words(e, "responseType", responses),
	}
	if i.Language == "" {
		i.Language = "en-US"
	}
	if len(i.Categories) == 0 && r.space != Namespace10 {
		r.fault(e, "has no <category>")
	}
	for _, c := range e.All(r.space, "area") {
		i.Areas = append(i.Areas, r.area(c))
		if r.err != nil {
			break
		}
	}
	return i
}

// judged reads a word of judgement. A word that the standard does not know, or none, is Unknown and costs the message nothing: a warning
// whose severity nobody can read must still be shown. "Very Likely" of CAP 1.0 is Likely (CAP-v1.2 section 3.2.2).
func (r *reader) judged(parent *Element, name string, words []string) string {
	t := r.text(parent.First(r.space, name), maxName)
	switch {
	case slices.Contains(words, t):
		return t
	case t == "Very Likely" && name == "certainty":
		return "Likely"
	}
	return string(Unknown)
}

// words reads a repeated element; an empty one counts as absent.
func (r *reader) words(parent *Element, name string, words []string) []string {
	var out []string
	for _, c := range parent.All(r.space, name) {
		if t := r.text(c, maxName); t != "" {
			out = append(out, r.word(c, t, words))
		}
	}
	return out
}

// values reads valueName and value pairs; CAP 1.0 writes name=value as text. An empty pair counts as absent.
func (r *reader) values(parent *Element, name string) []Value {
	var out []Value
	for _, c := range parent.All(r.space, name) {
		if len(c.Children) == 0 {
			if n, v, ok := strings.Cut(r.text(c, maxProse), "="); ok && r.space == Namespace10 {
				out = append(out, Value{strings.TrimSpace(n), strings.TrimSpace(v)})
			} else if c.Text != "" {
				r.fault(c, "has no <valueName>")
			}
			continue
		}
		r.check(c, valueOnce, nil)
		out = append(out, Value{r.required(c, "valueName", maxName), r.prose(c, "value")})
	}
	return out
}
