package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"time"
)

// tlsRows: any certificate is accepted, but the protocol must be a current one.
func tlsRows() []row {
	secure := handler{kind: "https", path: "/healthz"}
	only := func(version uint16) *tls.Config {
		config := serverTLS()
		config.MinVersion, config.MaxVersion = version, version
		return config
	}
	suite := func(suites ...uint16) *tls.Config {
		config := only(tls.VersionTLS12)
		config.CipherSuites = suites
		return config
	}
	curves := func(curves ...tls.CurveID) *tls.Config {
		config := serverTLS()
		config.CurvePreferences = curves
		return config
	}
	named := handler{kind: "https", host: "localhost"}
	return []row{
		{name: "TLS 1.0 only", handler: secure, tls: only(tls.VersionTLS10), serve: answers(ok), want: fail},
		{name: "TLS 1.1 only", handler: secure, tls: only(tls.VersionTLS11), serve: answers(ok), want: fail},
		{name: "TLS 1.2 only", handler: secure, tls: only(tls.VersionTLS12), serve: answers(ok), want: pass},
		{name: "TLS 1.3 only", handler: secure, tls: only(tls.VersionTLS13), serve: answers(ok), want: pass},
		{name: "TLS, status 500", handler: secure, tls: serverTLS(), serve: answers(status(500)), want: fail},
		{name: "TLS, redirect to itself", handler: secure, tls: serverTLS(), serve: answers(redirect(302, "/there"), ok), want: pass},
		{name: "TLS, host is a name (SNI)", handler: named, tls: serverTLS(), serve: answers(ok), want: pass},
		{name: "TLS, Host header is no SNI", handler: handler{kind: "https", headers: [][2]string{{"Host", "app.example"}}}, tls: serverTLS(), serve: answers(ok), want: pass},
		{name: "TLS in IPv6", handler: handler{kind: "https", podIP: "::1"}, tls: serverTLS(), serve: answers(ok), want: pass},
		{name: "certificate expired", handler: secure, tls: withCertificate(ecKey(), time.Now().Add(-time.Hour), "localhost"), serve: answers(ok), want: pass},
		{name: "certificate for another name", handler: named, tls: withCertificate(ecKey(), time.Now().Add(time.Hour), "elsewhere.example"), serve: answers(ok), want: pass},
		{name: "certificate for nobody", handler: secure, tls: withCertificate(ecKey(), time.Now().Add(time.Hour)), serve: answers(ok), want: pass},
		{name: "certificate with RSA 2048", handler: secure, tls: withCertificate(rsaKey(2048), time.Now().Add(time.Hour), "localhost"), serve: answers(ok), want: pass},
		{name: "certificate with Ed25519", handler: secure, tls: withCertificate(edKey(), time.Now().Add(time.Hour), "localhost"), serve: answers(ok), want: pass},
		{name: "certificate of another key", handler: secure, tls: mismatched(), serve: answers(ok), want: fail},
		{name: "certificate that is none", handler: secure, tls: garbled(), serve: answers(ok), want: fail},
		{name: "client certificate demanded, TLS 1.3", handler: secure, tls: demandsCertificate(), serve: answers(ok), want: fail, wordsVary: "alert or broken pipe: a race"},
		{name: "client certificate demanded, TLS 1.2", handler: secure, tls: demandsCertificateIn(tls.VersionTLS12), serve: answers(ok), want: fail, wordsVary: "alert or broken pipe: a race"},
		{name: "client certificate asked for", handler: secure, tls: asksForCertificate(), serve: answers(ok), want: pass},
		{name: "RSA key exchange only", handler: secure, tls: withRSA(suite(tls.TLS_RSA_WITH_AES_128_GCM_SHA256)), serve: answers(ok), want: fail},
		{name: "3DES only", handler: secure, tls: withRSA(suite(tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA)), serve: answers(ok), want: fail},
		{name: "RC4 only", handler: secure, tls: withRSA(suite(tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA)), serve: answers(ok), want: fail},
		{name: "CBC with SHA1 only", handler: secure, tls: withRSA(suite(tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA)), serve: answers(ok), want: pass},
		{name: "ChaCha20 only", handler: secure, tls: suite(tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256), serve: answers(ok), want: pass},
		{name: "P-521 only", handler: secure, tls: curves(tls.CurveP521), serve: answers(ok), want: pass},
		{name: "X25519MLKEM768 only", handler: secure, tls: curves(tls.X25519MLKEM768), serve: answers(ok), want: pass},
		{name: "ALPN that nobody offered", handler: secure, tls: serverTLS("smtp"), serve: answers(ok), want: fail},
		{name: "ALPN http/1.1", handler: secure, tls: serverTLS("http/1.1"), serve: answers(ok), want: pass},
		{name: "TLS, closes after the handshake", handler: secure, tls: serverTLS(), serve: func(v *visit) { v.Conn.Close() }, want: fail, wordsVary: "EOF or broken pipe: a race", requestsVary: "closed before it is read"},
		{name: "TLS, closes after the request", handler: secure, tls: serverTLS(), serve: func(v *visit) { v.head(); v.Conn.Close() }, want: fail},
		{name: "TLS, resets after the request", handler: secure, tls: serverTLS(), serve: func(v *visit) { v.head(); v.reset() }, want: fail},
		{name: "TLS, ends without a close notice, length known", handler: secure, tls: serverTLS(), serve: func(v *visit) { v.head(); v.say(ok); v.tcp().Close() }, want: pass},
		{name: "TLS, ends without a close notice, length unknown", handler: secure, tls: serverTLS(), serve: func(v *visit) { v.head(); v.say("HTTP/1.1 200 OK\r\n\r\nok"); v.tcp().Close() }, want: pass},
		{name: "http on an https port", handler: secure, serve: plainForTLS, want: fail},
		{name: "nonsense on an https port", handler: secure, serve: nonsenseForTLS, want: fail},
		{name: "https port that closes on the ClientHello", handler: secure, serve: func(v *visit) {
			v.record.requests = []string{"a ClientHello"}
			v.Read(make([]byte, 5000))
			v.Conn.Close()
		}, want: fail},
	}
}

// serverTLS is a self-signed certificate for localhost.
func serverTLS(protocols ...string) *tls.Config {
	config := withCertificate(ecKey(), time.Now().Add(time.Hour), "localhost")
	config.NextProtos = protocols
	return config
}

func withCertificate(key crypto.Signer, until time.Time, names ...string) *tls.Config {
	der := certificate(key, until, names)
	return &tls.Config{MinVersion: tls.VersionTLS10, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func certificate(key crypto.Signer, until time.Time, names []string) []byte {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: names,
		NotBefore: until.Add(-2 * time.Hour), NotAfter: until}
	if len(names) > 0 {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return der
}

func withRSA(config *tls.Config) *tls.Config {
	config.Certificates = withCertificate(rsaKey(2048), time.Now().Add(time.Hour), "localhost").Certificates
	return config
}

// mismatched presents a certificate whose key it does not have.
func mismatched() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate(ecKey(), time.Now().Add(time.Hour), nil)}, PrivateKey: ecKey()}}}
}

func garbled() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{[]byte("not a certificate")}, PrivateKey: ecKey()}}}
}

func demandsCertificate() *tls.Config { return demandsCertificateIn(tls.VersionTLS13) }

func demandsCertificateIn(version uint16) *tls.Config {
	config := serverTLS()
	config.ClientAuth, config.MinVersion, config.MaxVersion = tls.RequireAnyClientCert, version, version
	return config
}

func asksForCertificate() *tls.Config {
	config := serverTLS()
	config.ClientAuth = tls.RequestClientCert
	return config
}

func ecKey() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func rsaKey(bits int) crypto.Signer { return must(rsa.GenerateKey(rand.Reader, bits)) }

func edKey() crypto.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return must(key, err)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
