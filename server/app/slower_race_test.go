//go:build race

package app

import "time"

// slower is how much longer a test waits than a quiet machine needs: here the race detector slows what it waits for.
const slower = 6

// aSecond is what the house promises, times what the race detector and two other packages take of the machine. People's and keys' promise of one
// second is held without it by the matrix (TestMatrixOfTheSocket).
const aSecond = slower * time.Second
