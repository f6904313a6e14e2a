// Command contract writes the files of events/schema; go generate runs it in
// events.
package main

import (
	"log"
	"os"
	"path/filepath"

	"github.com/wxbridge/wxbridge/events/internal/gen"
)

func main() {
	if err := write("schema"); err != nil {
		log.Fatal(err)
	}
}

// write makes a folder hold the files of today, and none of yesterday's.
func write(folder string) error {
	files, err := gen.Files(os.DirFS(".."))
	if err != nil {
		return err
	}
	for _, ending := range []string{"*.json", "*.yaml"} {
		old, err := filepath.Glob(filepath.Join(folder, ending))
		if err != nil {
			return err
		}
		for _, path := range old {
			if files[filepath.Base(path)] != nil {
				continue
			}
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
