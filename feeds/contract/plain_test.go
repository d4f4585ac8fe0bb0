package contract

import "testing"

// plain leaves a test of one goroutine and millions of records to the run without the race detector, which would find nothing in it and
// take six times as long (make go-test does both).
func plain(t *testing.T) {
	t.Helper()
	if raced {
		t.Skip("read without the race detector")
	}
}
