package bounded

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestExplain(t *testing.T) {
	at := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://a.example/?key=s3cr3t", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
	}
	for _, c := range []struct {
		err        error
		code, text string
	}{
		{at(fmt.Errorf("%w: 127.0.0.1 is loopback", ErrAddress)), "address", "address not allowed: 127.0.0.1 is loopback"},
		{at(fmt.Errorf("%w: more than 5 bytes", ErrTooLarge)), "size", "too large: more than 5 bytes"},
		{at(&net.DNSError{Name: "a.example", IsNotFound: true}), "dns", "no such host a.example"},
		{at(&net.DNSError{Name: "a.example", IsTimeout: true}), "dns", "no answer for a.example"},
		{at(x509.UnknownAuthorityError{}), "tls", "certificate"},
		{at(tls.AlertError(42)), "tls", "certificate"},
		{at(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "refused", "nobody listens"},
		{at(syscall.EHOSTUNREACH), "network", "no route"},
		{at(os.ErrDeadlineExceeded), "timeout", "in time"},
		{at(context.DeadlineExceeded), "timeout", "in time"},
		{at(io.ErrUnexpectedEOF), "broken", "mid-answer"},
		{at(syscall.EPIPE), "broken", "mid-answer"},
		{at(errors.New("strange")), "network", "cannot be read"},
		{fmt.Errorf("hop 2: %w", &Fault{"http", "503 Service Unavailable", nil}), "http", "503"},
	} {
		f := Explain(c.err)
		if f.Code != c.code || !strings.Contains(f.Text, c.text) || strings.Contains(f.Error(), "s3cr3t") {
			t.Errorf("%v: %v, want %s: %s", c.err, f, c.code, c.text)
		}
		if c.code != "http" && !errors.Is(f, c.err) {
			t.Errorf("%v lies not beneath %v", c.err, f)
		}
	}
}
