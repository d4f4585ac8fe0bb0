package api

import (
	"context"
	"net/http"
	"time"

	"kentongan/server/access"
	"kentongan/server/auth"
)

// deskSeen is how long after a session was seen last its desk counts as staffed: what is seen is written to the minute, of live sockets too.
const deskSeen = 2 * time.Minute

func (s *server) desks() {
	operation(s, needs(access.StaffDesk), "GET", "/api/v1/desks", "desks", "The desks, and who sits at each", http.StatusOK, s.listDesks)
}

// deskOut is one desk.
type deskOut struct {
	Slug  string       `json:"slug"`
	Staff []auth.Staff `json:"staff" doc:"Whose screens stand there and were seen within two minutes"`
}

func (s *server) listDesks(ctx context.Context, _ *struct{}) (*body[List[deskOut]], error) {
	staff, err := s.Auth.Staffed(ctx, s.Now().Add(-deskSeen))
	if err != nil {
		return nil, s.personFault(err)
	}
	out := []deskOut{}
	for _, slug := range s.Profile.Desks {
		one := deskOut{Slug: slug, Staff: []auth.Staff{}}
		for _, at := range staff {
			if at.Desk == slug {
				one.Staff = append(one.Staff, at)
			}
		}
		out = append(out, one)
	}
	return listOf(out, ""), nil
}
