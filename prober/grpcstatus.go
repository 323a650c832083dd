package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// rpcStatus is how a call failed.
type rpcStatus struct {
	code    int
	message string
}

// The codes that matter here; codeNames has all of them (grpc doc/statuscodes.md).
const (
	codeUnknown           = 2
	codeDeadlineExceeded  = 4
	codePermissionDenied  = 7
	codeResourceExhausted = 8
	codeUnimplemented     = 12
	codeInternal          = 13
	codeUnavailable       = 14
	codeUnauthenticated   = 16
)

var codeNames = []string{"OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound", "AlreadyExists",
	"PermissionDenied", "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unimplemented", "Internal",
	"Unavailable", "DataLoss", "Unauthenticated"}

// Error has the format that the grpc library prints and that people search for.
func (s *rpcStatus) Error() string {
	name := fmt.Sprintf("Code(%d)", uint32(s.code))
	if s.code >= 0 && s.code < len(codeNames) {
		name = codeNames[s.code]
	}
	return fmt.Sprintf("rpc error: code = %s desc = %s", name, s.message)
}

func ended(code int, format string, values ...any) *rpcStatus {
	return &rpcStatus{code, fmt.Sprintf(format, values...)}
}

// statusOf gives every error a status, as the grpc library does: an expired deadline, or a broken connection.
func statusOf(err error) *rpcStatus {
	var status *rpcStatus
	switch {
	case err == nil:
		return &rpcStatus{}
	case errors.As(err, &status):
		return status
	case errors.Is(err, context.DeadlineExceeded):
		return ended(codeDeadlineExceeded, "%v", err)
	}
	return ended(codeUnavailable, "%v", err)
}

// maxQuoted is how much of a web server's response is shown (internal/transport/client_stream.go nonGRPCDataMaxLen).
const maxQuoted = 1024

// headerFailure returns the problem with a response other than gRPC, translated as in the grpc library
// (internal/transport/http_util.go HTTPStatusConvTab): a web server's 404 becomes "does not implement". A response with
// the content type of gRPC is gRPC, whatever its HTTP status (http2_client.go operateHeaders).
func headerFailure(response *http.Response) error {
	contentType := response.Header.Get("Content-Type")
	if isGRPC(contentType) {
		return nil
	}
	words := fmt.Sprintf("unexpected HTTP status code received from server: %d (%s); %s", response.StatusCode,
		http.StatusText(response.StatusCode), contentTypeFailure(contentType))
	quoted, err := io.ReadAll(io.LimitReader(response.Body, maxQuoted))
	if err != nil {
		return err
	}
	if len(quoted) > 0 {
		words += fmt.Sprintf("\ndata: %q", quoted)
	}
	return ended(codeOfHTTP(response.StatusCode), "%s", words)
}

func contentTypeFailure(contentType string) string {
	if contentType == "" {
		return "malformed header: missing HTTP content-type"
	}
	return fmt.Sprintf("transport: received unexpected content-type %q", contentType)
}

func isGRPC(contentType string) bool {
	rest, ok := strings.CutPrefix(contentType, "application/grpc")
	return ok && (rest == "" || rest[0] == '+' || rest[0] == ';')
}

func codeOfHTTP(status int) int {
	switch status {
	case 400:
		return codeInternal
	case 401:
		return codeUnauthenticated
	case 403:
		return codePermissionDenied
	case 404:
		return codeUnimplemented
	case 429, 502, 503, 504:
		return codeUnavailable
	}
	return codeUnknown
}

// closingStatus reads how the server ended the call. With a message, the status is in the trailers or absent; without
// one it may be in the only header block ("Trailers-Only").
func closingStatus(response *http.Response, hasMessage bool) error {
	fields := response.Trailer
	if len(fields) == 0 && hasMessage {
		return ended(codeInternal, "server closed the stream without sending trailers")
	}
	if len(fields) == 0 {
		fields = response.Header
	}
	code, err := statusCode(fields.Values("Grpc-Status"))
	if err != nil || code != 0 {
		return firstOf(err, ended(code, "%s", decodeMessage(fields.Get("Grpc-Message"))))
	}
	if !hasMessage {
		return ended(codeInternal, "cardinality violation: received no response message from non-server-streaming RPC")
	}
	return nil
}

func statusCode(values []string) (int, error) {
	if len(values) == 0 {
		return codeUnknown, nil
	}
	code, err := strconv.ParseInt(values[len(values)-1], 10, 32)
	if err != nil {
		return codeUnknown, ended(codeUnknown, "transport: malformed grpc-status: %v", err)
	}
	return int(code), nil
}

func firstOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// decodeMessage undoes the percent-encoding of grpc-message. Invalid encoding is shown unchanged.
func decodeMessage(message string) string {
	if decoded, err := url.PathUnescape(message); err == nil {
		return decoded
	}
	return message
}
