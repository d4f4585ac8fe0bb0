package feeds

// Reply is what the senders of a format expect to hear where a delivery was taken, in place of the receipt. What is refused is answered
// as for every other format.
type Reply struct {
	Status      int
	ContentType string
	Body        []byte
}

// Replier is a Format that owns its success reply.
type Replier interface {
	Reply() Reply
}

// Headed is a Format whose senders say over HTTP in headers what they say elsewhere by a topic. Header gives a header's value, empty
// where there is none; an empty topic means that the headers say nothing.
type Headed interface {
	TopicOf(header func(name string) string) string
}
