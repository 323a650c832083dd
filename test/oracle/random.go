package main

import "math/rand/v2"

// random is the source of all choices of the generator. The same seed and stream yield the same choices.
type random struct{ *rand.Rand }

func newRandom(seed, stream uint64) random { return random{rand.New(rand.NewPCG(seed, stream))} }

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
