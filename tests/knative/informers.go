package main

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	eventinglisters "knative.dev/eventing/pkg/client/listers/eventing/v1"
	messaginglisters "knative.dev/eventing/pkg/client/listers/messaging/v1"
)

// informer stands in for one that watches an API server: its objects are there from the start and
// never change. Whoever asks to be told of them has been told when the call returns, so that
// nothing need be waited for.
type informer struct {
	cache.SharedIndexInformer // nil: nothing else of it is called by the data plane

	indexer cache.Indexer
}

func newInformer[T runtime.Object](objects []T) informer {
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	for _, object := range objects {
		_ = indexer.Add(object) // fails for objects without a name only, and those were refused
	}
	return informer{indexer: indexer}
}

func (i informer) AddEventHandler(handler cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	for _, object := range i.indexer.List() {
		handler.OnAdd(object, true)
	}
	return nil, nil
}

type brokerInformer struct{ informer }

func (i brokerInformer) Informer() cache.SharedIndexInformer { return i.informer }
func (i brokerInformer) Lister() eventinglisters.BrokerLister {
	return eventinglisters.NewBrokerLister(i.indexer)
}

type triggerInformer struct{ informer }

func (i triggerInformer) Informer() cache.SharedIndexInformer { return i.informer }
func (i triggerInformer) Lister() eventinglisters.TriggerLister {
	return eventinglisters.NewTriggerLister(i.indexer)
}

type subscriptionInformer struct{ informer }

func (i subscriptionInformer) Informer() cache.SharedIndexInformer { return i.informer }
func (i subscriptionInformer) Lister() messaginglisters.SubscriptionLister {
	return messaginglisters.NewSubscriptionLister(i.indexer)
}
