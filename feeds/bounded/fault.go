package bounded

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// Fault is why a source could not be read. Code is stable, so that a screen can translate it; Text is for a reader and holds no secret:
// an address may hold a key, so it is never repeated.
//
//	dns       the name has no address        refused   nobody listens there       network   no way there
//	timeout   it took too long               tls       its certificate is wrong   http      it answered with an error
//	size      it sent too much               address   we may not ask there       broken    it stopped in mid-answer
type Fault struct {
	Code string
	Text string
	Err  error // what lies beneath, may be nil; not for screens
}

func (f *Fault) Error() string { return f.Code + ": " + f.Text }

// Unwrap gives what lies beneath.
func (f *Fault) Unwrap() error { return f.Err }

// Explain finds the code of an error of the network; one that is a *Fault already stays as it is.
func Explain(err error) *Fault {
	var (
		known *Fault
		dns   *net.DNSError
		slow  interface{ Timeout() bool }
	)
	fault := func(code, text string) *Fault { return &Fault{code, text, err} }
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, ErrAddress):
		return fault("address", markedText(err, ErrAddress))
	case errors.Is(err, ErrTooLarge):
		return fault("size", markedText(err, ErrTooLarge))
	case errors.As(err, &dns) && dns.IsNotFound:
		return fault("dns", "no such host "+dns.Name)
	case errors.As(err, &dns):
		return fault("dns", "no answer for "+dns.Name)
	case isTLS(err):
		return fault("tls", "the certificate or the encryption is wrong")
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault("refused", "nobody listens at this address")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return fault("network", "no route to the source")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &slow) && slow.Timeout():
		return fault("timeout", "no connection in time")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fault("broken", "the source stopped in mid-answer")
	}
	return fault("network", "the source cannot be read")
}

// isTLS tells an error of the handshake: ours of their certificate, or their alert on ours.
func isTLS(err error) bool {
	var (
		cert  *tls.CertificateVerificationError
		unk   x509.UnknownAuthorityError
		name  x509.HostnameError
		bad   x509.CertificateInvalidError
		rec   tls.RecordHeaderError
		alert tls.AlertError
		op    *net.OpError
	)
	if errors.As(err, &op) && op.Op == "remote error" { // so crypto/tls marks an alert of theirs
		return true
	}
	return errors.As(err, &cert) || errors.As(err, &unk) || errors.As(err, &name) || errors.As(err, &bad) || errors.As(err, &rec) || errors.As(err, &alert)
}

// markedText is the part of an error that begins with the mark: without the address, which may hold a key.
func markedText(err, mark error) string {
	s := err.Error()
	if i := strings.Index(s, mark.Error()); i >= 0 {
		return s[i:]
	}
	return mark.Error()
}
