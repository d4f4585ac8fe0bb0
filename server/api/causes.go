package api

import (
	"errors"

	"kentongan/alerts/alarm"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/plan"
	"kentongan/alerts/report"
	"kentongan/alerts/statement"
	"kentongan/alerts/status"
	"kentongan/alerts/store"
	"kentongan/alerts/unit"
	"kentongan/feeds/runner"
	"kentongan/geo/fault"
	"kentongan/server/auditlog"
	"kentongan/server/auth"
	"kentongan/server/blob"
	"kentongan/server/devices"
	"kentongan/server/people"
	"kentongan/server/privacy"
	"kentongan/server/problem"
	"kentongan/server/walls"
)

// causes are the errors of the rooms below whose meaning is theirs, wherever they come up. The first that is in an error's chain counts.
var causes = []struct {
	err  error
	code problem.Code
}{
	{incident.ErrStale, problem.Changed}, {dispatch.ErrStale, problem.Changed}, {unit.ErrStale, problem.Changed}, {alarm.ErrStale, problem.Changed}, {people.ErrStale, problem.Changed},
	{incident.ErrUnproven, problem.Unproven}, {incident.ErrSeparation, problem.Separation}, {incident.ErrOwnAnswer, problem.OwnAnswer},
	{incident.ErrNotAllowed, problem.NotAllowed}, {incident.ErrNotMerged, problem.NotAllowed}, {dispatch.ErrNotAllowed, problem.NotAllowed},
	{unit.ErrNotAllowed, problem.NotAllowed}, {alarm.ErrNotAllowed, problem.NotAllowed}, {status.ErrNotAllowed, problem.NotAllowed}, {report.ErrJudged, problem.NotAllowed},
	{incident.ErrInvalid, problem.Incomplete}, {dispatch.ErrInvalid, problem.Incomplete}, {unit.ErrInvalid, problem.Incomplete}, {report.ErrInvalid, problem.Incomplete},
	{report.ErrCall, problem.CallTaken}, {plan.ErrOver, problem.PlanOver}, {statement.ErrEnded, problem.StatementEnded}, {fusion.ErrDecided, problem.SuggestionDecided},
	{alarm.ErrUrgent, problem.AlarmUrgent}, {alarm.ErrShelves, problem.ShelvesFull},
	{store.ErrKeyReused, problem.KeyReused}, {incident.ErrKeyTaken, problem.KeyReused}, {store.ErrQuery, problem.Invalid},
	{store.ErrNotFound, problem.NotFound}, {store.ErrNoReport, problem.NotFound}, {store.ErrNoAlarm, problem.NotFound}, {store.ErrNoUnit, problem.NotFound},
	{store.ErrNoDispatch, problem.NotFound}, {store.ErrNoContact, problem.NotFound}, {store.ErrNoStatement, problem.NotFound}, {store.ErrNoStatus, problem.NotFound},
	{store.ErrNoPlan, problem.NotFound}, {store.ErrNoSuggestion, problem.NotFound}, {store.ErrNoWebhook, problem.NotFound}, {store.ErrNoDelivery, problem.NotFound},
	{store.ErrNoSubscription, problem.NotFound}, {store.ErrNoRecord, problem.NotFound}, {store.ErrNoTicket, problem.NoTicket},
	{store.ErrManyContacts, problem.ContactsFull}, {store.ErrReceivers, problem.ReceiversFull}, {store.ErrUndelivered, problem.Conflict},
	{auditlog.ErrUnsealed, problem.Unsealed},

	{people.ErrNoPerson, problem.NotFound}, {people.ErrNoChange, problem.NotFound}, {auth.ErrNoSession, problem.NotFound},
	{people.ErrTaken, problem.LoginTaken}, {people.ErrLastAdmin, problem.LastAdmin},
	{people.ErrSame, problem.ChangeOwn}, {people.ErrDecided, problem.ChangeDecided}, {people.ErrChanges, problem.ChangesFull}, {people.ErrNotYours, problem.ChangeNotYours}, {people.ErrNoMore, problem.ChangeNoRight},
	{people.ErrUsed, problem.FactorUsed}, {people.ErrClone, problem.PasskeyCopied}, {people.ErrPasskey, problem.PasskeyRefused}, {people.ErrCode, problem.FactorWrong}, {people.ErrChallenge, problem.FactorWrong},
	{people.ErrNoFactor, problem.NotFound}, {people.ErrLast, problem.LastFactor}, {people.ErrMany, problem.PasskeysMany}, {people.ErrSetup, problem.SetupLapsed},
	{people.ErrAddress, problem.PasskeyAddress}, {people.ErrPlain, problem.PasskeyPlain},
	{auth.ErrNoKey, problem.NotFound}, {auth.ErrKeys, problem.KeysFull}, {auth.ErrKeyOver, problem.KeyOver},
	{devices.ErrNoDevice, problem.NotFound}, {devices.ErrNoCode, problem.NoDeviceCode}, {devices.ErrFull, problem.DevicesFull}, {devices.ErrNoCA, problem.NoCertificates}, {devices.ErrEarly, problem.CertificateYoung},
	{walls.ErrNoWall, problem.NotFound},

	{blob.ErrKind, problem.FileKind}, {blob.ErrBroken, problem.FileBroken}, {blob.ErrPoints, problem.FilePoints},
	{privacy.ErrNoReporter, problem.NoReporter}, {privacy.ErrGone, problem.ReporterGone}, {privacy.ErrNothing, problem.NothingKept},
	{privacy.ErrNoClass, problem.NotFound}, {privacy.ErrFixed, problem.KeepFixed}, {privacy.ErrBounds, problem.KeepBounds},
	{ErrNoFeed, problem.NotFound}, {runner.ErrUnknownFeed, problem.NotFound}, {ErrNotHeld, problem.NotHeld}, {ErrDecided, problem.HeldDecided},
	{runner.ErrNoContract, problem.NoContract}, {ErrNoRule, problem.NotFound}, {ErrNoRun, problem.NotFound},
}

// caused gives the answer for an error by what is its cause; nil: none that means the same everywhere.
func caused(err error) *problem.Document {
	var at *fault.Fault
	var places []*problem.Place
	if errors.As(err, &at) {
		places = []*problem.Place{placeOf(at)}
	}
	for _, c := range causes {
		if errors.Is(err, c.err) {
			return problem.New(c.code, err.Error(), places...)
		}
	}
	if at != nil {
		return problem.New(problem.Invalid, err.Error(), places...)
	}
	return nil
}

// standing is the head of a 409 that brings what stands: because it has changed, or because as it is it does not allow what was asked.
func standing(cause error) problem.Head {
	if c := caused(cause); c != nil && c.Status == problem.Of(problem.Conflict, "").Status {
		return c.Head
	}
	return problem.Of(problem.Changed, cause.Error())
}

// unitStanding is standing for a unit: one that another incident has is the usual case, and the one that a dispatcher acts on.
func unitStanding(c *store.UnitConflict) problem.Head {
	if c.By != nil {
		return problem.Of(problem.UnitTaken, c.Error())
	}
	return standing(c)
}

// personal is the 422 of what somebody gives of an account.
func personal(f *people.Fault) *problem.Document {
	place := placeOf(f)
	if f.Code == "" {
		place.Code = problem.Wrong
	}
	if f.Code == "" || f.Field != "password" && f.Field != "new" {
		return problem.New(problem.Invalid, f.Error(), place)
	}
	return problem.New(problem.WeakPassword, f.Error(), place)
}

// elevate is the 403 of an act that wants to be shown again who asks for it; screens then ask for it and go on.
func elevate() *problem.Document {
	doc := problem.New(problem.Elevate, "by your second factor, or your password where you have none; it counts for 15 minutes")
	doc.Type = "urn:kentongan:elevate"
	return doc
}
