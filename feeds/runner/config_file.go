package runner

import (
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/transports/file"
)

// validateFile gives the faults of the keys of file, also where another transport has them.
func (c FeedConfig) validateFile() []error {
	var faults []error
	fault := func(bad bool, key, format string, args ...any) {
		if bad {
			faults = append(faults, &ConfigError{key, fmt.Sprintf(format, args...)})
		}
	}
	if c.Transport != File {
		fault(c.Path != "", "path", "only a feed with transport file has one")
		fault(c.Loop, "loop", "only a feed with transport file has it")
		fault(c.Shift, "shift", "only a feed with transport file has it")
		fault(c.Watch, "watch", "only a feed with transport file has it")
		return faults
	}
	fault(c.Path == "", "path", "required with transport file")
	if c.Watch {
		fault(c.Loop, "loop", "not with watch: each file is taken once")
		fault(c.Shift, "shift", "not with watch: what is laid there happened when it says")
		fault(c.Speed != 1, "speed", "not with watch: files are taken as they come")
		return faults
	}
	fault(!(c.Speed > 0 && c.Speed <= 1e6), "speed", "%v: want more than 0, at most 1000000", c.Speed)
	fault(c.Every < 10*time.Millisecond, "every", "%v: want at least 10ms", c.Every)
	return faults
}

// file builds the transport of a feed with file.
func (r *Runner) file(in *inlet, log zerolog.Logger) feeds.Transport {
	c := in.config
	if c.Watch {
		return file.NewFolder(file.FolderConfig{
			Path: c.Path, MaxBody: r.opt.MaxBody, MaxInflated: r.opt.MaxInflated, Watch: in.health, Now: r.opt.Now, Log: log,
		})
	}
	return file.New(file.Config{
		Path: c.Path, Every: c.Every, Speed: c.Speed, Loop: c.Loop, MaxBody: r.opt.MaxBody, MaxInflated: r.opt.MaxInflated,
		Pass: in.newPass, Ended: in.ended, Now: r.opt.Now, Log: log,
	})
}
