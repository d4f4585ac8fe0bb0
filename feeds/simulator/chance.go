package simulator

import "math"

// Chance here is a hash of what is asked about, never a sequence: the same question has the same answer at any time and in any order.

// hash mixes numbers into one (splitmix64, Steele et al. 2014).
func hash(parts ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, p := range parts {
		h ^= p
		h += 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// word turns a name into a number (FNV-1a).
func word(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// unit is even in [0, 1).
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// within is even in [low, high).
func within(h uint64, low, high float64) float64 { return low + (high-low)*unit(h) }

// bell is near to normal, mean 0, deviation 1, within +-3.5.
func bell(h uint64) float64 {
	sum := 0.0
	for i := range uint64(4) {
		sum += unit(hash(h, i))
	}
	return (sum - 2) * math.Sqrt(3)
}

// wander is a smooth value in about [-1, 1] that changes its mind every step milliseconds.
func wander(seed uint64, ms, step int64) float64 {
	k := floorDiv(ms, step)
	x := float64(ms-k*step) / float64(step)
	x = x * x * (3 - 2*x)
	a, b := unit(hash(seed, uint64(k)))*2-1, unit(hash(seed, uint64(k+1)))*2-1
	return a + (b-a)*x
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
