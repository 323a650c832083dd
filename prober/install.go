package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// install copies this executable to DIR/prober: the only task of the init container in clusters without image volumes.
func install(args []string) (verdict, error) {
	if len(args) != 1 || args[0] == "" {
		return verdict{}, fmt.Errorf("install: %d arguments; allowed: one, the folder to copy to", len(args))
	}
	if err := copySelf(args[0]); err != nil {
		return failed("install: %v", err), nil
	}
	return passed(""), nil
}

// copySelf writes next to the destination and renames. So an init container that is killed and restarted, or runs again
// in a restarted pod sandbox, never leaves a partial program for the probes to find.
func copySelf(folder string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	source, err := os.Open(self)
	if err != nil {
		return err
	}
	defer source.Close()
	draft, err := os.CreateTemp(folder, ".prober-*")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	return publish(source, draft, filepath.Join(folder, "prober"))
}

// publish sets the mode explicitly, because CreateTemp and the umask would hide the program from other users, as which
// the probed containers run.
func publish(source io.Reader, draft *os.File, destination string) error {
	_, err := io.Copy(draft, source)
	if err == nil {
		err = draft.Chmod(0o755)
	}
	if closing := draft.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(draft.Name(), destination)
	}
	return err
}
