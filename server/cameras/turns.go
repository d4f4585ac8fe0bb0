package cameras

import "context"

// Bounds of what the server asks of cameras for pictures at a time. Waiting costs little, so many may wait at once; drawing up a picture costs a
// processor and its memory. Cameras that let their last question run out stand in a lane of their own, so that they never hold up those that answer.
const (
	mostAsked  = 64 // questions under way, of all cameras
	mostSlow   = 16 // of these, to cameras that did not answer in time when they were last asked
	mostOfHost = 4  // questions under way to one host
	mostMade   = 4  // pictures that are drawn up and made anew
)

// lane holds as many as it has room for.
type lane chan struct{}

// turns are the lanes of a set.
type turns struct {
	asked, slow, made lane
	hosts             map[string]lane // by host, as host tells them; complete once the set is made
}

func newTurns() *turns {
	return &turns{asked: make(lane, mostAsked), slow: make(lane, mostSlow), made: make(lane, mostMade), hosts: map[string]lane{}}
}

// of gives the lane of a host.
func (t *turns) of(host string) lane {
	if t.hosts[host] == nil {
		t.hosts[host] = make(lane, mostOfHost)
	}
	return t.hosts[host]
}

// take stands in every lane, in the order given, which is the same for all: none waits for another in a ring. False: ctx ended first, and nothing
// is held. The answer leaves them again.
func take(ctx context.Context, lanes ...lane) (leave func(), ok bool) {
	held := 0
	leave = func() {
		for _, l := range lanes[:held] {
			<-l
		}
	}
	for _, l := range lanes {
		select {
		case l <- struct{}{}:
			held++
		case <-ctx.Done():
			leave()
			return func() {}, false
		}
	}
	return leave, true
}
