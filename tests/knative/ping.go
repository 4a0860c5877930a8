package main

import (
	"fmt"

	"github.com/robfig/cron/v3"
	"go.uber.org/zap"
	"k8s.io/client-go/kubernetes/fake"

	"knative.dev/eventing/pkg/adapter/mtping"
	"knative.dev/eventing/pkg/adapter/v2"
	sourcesv1 "knative.dev/eventing/pkg/apis/sources/v1"
)

// noSinkTimeout is K_SINK_TIMEOUT as Knative's own manifest of the adapter has it.
const noSinkTimeout = "-1"

// ping has Knative's PingSource adapter send the events of all PingSources, until the program ends.
// As in a cluster a tick does not wait for the one before.
func ping(logger *zap.Logger, objects []admitted, refs pairs) error {
	var sources []*sourcesv1.PingSource
	for _, one := range objects {
		if source, ok := one.object.(*sourcesv1.PingSource); ok {
			sources = append(sources, source)
		}
	}
	if len(sources) == 0 {
		return nil
	}
	config := adapter.ClientConfig{Env: &adapter.EnvConfig{EnvSinkTimeout: noSinkTimeout}}
	// As the adapter has it: seconds, too.
	schedules := cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	// The adapter would tell the API server of what could not be sent.
	runner := mtping.NewCronJobsRunner(config, fake.NewClientset(), logger.Sugar(), cron.WithParser(schedules))
	for _, source := range sources {
		var err error
		if source.Status.SinkURI, err = resolve(&source.Spec.Sink, source.Namespace, refs); err != nil {
			return fmt.Errorf("PingSource %s/%s: %w", source.Namespace, source.Name, err)
		}
		if runner.AddSchedule(source) <= 0 {
			return fmt.Errorf("PingSource %s/%s: no schedule: %q", source.Namespace, source.Name, source.Spec.Schedule)
		}
	}
	go runner.Start(nil)
	return nil
}
