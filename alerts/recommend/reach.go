package recommend

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"kentongan/alerts/unit"
	"kentongan/geo"
)

// meterOfLat is the length of a degree of latitude, a little short of the least that it is.
const meterOfLat = 110_500.0

// Beyond gives the cells that no unit which may be sent now reaches within a time, from its last place or its post, by the distance times
// Terrain; and how many units those are. Capability, where it is named, is what they must be able to do. The work is bounded by cells times
// units of one latitude; it ends with ctx, whose error it gives.
func Beyond(ctx context.Context, cells []geo.Cell, units []unit.Unit, capability string, within time.Duration, now time.Time) (out []geo.Cell, free int, err error) {
	var at []geo.Position
	for i := range units {
		u := &units[i]
		if _, ready := u.Ready(now); !ready || capability != "" && !u.Can(capability) {
			continue
		}
		if p, _, ok := u.Position(); ok {
			at = append(at, p)
		}
	}
	slices.SortFunc(at, func(a, b geo.Position) int { return cmp.Compare(a.Lat, b.Lat) })
	far := within.Seconds() * SpeedMps / Terrain
	band := far / meterOfLat
	out = []geo.Cell{}
	for i, c := range cells {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, len(at), ctx.Err()
		}
		if !reached(c.Center(), at, far, band) {
			out = append(out, c)
		}
	}
	return out, len(at), nil
}

func reached(p geo.Position, at []geo.Position, far, band float64) bool {
	first, _ := slices.BinarySearchFunc(at, p.Lat-band, func(a geo.Position, lat float64) int { return cmp.Compare(a.Lat, lat) })
	for _, a := range at[first:] {
		if a.Lat > p.Lat+band {
			return false
		}
		if math.Abs(a.Lng-p.Lng)*math.Cos(p.Lat*math.Pi/180)*0.98 <= band && geo.Distance(a, p) <= far {
			return true
		}
	}
	return false
}
