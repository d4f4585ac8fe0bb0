package hub

import "kentongan/server/wire"

// WallsChanged tells what walls are set to, to the clients that asked for them and may see Things, which is what a wall shows. A client that
// asked for every wall gets each.
func (h *Hub) WallsChanged(list []wire.Wall) {
	h.call(func() {
		type share struct {
			wall, form int
			guests     bool
		}
		frames := map[share][]byte{}
		for c := range h.clients {
			if c.wall == "" || !c.audience.things {
				continue
			}
			for i, w := range list {
				if c.wall != "*" && c.wall != w.ID {
					continue
				}
				key := share{i, c.form.id(), c.audience.guests || h.d.Guests != nil && !c.audience.walls && h.d.Guests(w)}
				if frames[key] == nil {
					if key.guests {
						w = w.BeforeGuests()
					}
					b, err := c.form.control(sheet(1024), wire.WallMessage{Type: wire.TypeWall, Wall: w})
					if err != nil {
						h.log.Error().Err(err).Msg("a wall's settings cannot be written")
						continue
					}
					frames[key] = framed(b, c.form.opcode())
				}
				h.push(c, asIs, frames[key])
			}
		}
	})
}
