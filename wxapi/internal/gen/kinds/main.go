// Command kinds writes types.go, the structs of the callback kinds; go generate
// runs it in wxapi/callback. It needs a types.go that compiles, if only an old
// one.
package main

import (
	"log"
	"os"

	"github.com/wxbridge/wxbridge/wxapi/callback" //nolint:depguard // it reads the rows; no program imports it
)

func main() {
	text, err := types(callback.Kinds())
	if err == nil {
		err = os.WriteFile("types.go", text, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}
