package problem

import "net/http"

// Code is a word that stays the same for one kind of problem, whatever the sentence beside it says: clients go by it, and screens have
// words for each in every language of theirs.
type Code string

// What the status alone says, where nothing more exact is known.
const (
	BadRequest       Code = "bad-request"
	Unauthorized     Code = "unauthorized"
	Forbidden        Code = "forbidden"
	NotFound         Code = "not-found"
	MethodNotAllowed Code = "method-not-allowed"
	NotAcceptable    Code = "not-acceptable"
	TooSlow          Code = "too-slow"
	Conflict         Code = "conflict"
	TooLarge         Code = "too-large"
	UnsupportedMedia Code = "unsupported-media"
	Invalid          Code = "invalid"
	UpgradeRequired  Code = "upgrade-required"
	SlowDown         Code = "slow-down"
	Internal         Code = "internal"
	Unavailable      Code = "unavailable"
)

// Addresses, and the server as a whole.
const (
	NoAddress  Code = "no-address"
	NoScreens  Code = "no-screens"
	Starting   Code = "starting"
	Unreadable Code = "unreadable"
)

// Signing in, and who one is.
const (
	ForeignPage    Code = "foreign-page"
	AccountOnly    Code = "account-only"
	KeyNoSession   Code = "key-no-session"
	Elevate        Code = "elevate"
	Denied         Code = "denied"
	FeedKey        Code = "feed-key"
	NoDesk         Code = "no-desk"
	WeakPassword   Code = "weak-password"
	TooManyTries   Code = "too-many-tries"
	SignInsBusy    Code = "sign-ins-busy"
	FactorWrong    Code = "factor-wrong"
	FactorUsed     Code = "factor-used"
	FactorNeeded   Code = "factor-needed"
	LastFactor     Code = "last-factor"
	SetupLapsed    Code = "setup-lapsed"
	SealedNoFactor Code = "sealed-no-factor"
	PasskeyRefused Code = "passkey-refused"
	PasskeyCopied  Code = "passkey-copied"
	PasskeyAddress Code = "passkey-address"
	PasskeyPlain   Code = "passkey-plain"
	PasskeysMany   Code = "passkeys-many"
)

// Accounts, keys, devices and changes that a second person decides.
const (
	LoginTaken       Code = "login-taken"
	LastAdmin        Code = "last-admin"
	ChangeOwn        Code = "change-own"
	ChangeDecided    Code = "change-decided"
	ChangesFull      Code = "changes-full"
	ChangeNotYours   Code = "change-not-yours"
	ChangeNoRight    Code = "change-no-right"
	EntersAlready    Code = "enters-already"
	NotSealed        Code = "not-sealed"
	SealOwn          Code = "seal-own"
	SealedOrShut     Code = "sealed-or-shut"
	WitnessSelf      Code = "witness-self"
	WitnessAdmin     Code = "witness-admin"
	KeysFull         Code = "keys-full"
	KeyOver          Code = "key-over"
	NoDeviceCode     Code = "no-device-code"
	DevicesFull      Code = "devices-full"
	DevicesPending   Code = "devices-pending"
	DeviceTries      Code = "device-tries"
	NoCertificates   Code = "no-certificates"
	CertificateYoung Code = "certificate-young"
)

// Cases: incidents, alarms, reports, units and dispatches.
const (
	Changed              Code = "changed"
	NotAllowed           Code = "not-allowed"
	VersionMissing       Code = "version-missing"
	Incomplete           Code = "incomplete"
	Unproven             Code = "unproven"
	Separation           Code = "separation"
	OwnAnswer            Code = "own-answer"
	NumberMissing        Code = "number-missing"
	KeyReused            Code = "key-reused"
	Unsigned             Code = "unsigned"
	CallTaken            Code = "call-taken"
	PlanOver             Code = "plan-over"
	StatementEnded       Code = "statement-ended"
	SuggestionDecided    Code = "suggestion-decided"
	AlarmUrgent          Code = "alarm-urgent"
	ShelvesFull          Code = "shelves-full"
	NoFigures            Code = "no-figures"
	UnitTaken            Code = "unit-taken"
	IncidentUnplaced     Code = "incident-unplaced"
	NotOnWalls           Code = "not-on-walls"
	ContactsFull         Code = "contacts-full"
	RosterFaults         Code = "roster-faults"
	NoTicket             Code = "no-ticket"
	TicketNotConfirmable Code = "ticket-not-confirmable"
	TicketNotDisputable  Code = "ticket-not-disputable"
	ReachLate            Code = "reach-late"
	NoAreas              Code = "no-areas"
	EverywhereOurs       Code = "everywhere-ours"
)

// Files that belong to a case.
const (
	FileKind     Code = "file-kind"
	FileBroken   Code = "file-broken"
	FilePoints   Code = "file-points"
	FileTooLarge Code = "file-too-large"
	FileCut      Code = "file-cut"
	FileNotHere  Code = "file-not-here"
	NoFiles      Code = "no-files"
	NoRoom       Code = "no-room"
)

// Who gave a report, and how long things are kept.
const (
	NoReporter   Code = "no-reporter"
	ReporterGone Code = "reporter-gone"
	NothingKept  Code = "nothing-kept"
	KeepFixed    Code = "keep-fixed"
	KeepBounds   Code = "keep-bounds"
)

// Feeds, rules, receivers, the simulated city, cameras, the map and the audit log.
const (
	FeedFaults      Code = "feed-faults"
	RuleFaults      Code = "rule-faults"
	InFile          Code = "in-file"
	NoLonger        Code = "no-longer"
	NotHeld         Code = "not-held"
	HeldDecided     Code = "held-decided"
	HeldStays       Code = "held-stays"
	NoContract      Code = "no-contract"
	BackTestBusy    Code = "back-test-busy"
	ReceiversFull   Code = "receivers-full"
	NoCity          Code = "no-city"
	ScenarioRunning Code = "scenario-running"
	NoPicture       Code = "no-picture"
	CameraBusy      Code = "camera-busy"
	BaseMapAway     Code = "base-map-away"
	NotChecked      Code = "not-checked"
	Unsealed        Code = "unsealed"
	AuditUnreadable Code = "audit-unreadable"
	NoAuthority     Code = "no-authority"
)

// Kind is what all problems of one code have in common.
type Kind struct {
	Code   Code
	Status int    // of HTTP, RFC 9110
	Title  string // RFC 9457, section 3.1.3: the same at every occurrence
}

// Kinds are all codes that this server answers with, by their status where that is all they say, then by subject.
var Kinds = []Kind{
	{BadRequest, http.StatusBadRequest, "the request cannot be read"},
	{Unauthorized, http.StatusUnauthorized, "who are you?"},
	{Forbidden, http.StatusForbidden, "you may not do that"},
	{NotFound, http.StatusNotFound, "there is nothing of that name"},
	{MethodNotAllowed, http.StatusMethodNotAllowed, "the method is not known here"},
	{NotAcceptable, http.StatusNotAcceptable, "not to be had in that form"},
	{TooSlow, http.StatusRequestTimeout, "the request came too slowly"},
	{Conflict, http.StatusConflict, "it does not stand so"},
	{TooLarge, http.StatusRequestEntityTooLarge, "the body is too large"},
	{UnsupportedMedia, http.StatusUnsupportedMediaType, "the body is of a kind that is not taken"},
	{Invalid, http.StatusUnprocessableEntity, "what was sent is not as it must be"},
	{UpgradeRequired, http.StatusUpgradeRequired, "this address speaks WebSocket"},
	{SlowDown, http.StatusTooManyRequests, "too many requests"},
	{Internal, http.StatusInternalServerError, "this is our fault"},
	{Unavailable, http.StatusServiceUnavailable, "the store does not answer"},

	{NoAddress, http.StatusNotFound, "there is nothing at this address"},
	{NoScreens, http.StatusServiceUnavailable, "the screens are not built into this binary"},
	{Starting, http.StatusServiceUnavailable, "starting"},
	{Unreadable, http.StatusInternalServerError, "a record cannot be read"},

	{ForeignPage, http.StatusForbidden, "written from a foreign page"},
	{AccountOnly, http.StatusForbidden, "only people with an account have that"},
	{KeyNoSession, http.StatusForbidden, "a key opens no session"},
	{Elevate, http.StatusForbidden, "show again who you are"},
	{Denied, http.StatusForbidden, "you may not do that"},
	{FeedKey, http.StatusForbidden, "a key of this feed is needed"},
	{NoDesk, http.StatusUnprocessableEntity, "there is no such desk"},
	{WeakPassword, http.StatusUnprocessableEntity, "the password is too weak"},
	{TooManyTries, http.StatusTooManyRequests, "too many failed tries"},
	{SignInsBusy, http.StatusServiceUnavailable, "too many people sign in at this moment"},
	{FactorWrong, http.StatusUnauthorized, "the second factor is not valid"},
	{FactorUsed, http.StatusUnauthorized, "the code was used already"},
	{FactorNeeded, http.StatusConflict, "show your second factor"},
	{LastFactor, http.StatusConflict, "the last second factor stays"},
	{SetupLapsed, http.StatusConflict, "nothing is being set up, or it took too long"},
	{SealedNoFactor, http.StatusConflict, "a sealed account has no second factor"},
	{PasskeyRefused, http.StatusUnauthorized, "the passkey is not accepted"},
	{PasskeyCopied, http.StatusUnauthorized, "there may be a copy of the passkey"},
	{PasskeyAddress, http.StatusConflict, "no passkeys at this address"},
	{PasskeyPlain, http.StatusConflict, "no passkeys without https"},
	{PasskeysMany, http.StatusConflict, "there are as many passkeys as fit"},

	{LoginTaken, http.StatusConflict, "the login is taken"},
	{LastAdmin, http.StatusConflict, "this is the last administrator who can sign in"},
	{ChangeOwn, http.StatusForbidden, "somebody else approves it"},
	{ChangeDecided, http.StatusConflict, "the change was decided already, or has expired"},
	{ChangesFull, http.StatusConflict, "too many changes wait"},
	{ChangeNotYours, http.StatusForbidden, "only whoever proposed a change may withdraw it"},
	{ChangeNoRight, http.StatusForbidden, "you may not approve changes any more"},
	{EntersAlready, http.StatusConflict, "the account is past its invitation"},
	{NotSealed, http.StatusConflict, "only a break-glass account has a sealed code"},
	{SealOwn, http.StatusForbidden, "whoever has opened the envelope does not seal it"},
	{SealedOrShut, http.StatusConflict, "the account is sealed or shut"},
	{WitnessSelf, http.StatusForbidden, "nobody is their own witness"},
	{WitnessAdmin, http.StatusForbidden, "an administrator must be the witness"},
	{KeysFull, http.StatusConflict, "there are as many keys as fit"},
	{KeyOver, http.StatusConflict, "the key cannot be rotated"},
	{NoDeviceCode, http.StatusNotFound, "no device shows this code now"},
	{DevicesFull, http.StatusConflict, "there are as many devices as fit"},
	{DevicesPending, http.StatusTooManyRequests, "too many devices ask to be let in"},
	{DeviceTries, http.StatusTooManyRequests, "too many wrong codes"},
	{NoCertificates, http.StatusConflict, "this house gives no certificates"},
	{CertificateYoung, http.StatusConflict, "the certificate is young"},

	{Changed, http.StatusConflict, "it has changed since it was read"},
	{NotAllowed, http.StatusConflict, "it does not allow that now"},
	{VersionMissing, http.StatusUnprocessableEntity, "the version that was seen is missing"},
	{Incomplete, http.StatusUnprocessableEntity, "the act is not complete"},
	{Unproven, http.StatusConflict, "too little shows that it is over"},
	{Separation, http.StatusForbidden, "whoever resolved an incident does not also close it"},
	{OwnAnswer, http.StatusForbidden, "whoever hands the lead over does not also accept it"},
	{NumberMissing, http.StatusUnprocessableEntity, "a neighbour takes a case over with its own number"},
	{KeyReused, http.StatusUnprocessableEntity, "the Idempotency-Key was used for something else"},
	{Unsigned, http.StatusUnauthorized, "the message is not signed as it must be"},
	{CallTaken, http.StatusConflict, "somebody else has taken the call"},
	{PlanOver, http.StatusConflict, "the plan is over"},
	{StatementEnded, http.StatusConflict, "the statement is no longer in force"},
	{SuggestionDecided, http.StatusConflict, "the suggestion was decided, or what it rests on has gone"},
	{AlarmUrgent, http.StatusForbidden, "a P1 alarm is shelved by supervisors only"},
	{ShelvesFull, http.StatusConflict, "this desk has shelved as many alarms as it may"},
	{NoFigures, http.StatusServiceUnavailable, "no figures have been taken yet"},
	{UnitTaken, http.StatusConflict, "the unit cannot be sent"},
	{IncidentUnplaced, http.StatusConflict, "the incident has no place"},
	{NotOnWalls, http.StatusUnprocessableEntity, "no wall may show this"},
	{ContactsFull, http.StatusUnprocessableEntity, "there are as many contacts as fit"},
	{RosterFaults, http.StatusUnprocessableEntity, "the roster is at fault, and nothing of it was taken"},
	{NoTicket, http.StatusNotFound, "there is no such ticket"},
	{TicketNotConfirmable, http.StatusConflict, "there is nothing to confirm now"},
	{TicketNotDisputable, http.StatusConflict, "there is nothing to dispute now"},
	{ReachLate, http.StatusServiceUnavailable, "it takes too long: ask more coarsely"},
	{NoAreas, http.StatusUnprocessableEntity, "the profile lists no areas"},
	{EverywhereOurs, http.StatusNotFound, "everywhere is ours"},

	{FileKind, http.StatusUnsupportedMediaType, "the file is of another kind"},
	{FileBroken, http.StatusUnprocessableEntity, "the picture cannot be read"},
	{FilePoints, http.StatusUnprocessableEntity, "the picture has too many points"},
	{FileTooLarge, http.StatusRequestEntityTooLarge, "the file is too large"},
	{FileCut, http.StatusBadRequest, "the file did not come whole"},
	{FileNotHere, http.StatusNotFound, "the bytes of this attachment are not on this server"},
	{NoFiles, http.StatusServiceUnavailable, "files are not kept here"},
	{NoRoom, http.StatusInsufficientStorage, "there is no room for more files"},

	{NoReporter, http.StatusNotFound, "nobody is known to have given this report"},
	{ReporterGone, http.StatusGone, "who gave this report is no longer kept"},
	{NothingKept, http.StatusNotFound, "nothing is kept of whom this names"},
	{KeepFixed, http.StatusConflict, "how long this class is kept is not set here"},
	{KeepBounds, http.StatusUnprocessableEntity, "it may not be kept for that long, or for so short a time"},

	{FeedFaults, http.StatusUnprocessableEntity, "the settings have faults"},
	{RuleFaults, http.StatusUnprocessableEntity, "the rule has faults; what was in force stays"},
	{InFile, http.StatusConflict, "it stands in the configuration file, and is changed there"},
	{NoLonger, http.StatusConflict, "it is no longer there"},
	{NotHeld, http.StatusNotFound, "nothing is held under this id"},
	{HeldDecided, http.StatusConflict, "it cannot be decided any more"},
	{HeldStays, http.StatusConflict, "what is held stays held"},
	{NoContract, http.StatusConflict, "the feed has no contract"},
	{BackTestBusy, http.StatusTooManyRequests, "a back-test is under way"},
	{ReceiversFull, http.StatusConflict, "there are as many receivers as fit"},
	{NoCity, http.StatusNotFound, "there is no simulated city here"},
	{ScenarioRunning, http.StatusConflict, "this scenario is running already"},
	{NoPicture, http.StatusServiceUnavailable, "the camera gives no picture"},
	{CameraBusy, http.StatusServiceUnavailable, "too many look through this camera"},
	{BaseMapAway, http.StatusServiceUnavailable, "the base map's source does not answer"},
	{NotChecked, http.StatusNotFound, "this server has not checked yet"},
	{Unsealed, http.StatusConflict, "no checkpoint covers the record yet"},
	{AuditUnreadable, http.StatusServiceUnavailable, "the audit log cannot be read now"},
	{NoAuthority, http.StatusNotFound, "there is no authority to trust"},
}

var kinds = func() map[Code]Kind {
	m := make(map[Code]Kind, len(Kinds))
	for _, k := range Kinds {
		m[k.Code] = k
	}
	return m
}()

// Codes are the codes of Kinds, in that order.
func Codes() []Code {
	list := make([]Code, len(Kinds))
	for i, k := range Kinds {
		list[i] = k.Code
	}
	return list
}

// OfStatus gives the code that says no more than a status does. A status that is not among ours is that of its class: 400 or 500.
func OfStatus(status int) Code {
	for _, k := range Kinds[:byStatus] {
		if k.Status == status {
			return k.Code
		}
	}
	if status >= http.StatusInternalServerError {
		return Internal
	}
	return BadRequest
}

// byStatus is how many of Kinds say no more than their status.
const byStatus = 15
