package runner

import (
	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/simulator"
	"kentongan/feeds/transports/file"
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
	case Simulator:
		city := r.opt.City
		city.Things, city.Now = in.config.CityThings(), r.opt.Now
		return simulator.NewTransport(city)
	}
	return push.Transport{}
}

func (r *Runner) file(in *inlet, log zerolog.Logger) feeds.Transport {
	c := in.config
	return file.New(file.Config{
		Path: c.Path, Every: c.Every, Speed: c.Speed, Loop: c.Loop, MaxBody: r.opt.MaxBody, MaxInflated: r.opt.MaxInflated,
		Pass: in.newPass, Ended: in.ended, Now: r.opt.Now, Log: log,
	})
}
