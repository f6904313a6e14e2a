// Package schema holds the contract's files: a JSON Schema (2020-12) of the
// data of every event, and the AsyncAPI 3.0 document of all channels. They are
// generated; `wxbridge schema` prints them.
package schema

import (
	"bytes"
	"embed"
	"regexp"
	"strings"
)

//go:embed *.json asyncapi.yaml
var files embed.FS

// Names lists the schemas in order: cmd.send_custom_message, inbound.text,
// reply and so on.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil // it is there: the folder is part of the program
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".json"); ok {
			names = append(names, name)
		}
	}
	return names
}

// JSON is the schema of a name. Outcomes and dead letters of every kind and
// verb have the same one, so outcome.text gives that of outcome.
func JSON(name string) (file []byte, ok bool) {
	for _, shared := range []string{"outcome", "dlq"} {
		if strings.HasPrefix(name, shared+".") {
			name = shared
		}
	}
	file, err := files.ReadFile(name + ".json")
	return file, err == nil
}

// AsyncAPI is the AsyncAPI document with all schemas inside, for tools that
// read one file. The file asyncapi.yaml refers to them.
func AsyncAPI() []byte {
	document, err := files.ReadFile("asyncapi.yaml")
	if err != nil {
		return nil // likewise
	}
	return reference.ReplaceAllFunc(document, func(line []byte) []byte {
		found := reference.FindSubmatch(line)
		file, ok := JSON(string(found[2]))
		if !ok {
			return line
		}
		return inside(file, string(found[1]))
	})
}

// reference is a line that refers to a schema's file.
var reference = regexp.MustCompile(`(?m)^( +)\$ref: \./(\S+)\.json$`)

// inside indents a schema so that it may stand in YAML, which takes JSON. Its
// $schema and $id are those of a file: readers of AsyncAPI know neither.
func inside(file []byte, indent string) []byte {
	var b bytes.Buffer
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, `  "$schema":`) || strings.HasPrefix(line, `  "$id":`) {
			continue
		}
		b.WriteString(indent + line)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
