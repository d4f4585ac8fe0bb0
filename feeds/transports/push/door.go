package push

import "kentongan/feeds"

// Door is what is special about pushing to one feed. The zero Door is that of a feed that is pushed in the usual way, and of no feed.
type Door struct {
	Signed *Signature   // nil: deliveries bear no signature
	Reply  *feeds.Reply // nil: the receipt
	Headed feeds.Headed // nil: no header says anything
}
