package main

import "math/rand/v2"

// random is the source of every choice that the generator makes. The same seed and stream give the same choices.
type random struct {
	*rand.Rand
	// breaking: draw mostly pods whose probes STRICT breaks and that Istio's rewriting could serve.
	breaking bool
}

func newRandom(seed, stream uint64, breaking bool) random {
	return random{rand.New(rand.NewPCG(seed, stream)), breaking}
}

// or is the first percentage, and the second where mostly breaking pods are asked for.
func (r random) or(usual, breaking int) int {
	if r.breaking {
		return breaking
	}
	return usual
}

// chance is true in the given percentage of calls.
func (r random) chance(percent int) bool { return r.IntN(100) < percent }

// one picks an element; repeating an element makes it likelier.
func one[T any](r random, of ...T) T { return of[r.IntN(len(of))] }

// some keeps each element with that probability.
func some[T any](r random, percent int, of ...T) []T {
	var kept []T
	for _, item := range of {
		if r.chance(percent) {
			kept = append(kept, item)
		}
	}
	return kept
}

// object is a JSON object under construction.
type object = map[string]any

// put sets a value at a path of keys and creates missing objects.
func put(o object, value any, path ...string) {
	for _, key := range path[:len(path)-1] {
		next, ok := o[key].(object)
		if !ok {
			next = object{}
			o[key] = next
		}
		o = next
	}
	o[path[len(path)-1]] = value
}

// often repeats a value before the others, for one.
func often[T any](times int, value T, others ...T) []T {
	var all []T
	for range times {
		all = append(all, value)
	}
	return append(all, others...)
}
