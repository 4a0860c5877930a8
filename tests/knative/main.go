// Command knative-dataplane is the code that Knative Eventing itself runs, as one program on
// loopback and without Kubernetes, for tests against the real thing.
//
//	knative-dataplane run [flags] FILE|DIR...       Broker ingress, in-memory channel, Trigger filter, PingSources
//	knative-dataplane validate [flags] FILE|DIR...  what the API server and the webhooks would refuse
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"go.uber.org/zap"

	"knative.dev/eventing/pkg/apis/feature"
)

// pairs collects a repeatable flag of the form KEY=VALUE.
type pairs map[string]string

func (p pairs) String() string { return fmt.Sprint(map[string]string(p)) }

func (p pairs) Set(pair string) error {
	key, value, ok := strings.Cut(pair, "=")
	if !ok {
		return errors.New("want KEY=VALUE")
	}
	p[key] = value
	return nil
}

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "knative-dataplane:", err)
		os.Exit(1)
	}
}

func command(args []string) error {
	if len(args) == 0 {
		return errors.New("want run or validate, then FILE|DIR...")
	}
	var (
		flags      = flag.NewFlagSet(args[0], flag.ExitOnError)
		namespace  = flags.String("namespace", "default", "of objects that name none")
		features   = pairs{}
		addr       = flags.String("addr", "127.0.0.1:0", "run: where the ingress listens; port 0 takes a free one")
		addrFile   = flags.String("addr-file", "", "run: write HOST:PORT of the ingress there, once it takes events")
		logLevel   = flags.String("log", "error", "run: log level of Knative's code")
		refs       = pairs{}
		whileStdin = flags.Bool("while-stdin", false, "run: end when standard input ends, however its other end went away")
	)
	flags.Var(features, "feature", "an entry of the ConfigMap config-features, as delivery-timeout=enabled (repeatable)")
	flags.Var(refs, "ref", "run: where a reference leads, as Service/NAME=URL, or *=URL for all others (repeatable)")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	featureFlags, err := feature.NewFlagsConfigFromMap(features)
	if err != nil {
		return err
	}
	ctx := feature.ToContext(context.Background(), featureFlags)
	objects, err := admitAll(ctx, flags.Args(), *namespace)
	if err != nil {
		return err
	}
	switch args[0] {
	case "validate":
		for _, object := range objects {
			fmt.Println("ok", object)
		}
		return nil
	case "run":
		config := zap.NewProductionConfig()
		config.DisableStacktrace = true
		if err := config.Level.UnmarshalText([]byte(*logLevel)); err != nil {
			return err
		}
		logger, err := config.Build()
		if err != nil {
			return err
		}
		if *whileStdin {
			go func() {
				_, _ = io.Copy(io.Discard, os.Stdin)
				os.Exit(0)
			}()
		}
		return run(ctx, logger, objects, refs, *addr, *addrFile)
	default:
		return fmt.Errorf("unknown command %q, want run or validate", args[0])
	}
}
