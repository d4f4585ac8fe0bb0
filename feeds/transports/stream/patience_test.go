package stream

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
)

var everyone = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// far plays the side that we dial, in a bubble of its own time: each connection is handed to side with its number.
func far(t *testing.T, c Config, long time.Duration, side func(n int, conn net.Conn)) (h *house, dials []time.Duration) {
	t.Helper()
	return farFrom(t, c, long, func(*house) {}, side)
}

// farFrom is far with a house that prepare makes ready.
func farFrom(t *testing.T, c Config, long time.Duration, prepare func(*house), side func(n int, conn net.Conn)) (h *house, dials []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h = newHouse()
		prepare(h)
		began := time.Now()
		var sides sync.WaitGroup
		defer sides.Wait()
		c.Watch, c.Log, c.Address = h, zerolog.Nop(), "far.example:10110"
		c.Dial = func(context.Context, string, string) (net.Conn, error) {
			near, conn := net.Pipe()
			n := len(dials)
			dials = append(dials, time.Since(began))
			sides.Go(func() { defer conn.Close(); side(n, conn) })
			return near, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		if err := NewTCP(c).Run(ctx, h.deliver); err != nil {
			t.Error(err)
		}
	})
	return h, dials
}

func TestSlowLorisIsEnded(t *testing.T) {
	h, dials := far(t, Config{Framing: feeds.Lines("")}, 32*time.Second, func(_ int, conn net.Conn) {
		for {
			if _, err := conn.Write([]byte{'x'}); err != nil {
				return
			}
			time.Sleep(5 * time.Second)
		}
	})
	if h.count("timeout") != 1 || len(dials) < 1 || !strings.Contains(h.faults[0], "not whole within 30s") {
		t.Errorf("%v, %q, dialled at %v", h.rejects, h.faults, dials)
	}
}

func TestASlowLineThatMovesIsHeard(t *testing.T) {
	h, dials := far(t, Config{Framing: feeds.Lines("")}, 5*time.Minute, func(_ int, conn net.Conn) {
		for {
			for _, c := range []byte("0123456789\n") {
				if _, err := conn.Write([]byte{c}); err != nil {
					return
				}
				time.Sleep(2 * time.Second)
			}
		}
	})
	if len(h.rejects) != 0 || len(dials) != 1 || strings.Count(h.text(), "\n") < 12 {
		t.Errorf("%v, dialled at %v, heard %q", h.rejects, dials, h.text())
	}
}

func TestAHalfOpenConnectionIsDialledAgain(t *testing.T) {
	h, dials := far(t, Config{Framing: feeds.Lines("")}, 65*time.Second, func(n int, conn net.Conn) {
		_, _ = conn.Write([]byte("a\n"))
		_, _ = conn.Read(make([]byte, 1)) // silent until the other side gives up
	})
	if len(dials) != 2 || dials[1] < time.Minute || h.text() != "a\na\n" || len(h.rejects) != 0 || len(h.faults) != 1 || !strings.HasPrefix(h.faults[0], "timeout: nothing came for 1m0s") {
		t.Errorf("dialled at %v, heard %q, %v, %q", dials, h.text(), h.rejects, h.faults)
	}
}

func TestPausesGrowWhileTheFarSideEndsEachConnection(t *testing.T) {
	h, dials := far(t, Config{Framing: feeds.Lines("")}, 10*time.Minute, func(int, net.Conn) {})
	if len(dials) < 8 || len(dials) > 40 {
		t.Errorf("%d dials in 10 minutes, at %v", len(dials), dials)
	}
	if h.well != len(dials) || !strings.HasPrefix(h.faults[0], "broken: ") {
		t.Errorf("well %d times, %q", h.well, h.faults[0])
	}
}

// While the store is busy the sender's time does not run.
func TestABusyStoreIsNotTheSendersFault(t *testing.T) {
	c := Config{Framing: feeds.Lines(""), Idle: 2 * time.Minute}
	began := time.Time{}
	h, dials := farFrom(t, c, 6*time.Minute+10*time.Second, func(h *house) {
		began = time.Now()
		h.answer = func(string) error {
			if time.Since(began) < 5*time.Minute {
				return feeds.ErrBusy
			}
			return nil
		}
	}, func(_ int, conn net.Conn) {
		_, _ = conn.Write([]byte("a\nhalf"))
		time.Sleep(5*time.Minute + 15*time.Second)
		_, _ = conn.Write([]byte(" a line\n"))
		time.Sleep(time.Minute)
	})
	if h.text() != "a\nhalf a line\n" || len(h.rejects) != 0 || len(dials) != 1 {
		t.Errorf("heard %q, %v, dialled at %v", h.text(), h.rejects, dials)
	}
}

// authority makes a certificate of its own for 127.0.0.1.
func authority(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTLS(t *testing.T) {
	cert, pool := authority(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	served := begin(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("secret\nlast\n"))
			conn.Close()
		}
	})
	defer func() { l.Close(); <-served }()
	for _, c := range []struct {
		name  string
		pool  *x509.CertPool
		allow bool
		want  string
		fault string
	}{
		{"believed", pool, true, "secret\nlast\n", "broken: the source ended the connection"},
		{"not believed", x509.NewCertPool(), true, "", "tls: the certificate or the encryption is wrong"},
		{"a private address", pool, false, "", "address: address not allowed: 127.0.0.1 is loopback"},
	} {
		h := newHouse()
		ctx, cancel := context.WithCancel(t.Context())
		config := Config{Address: l.Addr().String(), Framing: feeds.Lines(""), Watch: h, Log: zerolog.Nop(), Dial: bounded.Dialer(c.allow),
			TLS: func() (*tls.Config, error) { return &tls.Config{RootCAs: c.pool}, nil }}
		done := begin(func() { _ = NewTCP(config).Run(ctx, h.deliver) })
		until(t, c.name, func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.faults) > 0 })
		cancel()
		<-done
		if h.text() != c.want || h.faults[0] != c.fault {
			t.Errorf("%s: %q, %q", c.name, h.text(), h.faults)
		}
	}
}

func TestAMulticastGroupIsHeard(t *testing.T) {
	h := newHouse()
	probe, err := net.ListenMulticastUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(239, 255, 43, 21)})
	if err != nil {
		t.Skip("this machine has no multicast: ", err)
	}
	port := probe.LocalAddr().(*net.UDPAddr).Port
	probe.Close()
	_, stop := start(t, h, Config{Listen: (&net.UDPAddr{IP: net.IPv4(239, 255, 43, 21), Port: port}).String(), From: everyone, Framing: feeds.Lines("")}, udp)
	conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(239, 255, 43, 21), Port: port})
	if err != nil {
		stop()
		t.Skip("this machine sends to no group: ", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("x")); err != nil {
		stop()
		t.Skip("this machine sends to no group: ", err)
	}
	until(t, "the group's datagram", func() bool { return h.text() == "x\n" })
	stop()
}
