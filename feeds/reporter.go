package feeds

// Reporter is who gave a report: personal data, carried beside the report in a Batch and never in it. Only whoever seals it looks at it;
// printed or marshalled it says nothing.
type Reporter struct {
	Index   int    // of the report in the delivery
	Name    string // as the person gave it
	Phone   string
	Email   string
	Address string // where the person lives, not what the report is of
	Device  string // id of the telephone or account that an app sends
	Note    string // how the person can be reached
}

// Bounds of what is kept of a reporter, in bytes. A format cuts what is longer: it costs no report.
const (
	LongestReporter     = 256
	LongestReporterNote = 1024
)

// Empty tells a reporter of whom nothing is known.
func (r Reporter) Empty() bool { r.Index = 0; return r == Reporter{} }

// String and the other forms keep a reporter out of logs, dumps and errors.
func (r Reporter) String() string { return "<reporter>" }

// GoString is String for %#v.
func (r Reporter) GoString() string { return r.String() }

// MarshalJSON writes nothing of it.
func (r Reporter) MarshalJSON() ([]byte, error) { return []byte(`"<reporter>"`), nil }
