package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestInstallCopiesTheProgramForEveryUser(t *testing.T) {
	folder := t.TempDir()
	before := syscall.Umask(0o077)
	got := spawn(nil, "install", folder)
	syscall.Umask(before)
	got.expect(t, exitSuccess, "")
	want, _ := os.ReadFile(proberPath)
	copied, err := os.ReadFile(filepath.Join(folder, "prober"))
	if err != nil || !bytes.Equal(copied, want) {
		t.Fatalf("%d bytes, %v", len(copied), err)
	}
	info, _ := os.Stat(filepath.Join(folder, "prober"))
	if info.Mode() != 0o755 {
		t.Errorf("mode %v", info.Mode())
	}
	output, err := exec.Command(filepath.Join(folder, "prober"), "version").Output()
	if string(output) != "prober 9.9.9\n" {
		t.Errorf("%q, %v", output, err)
	}
}

// A second run finds the first one's file, perhaps while a probe is running it: writing into it would fail with "text
// file busy" or expose a partial program to the probe.
func TestInstallReplacesTheFileInOneStep(t *testing.T) {
	folder := t.TempDir()
	spawn(nil, "install", folder).expect(t, exitSuccess, "")
	held, err := os.Open(filepath.Join(folder, "prober"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	spawn(nil, "install", folder).expect(t, exitSuccess, "")
	first, _ := held.Stat()
	second, _ := os.Stat(filepath.Join(folder, "prober"))
	if os.SameFile(first, second) {
		t.Error("the file was written in place")
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestInstallSaysWhyItCannot(t *testing.T) {
	spawn(nil, "install", "/nowhere").expect(t, exitFailure, "install: open /nowhere/")
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "prober"), 0o755); err != nil {
		t.Fatal(err)
	}
	spawn(nil, "install", folder).expect(t, exitFailure, "install: rename")
	if entries, _ := os.ReadDir(folder); len(entries) != 1 || strings.HasPrefix(entries[0].Name(), ".") {
		t.Errorf("left behind: %v", entries)
	}
}

// The application's image may be empty.
func TestACheckNeedsNoFileAndNoUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can change the root folder")
	}
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	spawn(nil, "install", root).expect(t, exitSuccess, "")
	bare := func(command *exec.Cmd) {
		command.Path, command.Dir = "/prober", "/"
		command.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	}
	port := serve(t, "127.0.0.1", answering(200, ""))
	spawn(bare, "http", "--port="+port, "--timeout=5s").expect(t, exitSuccess, "")
	spawn(bare, "tcp", "--port="+port, "--timeout=5s").expect(t, exitSuccess, "")
	spawn(bare, "https", "--port="+serveTLS(t, "h2"), "--timeout=5s").expect(t, exitSuccess, "")
	spawn(bare, "grpc", "--port="+serveGRPC(t, health(framed("\x08\x01"), "0")), "--timeout=5s").expect(t, exitSuccess, "")
}
