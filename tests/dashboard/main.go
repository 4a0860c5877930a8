// Command dashboard reads dashboards as Grafana Labs' own schemas have them: every member must be one that Grafana knows,
// of its kind, there where it is required, also in what a panel's and a query's plugin reads.
//
//	dashboard FILE...
//
// Ends 1 with a line for each member that is not.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	ended := 0
	for _, file := range os.Args[1:] {
		for _, problem := range problems(check(file)) {
			fmt.Fprintf(os.Stderr, "%s: %s\n", file, problem)
			ended = 1
		}
	}
	os.Exit(ended)
}

func check(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var read dashboard.Dashboard
	if err := read.UnmarshalJSONStrict(text); err != nil {
		return err
	}
	return read.Validate()
}

// problems are the parts of an error, each with the path to its member.
func problems(err error) []error {
	var several cog.BuildErrors
	if !errors.As(err, &several) {
		if err == nil {
			return nil
		}
		return []error{err}
	}
	parts := make([]error, 0, len(several))
	for _, part := range several {
		parts = append(parts, part)
	}
	return parts
}
