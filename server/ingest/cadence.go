package ingest

import "time"

// cadence learns how often a Thing reports: the median of its last gaps between event times of one property. The median does not mind
// single holes and bursts. It is a value: a copy learns apart.
type cadence struct {
	gaps [8]float32 // seconds
	n    uint8      // how many gaps were ever seen, at most 255
	seed float32    // from before the last start; counts until three gaps are known
	part float32    // seconds of gaps too short to count, gathered until they make one that does
}

// enoughGaps is how many gaps make an interval.
const enoughGaps = 3

func (c *cadence) learn(gap time.Duration) {
	if gap <= 0 {
		return
	}
	// What comes within a second is one report: four readings sent by hand do not promise a fifth.
	c.part += float32(gap.Seconds())
	if c.part < 1 {
		return
	}
	c.gaps[c.n%8], c.part = c.part, 0
	if c.n == 255 {
		c.n = 7 + 8 // keeps the place in the ring: 255 and 15 are both 7 modulo 8
	}
	c.n++
}

// interval is zero while it is not known.
func (c *cadence) interval() time.Duration {
	n := min(int(c.n), 8)
	if n < enoughGaps {
		return time.Duration(float64(c.seed) * float64(time.Second))
	}
	s := c.gaps
	for i := 1; i < n; i++ {
		for j := i; j > 0 && s[j] < s[j-1]; j-- {
			s[j], s[j-1] = s[j-1], s[j]
		}
	}
	return time.Duration(float64(s[n/2]) * float64(time.Second))
}
