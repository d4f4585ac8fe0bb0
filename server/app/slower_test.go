//go:build !race

package app

// slower is how much longer a test waits than a quiet machine needs: others compute beside it.
const slower = 3
