package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"

	"go.opentelemetry.io/otel"
	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1listers "k8s.io/client-go/listers/core/v1"

	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
	"knative.dev/pkg/network"
	"knative.dev/pkg/observability/tracing"
	"knative.dev/pkg/system"

	eventingduckv1 "knative.dev/eventing/pkg/apis/duck/v1"
	"knative.dev/eventing/pkg/apis/eventing"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	"knative.dev/eventing/pkg/apis/feature"
	"knative.dev/eventing/pkg/broker"
	"knative.dev/eventing/pkg/broker/filter"
	"knative.dev/eventing/pkg/broker/ingress"
	"knative.dev/eventing/pkg/channel"
	"knative.dev/eventing/pkg/channel/fanout"
	"knative.dev/eventing/pkg/channel/multichannelfanout"
	"knative.dev/eventing/pkg/eventingtls"
	"knative.dev/eventing/pkg/kncloudevents"
	triggerpath "knative.dev/eventing/pkg/reconciler/sugar/trigger/path"
)

const maxHops = 255 // as cmd/broker/ingress has it

// listeners are the three servers of the data plane, each at an address of its own as in a cluster.
type listeners struct{ ingress, filter, channel net.Listener }

func listen(addr string) (listeners, error) {
	var (
		all listeners
		err error
	)
	if all.ingress, err = net.Listen("tcp", addr); err != nil {
		return all, err
	}
	if all.filter, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return all, err
	}
	all.channel, err = net.Listen("tcp", "127.0.0.1:0")
	return all, err
}

// nameFilter gives the filter the name that it has in a cluster, and returns it. The channel knows
// the filter by that name only: of its answers it tells the dead letter sink what the subscriber
// said, and not what the filter made of it.
func nameFilter(at net.Listener) (string, error) {
	if err := os.Setenv(system.NamespaceEnvKey, "knative-eventing"); err != nil {
		return "", err
	}
	name := network.GetServiceHostname("broker-filter", system.Namespace())
	transport := http.DefaultTransport.(*http.Transport) // from which Knative's clients are made
	transport.Proxy = nil
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, kind, addr string) (net.Conn, error) {
		if addr == net.JoinHostPort(name, "80") {
			addr = at.Addr().String()
		}
		return dial(ctx, kind, addr)
	}
	return name, nil
}

func urlAt(listener net.Listener, path string) *apis.URL {
	return &apis.URL{Scheme: "http", Host: listener.Addr().String(), Path: path}
}

// run serves until one of the three servers fails.
func run(ctx context.Context, logger *zap.Logger, objects []admitted, refs pairs, addr, addrFile string) error {
	at, err := listen(addr)
	if err != nil {
		return err
	}
	filterName, err := nameFilter(at.filter)
	if err != nil {
		return err
	}
	brokers, triggers := brokersAndTriggers(ctx, objects)
	channels, err := reconcile(brokers, triggers, refs, at, filterName)
	if err != nil {
		return err
	}

	var (
		brokerCache       = newInformer(brokers)
		triggerCache      = newInformer(triggers)
		subscriptionCache = newInformer[*eventingv1.Trigger](nil) // asked only where OIDC is enabled
		noBundles         = corev1listers.NewConfigMapLister(newInformer[*eventingv1.Broker](nil).indexer).ConfigMaps("")
		withFeatures      = func(c context.Context) context.Context { return feature.ToContext(c, feature.FromContext(ctx)) }
		metrics, traces   = otel.GetMeterProvider(), otel.GetTracerProvider()
	)
	otel.SetTextMapPropagator(tracing.DefaultTextMapPropagator())
	ingressHandler, err := ingress.NewHandler(logger, broker.TTLDefaulter(logger, maxHops),
		brokerInformer{brokerCache}, nil, nil, noBundles, withFeatures, metrics, traces)
	if err != nil {
		return err
	}
	filterHandler, err := filter.NewHandler(logger, nil, nil, triggerInformer{triggerCache}, brokerInformer{brokerCache},
		subscriptionInformer{subscriptionCache}, noBundles, withFeatures, metrics, traces)
	if err != nil {
		return err
	}
	dispatcher := kncloudevents.NewDispatcher(eventingtls.ClientConfig{TrustBundleConfigMapLister: noBundles}, nil)
	channelHandler, err := multichannelfanout.NewEventHandlerWithConfig(ctx, logger,
		multichannelfanout.Config{ChannelConfigs: channels}, dispatcher, metrics, traces,
		channel.ResolveChannelFromPath(channel.ParseChannelFromPath))
	if err != nil {
		return err
	}

	failed := make(chan error)
	serve := func(listener net.Listener, handler http.Handler) {
		go func() { failed <- http.Serve(listener, kncloudevents.CreateHandler(handler)) }()
	}
	serve(at.filter, filterHandler)
	serve(at.channel, channelHandler)
	serve(at.ingress, ingressHandler)
	if err := ping(logger, objects, refs); err != nil {
		return err
	}
	for _, b := range brokers {
		fmt.Fprintf(os.Stderr, "Broker %s/%s at %s\n", b.Namespace, b.Name, b.Status.Address.URL)
	}
	if addrFile != "" {
		aside := addrFile + ".new" // renamed into place: who sees the file sees all of it
		if err := os.WriteFile(aside, []byte(at.ingress.Addr().String()), 0o644); err != nil {
			return err
		}
		if err := os.Rename(aside, addrFile); err != nil {
			return err
		}
	}
	return <-failed
}

// brokersAndTriggers picks what the data plane serves. A Broker that a Trigger names and no file
// declares is there too, with a cluster's defaults.
func brokersAndTriggers(ctx context.Context, objects []admitted) ([]*eventingv1.Broker, []*eventingv1.Trigger) {
	var (
		brokers  []*eventingv1.Broker
		triggers []*eventingv1.Trigger
		declared = map[types.NamespacedName]bool{}
	)
	for _, one := range objects {
		switch object := one.object.(type) {
		case *eventingv1.Broker:
			brokers = append(brokers, object)
			declared[types.NamespacedName{Namespace: object.Namespace, Name: object.Name}] = true
		case *eventingv1.Trigger:
			triggers = append(triggers, object)
		}
	}
	for _, trigger := range triggers {
		name := types.NamespacedName{Namespace: trigger.Namespace, Name: trigger.Spec.Broker}
		if !declared[name] {
			declared[name] = true
			undeclared := &eventingv1.Broker{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
			undeclared.SetDefaults(ctx)
			brokers = append(brokers, undeclared)
		}
	}
	return brokers, triggers
}

// reconcile does what the controllers of Broker, Trigger, Subscription and InMemoryChannel do
// between them: it fills in the status that the data plane reads, and gives the channels' content.
func reconcile(brokers []*eventingv1.Broker, triggers []*eventingv1.Trigger, refs pairs, at listeners, filterName string) ([]multichannelfanout.ChannelConfig, error) {
	var channels []multichannelfanout.ChannelConfig
	for _, b := range brokers {
		channelPath := b.Namespace + "/" + b.Name + "-kne-trigger"
		b.UID = types.UID("broker-" + b.Name)
		b.Status.Address = &duckv1.Addressable{URL: urlAt(at.ingress, "/"+b.Namespace+"/"+b.Name)}
		b.Status.Annotations = map[string]string{
			eventing.BrokerChannelAddressStatusAnnotationKey: urlAt(at.channel, "/"+channelPath).String(),
		}
		var subscriptions []fanout.Subscription
		for _, trigger := range triggers {
			if trigger.Namespace != b.Namespace || trigger.Spec.Broker != b.Name {
				continue
			}
			subscription, err := subscribe(b, trigger, refs, at, filterName)
			if err != nil {
				return nil, fmt.Errorf("Trigger %s/%s: %w", trigger.Namespace, trigger.Name, err)
			}
			subscriptions = append(subscriptions, *subscription)
		}
		channels = append(channels, multichannelfanout.ChannelConfig{
			Namespace: b.Namespace, Name: b.Name + "-kne-trigger", Path: channelPath,
			FanoutConfig: fanout.Config{Subscriptions: subscriptions},
		})
	}
	return channels, nil
}

func subscribe(b *eventingv1.Broker, trigger *eventingv1.Trigger, refs pairs, at listeners, filterName string) (*fanout.Subscription, error) {
	trigger.UID = types.UID("trigger-" + trigger.Name)
	var err error
	if trigger.Status.SubscriberURI, err = resolve(&trigger.Spec.Subscriber, trigger.Namespace, refs); err != nil {
		return nil, fmt.Errorf("subscriber: %w", err)
	}
	// The Trigger's block replaces the Broker's as a whole; the two are never merged.
	delivery := trigger.Spec.Delivery.DeepCopy()
	if delivery == nil {
		delivery = b.Spec.Delivery.DeepCopy()
	}
	if delivery != nil && delivery.DeadLetterSink != nil {
		if trigger.Status.DeadLetterSinkURI, err = resolve(delivery.DeadLetterSink, trigger.Namespace, refs); err != nil {
			return nil, fmt.Errorf("deadLetterSink: %w", err)
		}
		delivery.DeadLetterSink = &duckv1.Destination{URI: trigger.Status.DeadLetterSinkURI}
	}
	subscription, err := fanout.SubscriberSpecToFanoutConfig(eventingduckv1.SubscriberSpec{
		UID: trigger.UID, Name: &trigger.Name, Delivery: delivery,
		SubscriberURI: &apis.URL{Scheme: "http", Host: filterName, Path: triggerpath.Generate(trigger)},
		ReplyURI:      b.Status.Address.URL,
	})
	if err == nil {
		subscription.Namespace = trigger.Namespace
	}
	return subscription, err
}

// resolve stands in for a cluster's name service: a URI is taken as it is, a reference by --ref.
func resolve(to *duckv1.Destination, namespace string, refs pairs) (*apis.URL, error) {
	if to.Ref == nil {
		return to.URI, nil
	}
	if to.Ref.Namespace != "" {
		namespace = to.Ref.Namespace
	}
	for _, key := range []string{
		to.Ref.Kind + "/" + namespace + "/" + to.Ref.Name,
		to.Ref.Kind + "/" + to.Ref.Name,
		"*",
	} {
		address, ok := refs[key]
		if !ok {
			continue
		}
		base, err := url.Parse(address)
		if err != nil {
			return nil, err
		}
		if to.URI != nil {
			base = base.ResolveReference(to.URI.URL())
		}
		return (*apis.URL)(base), nil
	}
	return nil, fmt.Errorf("no --ref says where %s/%s leads", to.Ref.Kind, to.Ref.Name)
}
