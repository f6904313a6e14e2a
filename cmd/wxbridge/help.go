package main

import (
	"context"
	"fmt"
	"reflect"
	"text/tabwriter"
)

func help(_ context.Context, p *program) error {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "wxbridge bridges WeChat Official Accounts and NATS JetStream.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  wxbridge %s\t%s\n", c.name, c.about)
	}
	fmt.Fprint(w, "\nEnvironment (secrets also as <NAME>_FILE, the path of a file that holds them):\n")
	var s settings
	for _, part := range s.parts() {
		t := reflect.TypeOf(part).Elem()
		for i := range t.NumField() {
			tag := t.Field(i).Tag
			about := tag.Get("desc")
			if def := tag.Get("default"); def != "" {
				about += " (" + def + ")"
			}
			fmt.Fprintf(w, "  %s\t%s\n", tag.Get("envconfig"), about)
		}
	}
	fmt.Fprint(w, "\nExit codes: 0 done, 1 failed while running, 78 configuration.\n")
	return w.Flush()
}
