//go:build !race

package app

import "time"

// slower is how much longer a test waits than a quiet machine needs: others compute beside it.
const slower = 3

// aSecond is what the house promises: a session, a key or an account that has ended is refused everywhere within it.
const aSecond = time.Second
