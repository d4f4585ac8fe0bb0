package runner

import (
	"kentongan/feeds"
	"kentongan/feeds/simulator"
	"kentongan/feeds/transports/push"
)

// transport builds the way in which bytes arrive at an inlet.
func (r *Runner) transport(in *inlet) feeds.Transport {
	log := r.opt.Log.With().Str("component", "feeds").Str("feed", in.config.Name).Logger()
	switch in.config.Transport {
	case Poll:
		return r.poll(in, log)
	case File:
		return r.file(in, log)
	case TCP, UDP:
		return r.stream(in, log)
	case WS:
		return r.ws(in, log)
	case MQTT:
		return r.mqtt(in, log)
	case Simulator:
		city := r.opt.City
		city.Things, city.Now = in.config.CityThings(), r.opt.Now
		return simulator.NewTransport(city)
	}
	return push.Transport{}
}
