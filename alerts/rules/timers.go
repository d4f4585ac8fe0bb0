package rules

import "strings"

// timer is a time of our clock at which something may turn by itself.
type timer struct {
	due  int64 // ms
	pair *pair
	pile *pile
}

func (t *timer) name() (order int, key string) {
	if t.pair != nil {
		return t.pair.rule.order, t.pair.key
	}
	return t.pile.rule.order, t.pile.key
}

// before orders timers by time and, at one time, by what they are about: so that equal input gives equal output, to the order.
func (t *timer) before(o *timer) bool {
	if t.due != o.due {
		return t.due < o.due
	}
	a, ak := t.name()
	b, bk := o.name()
	if a != b {
		return a < b
	}
	return strings.Compare(ak, bk) < 0
}

// timers is a heap, the earliest first.
type timers []timer

func (h *timers) push(t timer) {
	*h = append(*h, t)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if !s[i].before(&s[up]) {
			return
		}
		s[i], s[up] = s[up], s[i]
		i = up
	}
}

func (h *timers) pop() timer {
	s := *h
	top, n := s[0], len(s)-1
	s[0] = s[n]
	s[n] = timer{}
	s = s[:n]
	*h = s
	for i := 0; ; {
		least := i
		for _, c := range [2]int{2*i + 1, 2*i + 2} {
			if c < n && s[c].before(&s[least]) {
				least = c
			}
		}
		if least == i {
			return top
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
}
