package wire

// Close codes of the socket (RFC 6455, section 7.4.1). Up to 1007 and from 1011 on the client comes back with back-off; after 1008 to
// 1010 it must change something first.
const (
	CloseGoingAway = 1001 // the server stops: reconnect, with jitter
	ClosePolicy    = 1008 // repeated faulty messages, or a session that has ended
	CloseTooBig    = 1009 // a client message above ReadLimit
	CloseInternal  = 1011
	CloseSlow      = 1013 // client or server could not keep up with cases: reconnect later
	CloseChanged   = 4001 // rights have changed, or the session goes on under another secret: reconnect at once
)

// ReadLimit bounds one client message, in bytes.
const ReadLimit = 64 << 10

// Codes of Error messages.
const (
	ErrorBadMessage = "bad_message" // not JSON, not UTF-8, or not an object
	ErrorUnknownOp  = "unknown_op"
	ErrorBadView    = "bad_view" // bbox or layers cannot be used
	ErrorTooMany    = "too_many" // more messages a second than are read
	ErrorStore      = "store"    // the store did not answer; ask again
)

// Returns tells whether a client may reconnect by itself after a close code.
func Returns(code int) bool { return code < ClosePolicy || code >= CloseInternal }
