// An assembly file, though empty, lets Go functions without a body (go:linkname) compile.
