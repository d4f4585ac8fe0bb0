package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/feeds"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/authority"
	"kentongan/server/devices"
	"kentongan/server/problem"
)

func (s *server) devices() {
	if s.Devices == nil {
		return
	}
	const root = "/api/v1/devices"
	operation(s, needs(access.WriteDevices), "GET", root, "devices", "Walls, field devices and gateways, the newest first", http.StatusOK, s.listDevices)
	operation(s, needs(access.WriteDevices), "POST", root, "invite-device", "Make a token that lets a device in once; it is told this once", http.StatusCreated, s.inviteDevice)
	operation(s, needs(access.WriteDevices), "POST", root+"/approve", "approve-device", "Let the device in that shows a code", http.StatusOK, s.approveDevice)
	operation(s, needs(access.WriteDevices), "DELETE", root+"/{id}", "remove-device", "Take a device back for good; every server refuses it within a second", http.StatusNoContent, s.removeDevice)

	const enrol = "/api/v1/session/device"
	s.table.handle("POST "+enrol, anyone(), s.enrolDevice)
	s.table.handle("POST "+enrol+"/poll", anyone(), s.pollDevice)
	s.describe("POST", enrol, "enrol-device", "Ask to be let in by a code that an administrator types; or come in by a token at once; or renew a gateway's certificate", typeOf[enrolBody](), typeOf[devices.Asked]())
	s.describe("POST", enrol+"/poll", "poll-device", "Fetch what lets the device in, once; 202: nobody has approved it yet", typeOf[pollBody](), typeOf[deviceOut]())
}

// deviceList is the devices that are known, and those that ask.
type deviceList struct {
	List[devices.Device]
	Pending []devices.Waiting `json:"pending" doc:"Devices that show a code now: compare kind and address before you type it"`
}

func (s *server) listDevices(ctx context.Context, _ *struct{}) (*body[deviceList], error) {
	known, err := s.devicesOf(ctx, "")
	if err != nil {
		return nil, err
	}
	asking, err := s.Devices.Waiting(ctx)
	if err != nil {
		return nil, s.deviceFault(err)
	}
	return &body[deviceList]{deviceList{known.Body, asking}}, nil
}

func (s *server) devicesOf(ctx context.Context, kind devices.Kind) (*body[List[devices.Device]], error) {
	list, err := s.Devices.List(ctx, kind)
	if err != nil {
		return nil, s.deviceFault(err)
	}
	return listOf(list, ""), nil
}

type inviteIn struct {
	Body struct {
		Kind devices.Kind `json:"kind" enum:"wall,field,broker"`
		devices.Grant
	}
}

// inviteOut is a device that is expected, with the token that lets it in.
type inviteOut struct {
	devices.Device
	Token string `json:"token" doc:"POST it to /api/v1/session/device, within a day"`
}

func (s *server) inviteDevice(ctx context.Context, in *inviteIn) (*body[inviteOut], error) {
	d, token, err := s.Devices.Invite(ctx, in.Body.Kind, in.Body.Grant, act(ctx))
	if err != nil {
		return nil, s.deviceFault(err)
	}
	return &body[inviteOut]{inviteOut{d, token}}, nil
}

type approveIn struct {
	Body struct {
		Code string `json:"code" minLength:"8" maxLength:"20" doc:"As the device shows it: KBTQ-93RF"`
		devices.Grant
	}
}

func (s *server) approveDevice(ctx context.Context, in *approveIn) (*body[devices.Device], error) {
	d, err := s.Devices.Approve(ctx, in.Body.Code, in.Body.Grant, act(ctx))
	if err != nil {
		return nil, s.deviceFault(err)
	}
	return &body[devices.Device]{d}, nil
}

func (s *server) removeDevice(ctx context.Context, in *keyID) (*struct{}, error) {
	if _, err := s.Devices.Remove(ctx, in.ID, act(ctx)); err != nil {
		return nil, s.deviceFault(err)
	}
	if s.SignedOut != nil {
		s.SignedOut(auth.DeviceSession(in.ID))
	}
	if s.Walls != nil {
		if err := s.Walls.Forget(ctx, in.ID, actor(ctx)); err != nil {
			return nil, s.wallFault(err)
		}
	}
	return nil, nil
}

func (s *server) deviceFault(err error) error {
	switch {
	case errors.Is(err, devices.ErrTries):
		return huma.ErrorWithHeaders(problem.New(problem.DeviceTries, err.Error()), http.Header{"Retry-After": {"600"}})
	case errors.Is(err, auth.ErrUnavailable):
		return s.fault(fmt.Errorf("%w: %w", feeds.ErrBusy, err))
	}
	return s.fault(err)
}

// enrolBody is one of three: a kind, to be let in by code; a token; or a certificate, to be renewed.
type enrolBody struct {
	Kind        devices.Kind `json:"kind,omitempty" enum:"wall,field,broker" doc:"To be let in by code"`
	Name        string       `json:"name,omitempty" doc:"What the device calls itself"`
	Token       string       `json:"token,omitempty" doc:"To be let in at once"`
	Certificate string       `json:"certificate,omitempty" doc:"PEM; a gateway's that still holds, for the next one of the same key"`
	CSR         string       `json:"csr,omitempty" doc:"PEM; a gateway's certificate request"`
}

type pollBody struct {
	Poll string `json:"poll"`
}

// deviceOut is what a device hears once it is let in. What a browser carries from then on is in its cookie.
type deviceOut struct {
	ID          string       `json:"id"`
	Kind        devices.Kind `json:"kind"`
	Name        string       `json:"name"`
	Screen      string       `json:"screen,omitempty"`
	Certificate string       `json:"certificate,omitempty" doc:"PEM"`
	Authority   string       `json:"authority,omitempty" doc:"PEM; the root of this house"`
	ExpiresAt   moment.Time  `json:"expires_at"`
}

func (s *server) enrolDevice(w http.ResponseWriter, r *http.Request) {
	if !s.begins(w, r) {
		return
	}
	var in enrolBody
	if err := readStrict(r.Body, &in); err != nil {
		s.denied(w, err)
		return
	}
	who := auth.Act{From: s.Auth.ClientIP(r), Request: requestID(r.Context())}
	ctx, cancel := context.WithTimeout(r.Context(), askTime)
	defer cancel()
	switch {
	case in.Token != "":
		given, err := s.Devices.Redeem(ctx, in.Token, in.CSR, who)
		s.let(w, r, given, err)
	case in.Certificate != "":
		given, err := s.Devices.Renew(ctx, in.Certificate, in.CSR, who)
		s.let(w, r, given, err)
	default:
		asked, err := s.Devices.Ask(ctx, devices.Asking{Kind: in.Kind, Name: in.Name, Request: in.CSR, From: who.From})
		if err != nil {
			s.notLet(w, r, err)
			return
		}
		answer(w, http.StatusOK, asked)
	}
}

func (s *server) pollDevice(w http.ResponseWriter, r *http.Request) {
	if !s.begins(w, r) {
		return
	}
	var in pollBody
	if err := readStrict(r.Body, &in); err != nil {
		s.denied(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), askTime)
	defer cancel()
	given, err := s.Devices.Poll(ctx, in.Poll, auth.Act{From: s.Auth.ClientIP(r), Request: requestID(r.Context())})
	s.let(w, r, given, err)
}

// let answers a device with what lets it in.
func (s *server) let(w http.ResponseWriter, r *http.Request, given devices.Given, err error) {
	if err != nil {
		s.notLet(w, r, err)
		return
	}
	d := given.Device
	if given.Cookie != "" {
		http.SetCookie(w, s.Auth.DeviceCookie(r, given.Cookie))
	}
	answer(w, http.StatusOK, deviceOut{d.ID, d.Kind, d.Name, d.Screen, given.Certificate, given.Authority, d.ExpiresAt})
}

// notLet answers a device that is not let in. Whoever guesses is counted as whoever tries to sign in.
func (s *server) notLet(w http.ResponseWriter, r *http.Request, err error) {
	var f *fault.Fault
	switch {
	case errors.Is(err, devices.ErrWaiting):
		w.Header().Set("Retry-After", "2")
		answer(w, http.StatusAccepted, map[string]bool{"waiting": true})
	case errors.As(err, &f):
		problem.Write(w, problem.New(problem.Invalid, f.Error(), placeOf(f)))
	case errors.Is(err, authority.ErrRequest):
		problem.Write(w, problem.New(problem.Invalid, err.Error(), problem.At("body.csr", problem.Form, err.Error())))
	case errors.Is(err, devices.ErrPending):
		w.Header().Set("Retry-After", "600")
		tell(w, problem.DevicesPending, err.Error())
	case errors.Is(err, devices.ErrNoCA), errors.Is(err, devices.ErrEarly):
		problem.Write(w, caused(err))
	case errors.Is(err, devices.ErrGone), errors.Is(err, auth.ErrDenied):
		if refusal := s.Auth.Refuse(r, "a device: "+err.Error()); errors.Is(refusal, auth.ErrTooMany) {
			err = refusal
		} else {
			err = fmt.Errorf("%w: %w", auth.ErrDenied, err)
		}
		refused(w, err)
	default:
		s.Log.Warn().Err(err).Msg("a device cannot be let in now")
		refused(w, err)
	}
}
