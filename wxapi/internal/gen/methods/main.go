// Command methods writes client_methods.go; go generate runs it in wxapi.
package main

import (
	"log"
	"os"

	"github.com/wxbridge/wxbridge/wxapi/internal/gen"
)

func main() {
	text, err := gen.Methods(os.DirFS("."))
	if err == nil {
		err = os.WriteFile("client_methods.go", text, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}
