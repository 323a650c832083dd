// Package oneprocessor makes a program that only waits for one answer run on one processor from the start. With more,
// Go's runtime starts threads that look for work that never comes, and each of them makes memory mapping more
// expensive: a tenth of the CPU time of a probe (docs/decisions/prober-cost.md).
//
// It is a package because initialisation is ordered by dependencies and then by name: without imports beyond the
// runtime it precedes os, net and everything built on them. In the first line of main, half of the saving would be
// lost.
package oneprocessor

import "runtime"

func init() { runtime.GOMAXPROCS(1) }
