package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine keeps the message readable in one event of `kubectl describe pod`.
const maxLine = 1 << 10

// verdict is the result of a probe or hook, with its message. Success is silent, except for a warning.
type verdict struct {
	ok    bool
	words string
}

func passed(words string) verdict { return verdict{ok: true, words: words} }

func failed(format string, values ...any) verdict {
	return verdict{words: fmt.Sprintf(format, values...)}
}

// oneLine makes a message fit for an event: no line breaks or control characters (a response body or a server's error
// message may have any), valid UTF-8, at most maxLine bytes including the line end.
func oneLine(words string) string {
	words = strings.ToValidUTF8(words, "\uFFFD")
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, words)
	return cut(strings.TrimSpace(words), maxLine-len("\n"))
}

func cut(words string, limit int) string {
	if len(words) <= limit {
		return words
	}
	end := limit - len("...")
	for !utf8.RuneStart(words[end]) {
		end--
	}
	return words[:end] + "..."
}
