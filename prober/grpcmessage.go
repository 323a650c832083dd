package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Health/Check in the wire format (grpc.health.v1): the request has one string, field 1; the response one enum,
// field 1. Each message follows a byte that says whether it is compressed, and its length.

// maxMessage is the grpc library's own limit, which kubelet does not change.
const maxMessage = 4 << 20

// servingStatus is HealthCheckResponse.ServingStatus.
type servingStatus int32

const (
	statusUnknown servingStatus = 0
	statusServing servingStatus = 1
)

var servingNames = []string{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"}

func (s servingStatus) String() string {
	if s >= 0 && int(s) < len(servingNames) {
		return servingNames[s]
	}
	return fmt.Sprint(int32(s))
}

func encodeCheck(service string) []byte {
	var message []byte
	if service != "" {
		message = append(binary.AppendUvarint([]byte{1<<3 | wireBytes}, uint64(len(service))), service...)
	}
	framed := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	return append(framed, message...)
}

// readAnswer reads exactly one message and then the end of the stream, as the grpc library does for a call of this kind
// (its stream.go recvMsg).
func readAnswer(response *http.Response) (servingStatus, error) {
	if err := headerFailure(response); err != nil {
		return statusUnknown, err
	}
	message, err := readMessage(response)
	if err == io.EOF {
		return statusUnknown, closingStatus(response, false)
	}
	if err != nil {
		return statusUnknown, err
	}
	serving, err := decodeCheck(message)
	if err != nil {
		return statusUnknown, ended(codeInternal, "grpc: failed to unmarshal the received message: %v", err)
	}
	if _, err = readMessage(response); err == io.EOF {
		return serving, closingStatus(response, true)
	}
	return statusUnknown, firstOf(err, ended(codeInternal, "cardinality violation: expected <EOF> for non server-streaming RPCs, but received another message"))
}

// readMessage returns io.EOF if the stream ends between messages. A partial prefix also counts as the end, as in the
// grpc library (internal/transport/transport.go ReadMessageHeader).
func readMessage(response *http.Response) ([]byte, error) {
	var prefix [5]byte
	if _, err := io.ReadFull(response.Body, prefix[:]); err == io.ErrUnexpectedEOF {
		return nil, io.EOF
	} else if err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(prefix[1:])
	if length > maxMessage {
		return nil, ended(codeResourceExhausted, "grpc: received message larger than max (%d vs. %d)", length, maxMessage)
	}
	message := make([]byte, length)
	if _, err := io.ReadFull(response.Body, message); err != nil {
		return nil, fmt.Errorf("the message broke off: %w", err)
	}
	return unpack(prefix[0], response.Header.Get("Grpc-Encoding"), message)
}

func unpack(compressed byte, encoding string, message []byte) ([]byte, error) {
	switch {
	case compressed == 0:
		return message, nil
	case compressed != 1:
		return nil, ended(codeInternal, "grpc: received unexpected payload format %d", compressed)
	case encoding == "" || encoding == "identity":
		return nil, ended(codeInternal, "grpc: compressed flag set with identity or empty encoding")
	case encoding != "gzip":
		return nil, ended(codeInternal, "grpc: Decompressor is not installed for grpc-encoding %q", encoding)
	}
	return gunzip(message)
}

func gunzip(message []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(message))
	if err != nil {
		return nil, ended(codeInternal, "grpc: failed to decompress the received message: %v", err)
	}
	plain, err := io.ReadAll(io.LimitReader(reader, maxMessage+1))
	if err != nil {
		return nil, ended(codeInternal, "grpc: failed to decompress the received message: %v", err)
	}
	if len(plain) > maxMessage {
		return nil, ended(codeResourceExhausted, "grpc: received message after decompression larger than max %d", maxMessage)
	}
	return plain, nil
}

// Wire types of protocol buffers.
const (
	wireVarint = iota
	wireFixed64
	wireBytes
	wireGroup
	wireEndGroup
	wireFixed32
)

var errMalformed = errors.New("proto: cannot parse invalid wire-format data")

// decodeCheck reads the status by protobuf's rules: a field that is unknown, or has another type, is skipped; the last
// of several fields wins; a number beyond 32 bits is truncated.
func decodeCheck(message []byte) (servingStatus, error) {
	status := statusUnknown
	for len(message) > 0 {
		field, wire, rest, err := readTag(message)
		if err != nil {
			return status, err
		}
		if field == 1 && wire == wireVarint {
			if value, n := binary.Uvarint(rest); n > 0 {
				status = servingStatus(int32(uint32(value)))
			}
		}
		if message, err = skip(field, wire, rest, 0); err != nil {
			return status, err
		}
	}
	return status, nil
}

func readTag(message []byte) (field uint64, wire int, rest []byte, err error) {
	tag, n := binary.Uvarint(message)
	if field = tag >> 3; n <= 0 || field == 0 || field > 1<<29-1 {
		return 0, 0, nil, errMalformed
	}
	return field, int(tag & 7), message[n:], nil
}

// maxDepth bounds nested groups, as in Go's protobuf library (protowire.DefaultRecursionLimit).
const maxDepth = 10000

// skip returns the bytes after a field's value.
func skip(field uint64, wire int, rest []byte, depth int) ([]byte, error) {
	size := 0
	switch wire {
	case wireVarint:
		_, size = binary.Uvarint(rest)
	case wireFixed64:
		size = 8
	case wireFixed32:
		size = 4
	case wireBytes:
		length, n := binary.Uvarint(rest)
		if n <= 0 || length > uint64(len(rest)-n) {
			return nil, errMalformed
		}
		return rest[n+int(length):], nil
	case wireGroup:
		return skipGroup(field, rest, depth+1)
	}
	if size <= 0 || size > len(rest) {
		return nil, errMalformed
	}
	return rest[size:], nil
}

// skipGroup reads fields until the end of the group.
func skipGroup(group uint64, rest []byte, depth int) ([]byte, error) {
	for depth <= maxDepth {
		field, wire, after, err := readTag(rest)
		if err != nil {
			return nil, err
		}
		if wire == wireEndGroup && field == group {
			return after, nil
		}
		if rest, err = skip(field, wire, after, depth); err != nil {
			return nil, err
		}
	}
	return nil, errMalformed
}
