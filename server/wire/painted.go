package wire

// Painted says that a desk has drawn alarms before somebody's eyes: its page is in front and somebody works at it.
type Painted struct {
	Op     string   `json:"op" ts:"\"painted\""`
	Alarms []string `json:"alarms"` // ids
}
