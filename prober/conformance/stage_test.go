package conformance

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// behaviour is what a server does with one connection. When it returns, the rest of the client's data is read (it
// belongs to the record), and the connection is closed.
type behaviour func(v *visit)

// stage is the server of a row: one probed port, perhaps a second one, and a record of incoming data.
type stage struct {
	t      *testing.T
	port   int
	names  *strings.Replacer
	lock   sync.Mutex
	record []*connection
	open   sync.WaitGroup
	count  atomic.Int32 // requests since the client began

	listeners []net.Listener
	marks     map[string]chan struct{} // connections of finish itself, by address
}

// connection is the data of one connection.
type connection struct {
	listener string
	hello    string
	lock     sync.Mutex
	bytes    bytes.Buffer
	requests []string // what to compare instead of the bytes: HTTP/2 decoded, or a word for what is random

	prefaceOnly bool // compare that HTTP/2 was begun and no call made; SETTINGS and windows are each library's own
}

type visit struct {
	net.Conn
	stage  *stage
	record *connection
	reader *bufio.Reader
	nth    int // which connection of this client it is, from 1
}

// patience is longer than any row takes, so that a client that never ends does not block the others.
const patience = 12 * time.Second

func newStage(t *testing.T, r row) *stage {
	s := &stage{t: t, marks: map[string]chan struct{}{}}
	if r.port != nil {
		s.port = r.port(t)
		return s
	}
	address := net.JoinHostPort(r.handler.address(), "0")
	first, second := listen(t, address), listen(t, address)
	for r.handler.host == "localhost" && !reserveIPv6(t, portOf(first)) {
		first = listen(t, address)
	}
	s.port, s.listeners = portOf(first), []net.Listener{first, second}
	s.names = strings.NewReplacer("{self}", first.Addr().String(), "{other}", second.Addr().String(),
		"{port}", fmt.Sprint(s.port), "{otherport}", fmt.Sprint(portOf(second)))
	go s.accept("probed", first, r.serve, r.tls)
	go s.accept("other", second, r.other, r.otherTLS)
	return s
}

func portOf(listener net.Listener) int { return listener.Addr().(*net.TCPAddr).Port }

func listen(t *testing.T, address string) net.Listener {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func (s *stage) accept(name string, listener net.Listener, serve behaviour, config *tls.Config) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		s.lock.Lock()
		if mark, ok := s.marks[conn.RemoteAddr().String()]; ok {
			s.lock.Unlock()
			conn.Close()
			close(mark)
			continue
		}
		record := &connection{listener: name}
		s.record = append(s.record, record)
		nth := len(s.record)
		s.open.Add(1)
		s.lock.Unlock()
		go s.receive(conn, record, nth, serve, config)
	}
}

func (s *stage) receive(conn net.Conn, record *connection, nth int, serve behaviour, config *tls.Config) {
	defer s.open.Done()
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if config != nil {
		secure := tls.Server(conn, recordHello(config, record))
		if secure.Handshake() != nil {
			return
		}
		conn = secure
	}
	recorded := recordedConn{conn, record}
	v := &visit{Conn: recorded, stage: s, record: record, reader: bufio.NewReader(recorded), nth: nth}
	if serve != nil {
		serve(v)
	}
	io.Copy(io.Discard, recorded)
}

// recordHello records a client's TLS offer: the ClientHello without its random numbers.
func recordHello(config *tls.Config, record *connection) *tls.Config {
	config = config.Clone()
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		record.hello = fmt.Sprintf("SNI %q ALPN %v versions %x suites %x curves %v signatures %v points %v extensions %v",
			hello.ServerName, hello.SupportedProtos, hello.SupportedVersions, hello.CipherSuites, hello.SupportedCurves,
			hello.SignatureSchemes, hello.SupportedPoints, hello.Extensions)
		return nil, nil
	}
	return config
}

type recordedConn struct {
	net.Conn
	record *connection
}

func (c recordedConn) Read(buffer []byte) (int, error) {
	n, err := c.Conn.Read(buffer)
	c.record.lock.Lock()
	defer c.record.lock.Unlock()
	c.record.bytes.Write(buffer[:n])
	return n, err
}

// catchUp waits until every connection opened by a client has been accepted. The kernel hands them out in order, so
// they have been once one of our own is.
func (s *stage) catchUp() {
	for _, listener := range s.listeners {
		s.lock.Lock()
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			s.t.Error(err)
			s.lock.Unlock()
			continue
		}
		taken := make(chan struct{})
		s.marks[conn.LocalAddr().String()] = taken
		s.lock.Unlock()
		<-taken
		conn.Close()
	}
}

// finish waits until a client's connections are over and returns their data, one text per connection.
func (s *stage) finish() []string {
	s.catchUp()
	done := make(chan struct{})
	go func() { s.open.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(2 * patience):
		s.t.Error("a connection stays open")
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	var sent []string
	for _, record := range s.record {
		// The grpc library's next attempt, after a second, races with a time limit of a second.
		if text := record.text(); !record.prefaceOnly || !slices.Contains(sent, text) {
			sent = append(sent, text)
		}
	}
	s.record = nil
	s.count.Store(0)
	return sent
}

func (c *connection) text() string {
	c.lock.Lock()
	defer c.lock.Unlock()
	content := c.bytes.String()
	if c.requests != nil {
		content = strings.Join(c.requests, "; ")
	}
	if c.prefaceOnly {
		content = prefaceAndCalls(content)
	}
	return agentVersion.ReplaceAllString(strings.Join([]string{c.listener, c.hello, content}, "|"), "kube-$1/VERSION")
}

// head reads a request up to the empty line.
func (v *visit) head() (string, bool) {
	var head strings.Builder
	for {
		line, err := v.reader.ReadString('\n')
		if err != nil {
			return "", false
		}
		head.WriteString(line)
		if line == "\r\n" {
			return head.String(), true
		}
	}
}

// say writes text with the ports filled in.
func (v *visit) say(text string) { io.WriteString(v.Conn, v.stage.names.Replace(text)) }

// reset ends the connection with RST.
func (v *visit) reset() {
	v.tcp().SetLinger(0)
	v.Conn.Close()
}

func (v *visit) tcp() *net.TCPConn {
	conn := v.Conn.(recordedConn).Conn
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	return conn.(*net.TCPConn)
}

// answers replies to the first request with the first text and so on; the last text answers all further requests. The
// connection stays open until the client closes it.
func answers(texts ...string) behaviour {
	return func(v *visit) {
		for {
			if _, ok := v.head(); !ok {
				return
			}
			count := int(v.stage.count.Add(1))
			v.say(texts[min(count, len(texts))-1])
		}
	}
}

// answersAndCloses replies once and ends the connection, which ends the body.
func answersAndCloses(text string) behaviour {
	return func(v *visit) {
		if _, ok := v.head(); ok {
			v.stage.count.Add(1)
			v.say(text)
			v.Conn.Close()
		}
	}
}

// prefaceAndCalls reads a client's HTTP/2 data and names the frames that belong to calls.
func prefaceAndCalls(content string) string {
	rest, found := strings.CutPrefix(content, http2.ClientPreface)
	calls := fmt.Sprintf("preface %t", found || strings.HasPrefix(http2.ClientPreface, content))
	framer := http2.NewFramer(io.Discard, strings.NewReader(rest))
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return calls
		}
		if frame.Header().StreamID != 0 {
			calls += " " + frame.Header().Type.String()
		}
	}
}
