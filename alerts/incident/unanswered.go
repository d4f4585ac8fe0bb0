package incident

// nobodyLeft is the note with which an incident is acknowledged again because every dispatch of it has failed.
const nobodyLeft = "no unit is left"

// Unanswered tells an incident to which nobody goes: every dispatch of it was declined, has expired or was cancelled, and nothing has been
// done about it since.
func (in *Incident) Unanswered() bool {
	if in.Status != Acknowledged || len(in.Dispatches) == 0 {
		return false
	}
	for i := len(in.Timeline) - 1; i >= 0; i-- {
		switch e := &in.Timeline[i]; Status(e.Act) {
		case Acknowledged:
			return e.Note == nobodyLeft
		case New, Dispatched, OnScene, Resolved, Closed, Cancelled, Reopened:
			return false
		}
	}
	return false
}
