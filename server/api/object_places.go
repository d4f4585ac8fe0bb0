package api

// places is where units are, by their own word and by their trackers in the picture.
func (s *server) places() *UnitPlaces {
	return NewUnitPlaces(s.Picture, func(feed string) string { return view{s: s}.agencyOf(feed) })
}
