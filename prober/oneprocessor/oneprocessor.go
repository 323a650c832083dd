// Package oneprocessor makes a program that only waits for one answer run on one processor from the start. With more,
// Go's runtime starts threads that look for work which never comes, and each of them makes memory mapping dearer:
// a tenth of a check's CPU time (docs/decisions/prober-cost.md).
//
// It is a package because initialisation goes by dependencies and then by name: without imports beyond the runtime it
// comes before os, net and all that builds on them. The first line of main would be late by half the saving.
package oneprocessor

import "runtime"

func init() { runtime.GOMAXPROCS(1) }
