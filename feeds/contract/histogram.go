package contract

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
)

// Histogram is the robust range of a property: counts of values in buckets a sixteenth of an octave wide, so that a quantile is right to 3 %.
// It keeps at most mostBuckets and halves its counts when they grow old, so that the range follows the seasons. The zero value is empty.
type Histogram struct {
	buckets map[uint16]float64 // by the top 13 bits of the float32: sign, exponent, four bits of mantissa
	total   float64
	zeros   float64
	sorted  []uint16 // of buckets, by value; nil: not sorted since the last new one
}

const (
	mostBuckets = 512
	oldTotal    = 50_000
	bucketShift = 19
)

func (h *Histogram) add(v float32) {
	h.total++
	if v == 0 {
		h.zeros++
		return
	}
	key := uint16(math.Float32bits(v) >> bucketShift)
	if h.buckets == nil {
		h.buckets = map[uint16]float64{}
	}
	n, known := h.buckets[key]
	if !known && len(h.buckets) >= mostBuckets {
		return
	}
	h.buckets[key] = n + 1
	if !known {
		h.sorted = nil
	}
	if h.total > oldTotal {
		h.halve()
	}
}

func (h *Histogram) halve() {
	h.total, h.zeros, h.sorted = h.total/2, h.zeros/2, nil
	for k, n := range h.buckets {
		if h.buckets[k] = n / 2; n < 1 {
			delete(h.buckets, k)
		}
	}
}

// middle of a bucket.
func middle(key uint16) float64 {
	return float64(math.Float32frombits(uint32(key)<<bucketShift | 1<<(bucketShift-1)))
}

// quantile of all values, zero where there are none.
func (h *Histogram) quantile(q float64) float64 {
	if h.sorted == nil {
		for k := range h.buckets {
			h.sorted = append(h.sorted, k)
		}
		slices.SortFunc(h.sorted, func(a, b uint16) int {
			if middle(a) < middle(b) {
				return -1
			}
			return 1
		})
	}
	want, passed := q*h.total, 0.0
	for _, k := range h.sorted {
		if middle(k) > 0 && passed+h.zeros >= want && passed < want {
			return 0
		}
		seen := passed
		if middle(k) > 0 {
			seen += h.zeros
		}
		if seen+h.buckets[k] >= want {
			return middle(k)
		}
		passed += h.buckets[k]
	}
	if n := len(h.sorted); n > 0 && middle(h.sorted[n-1]) > 0 {
		return middle(h.sorted[n-1])
	}
	return 0
}

// magnitudes gives quantiles of the absolute values that are not zero.
func (h *Histogram) magnitudes(at [4]float64) (out [4]float64) {
	type part struct {
		v float64
		n float64
	}
	var parts []part
	for k, n := range h.buckets {
		parts = append(parts, part{math.Abs(middle(k)), n})
	}
	slices.SortFunc(parts, func(a, b part) int {
		if a.v < b.v {
			return -1
		}
		return 1
	})
	sum, i := 0.0, 0
	for _, p := range parts {
		for sum += p.n; i < 4 && sum >= at[i]*(h.total-h.zeros); i++ {
			out[i] = p.v
		}
	}
	return out
}

// MarshalJSON writes buckets by the middle of each.
func (h Histogram) MarshalJSON() ([]byte, error) {
	b := map[string]float64{}
	for k, n := range h.buckets {
		b[strconv.Itoa(int(k))] = math.Round(n*100) / 100
	}
	return json.Marshal(struct {
		Total   float64            `json:"total"`
		Zeros   float64            `json:"zeros"`
		Buckets map[string]float64 `json:"buckets"`
	}{h.total, h.zeros, b})
}

// UnmarshalJSON reads what MarshalJSON wrote; buckets that are none are passed over.
func (h *Histogram) UnmarshalJSON(text []byte) error {
	var doc struct {
		Total   float64            `json:"total"`
		Zeros   float64            `json:"zeros"`
		Buckets map[string]float64 `json:"buckets"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	*h = Histogram{total: doc.Total, zeros: doc.Zeros, buckets: map[uint16]float64{}}
	for k, n := range doc.Buckets {
		if key, err := strconv.ParseUint(k, 10, 13); err == nil && len(h.buckets) < mostBuckets {
			h.buckets[uint16(key)] = n
		}
	}
	return nil
}
