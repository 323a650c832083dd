//go:build ignore

// The archive is the image that prober/Dockerfile describes: nothing but /prober, so that mounting it as an image
// volume shows nothing else, and user 65532. One manifest a binary, by the architecture that the binary itself names.
// The same binaries make the same bytes: no time, no owner, entries in a fixed order.
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"
)

const (
	layerType    = "application/vnd.oci.image.layer.v1.tar"
	configType   = "application/vnd.oci.image.config.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
)

type object = map[string]any

// layout collects the blobs of the archive, in the order in which they are added.
type layout struct {
	names []string
	blobs map[string][]byte
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("usage: image ARCHIVE.tar REFERENCE BINARY...")
	}
	archive, err := build(os.Args[2], os.Args[3:])
	if err == nil {
		err = os.WriteFile(os.Args[1], archive, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x  %8d bytes  %s\n", sha256.Sum256(archive), len(archive), os.Args[1])
}

func build(reference string, binaries []string) ([]byte, error) {
	l := &layout{blobs: map[string][]byte{}}
	var manifests []object
	for _, path := range binaries {
		manifest, err := l.image(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		manifests = append(manifests, manifest)
	}
	top := l.add(indexType, encode(object{"schemaVersion": 2, "mediaType": indexType, "manifests": manifests}))
	// containerd takes the name from the first, other tools from the second.
	top["annotations"] = object{"io.containerd.image.name": reference, "org.opencontainers.image.ref.name": reference}
	l.put("index.json", encode(object{"schemaVersion": 2, "mediaType": indexType, "manifests": []object{top}}))
	l.put("oci-layout", encode(object{"imageLayoutVersion": "1.0.0"}))
	return pack(l.names, l.blobs, 0o644)
}

// image adds the layer, configuration and manifest of one binary.
func (l *layout) image(path string) (object, error) {
	architecture, err := architectureOf(path)
	if err != nil {
		return nil, err
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	layer, err := pack([]string{"prober"}, map[string][]byte{"prober": binary}, 0o755)
	if err != nil {
		return nil, err
	}
	layerBlob := l.add(layerType, layer)
	config := l.add(configType, encode(object{
		"architecture": architecture, "os": "linux",
		"config": object{"User": "65532:65532", "Entrypoint": []string{"/prober"}},
		"rootfs": object{"type": "layers", "diff_ids": []any{layerBlob["digest"]}},
	}))
	manifest := l.add(manifestType, encode(object{"schemaVersion": 2, "mediaType": manifestType, "config": config, "layers": []object{layerBlob}}))
	manifest["platform"] = object{"architecture": architecture, "os": "linux"}
	return manifest, nil
}

func architectureOf(path string) (string, error) {
	file, err := elf.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	names := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}
	if name, known := names[file.Machine]; known {
		return name, nil
	}
	return "", fmt.Errorf("built for %v, not for amd64 or arm64", file.Machine)
}

func (l *layout) add(mediaType string, blob []byte) object {
	digest := fmt.Sprintf("%x", sha256.Sum256(blob))
	l.put("blobs/sha256/"+digest, blob)
	return object{"mediaType": mediaType, "digest": "sha256:" + digest, "size": len(blob)}
}

func (l *layout) put(name string, blob []byte) {
	if _, there := l.blobs[name]; !there {
		l.names = append(l.names, name)
	}
	l.blobs[name] = blob
}

// encode sorts keys, as encoding/json does with maps.
func encode(value object) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return text
}

func pack(names []string, files map[string][]byte, mode int64) ([]byte, error) {
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for _, name := range names {
		header := &tar.Header{Name: name, Size: int64(len(files[name])), Mode: mode, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}
