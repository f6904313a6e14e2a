// Command gen writes the committed files of package permissions.
package main

import (
	"log"
	"os"

	"github.com/wxbridge/wxbridge/events/bus/permissions"
)

func main() {
	for _, create := range []bool{true, false} {
		if err := os.WriteFile(permissions.FileName(create), permissions.Conf("wx", create), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
