package main

import (
	"errors"
	"strings"
	"testing"
)

func TestAHealthResponseIsReadByProtobufsRules(t *testing.T) {
	for message, want := range map[string]servingStatus{
		"": 0, "\x08\x01": 1, "\x08\x02": 2, "\x08\x02\x08\x01": 1, "\x08\x01\x08\x02": 2,
		"\x12\x03abc\x08\x01": 1, "\x1d1234\x08\x01": 1, "\x2112345678\x08\x01": 1, "\x28\x07\x08\x01": 1, "\x33\x38\x01\x34\x08\x01": 1,
		"\x0a\x01\x01": 0, "\x08\x81\x80\x80\x80\x10": 1, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01": -1,
	} {
		if got, err := decodeCheck([]byte(message)); got != want || err != nil {
			t.Errorf("%q: %d, %v; want %d", message, got, err, want)
		}
	}
}

func TestBytesThatAreNoMessageAreRefused(t *testing.T) {
	for _, message := range []string{"\x08", "\x00\x01", "\xff\xff\xff", "\x12\x09ab", "\x1d123", "\x21123", "\x33\x38\x01", "\x34", "\x0e\x01",
		strings.Repeat("\x33", maxDepth+2) + strings.Repeat("\x34", maxDepth+2)} {
		if got, err := decodeCheck([]byte(message)); !errors.Is(err, errMalformed) {
			t.Errorf("%.20q: %d, %v", message, got, err)
		}
	}
}

func TestACallIsRepeatedOnlyWhenTheServerHasNotBegunIt(t *testing.T) {
	for words, want := range map[string]bool{
		"stream error: stream ID 1; REFUSED_STREAM; received from peer":                                     true,
		"http2: Transport received Server's graceful shutdown GOAWAY":                                       true,
		"http2: Transport received GOAWAY from server ErrCode:ENHANCE_YOUR_CALM":                            true,
		"http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug=\"\"": false,
		"stream error: stream ID 1; PROTOCOL_ERROR; received from peer":                                     false, "EOF": false,
	} {
		if got := unprocessed(errors.New(words)); got != want {
			t.Errorf("%s: %t", words, got)
		}
	}
	if unprocessed(nil) || unprocessed(ended(codeUnavailable, "REFUSED_STREAM")) {
		t.Error("the server's answer is not a refusal")
	}
}
