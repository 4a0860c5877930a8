package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"knative.dev/pkg/apis"

	"knative.dev/eventing/pkg/apis/config"
	eventingv1 "knative.dev/eventing/pkg/apis/eventing/v1"
	messagingv1 "knative.dev/eventing/pkg/apis/messaging/v1"
	sourcesv1 "knative.dev/eventing/pkg/apis/sources/v1"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
)

// known holds every kind that a file may name. Those of Knative are defaulted and validated by
// their own webhook code as well; of Kubernetes' own only unknown fields and wrong types are found.
var known = runtime.NewScheme()

func init() {
	for _, add := range []func(*runtime.Scheme) error{
		appsv1.AddToScheme, batchv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme,
		rbacv1.AddToScheme,
		eventingv1.AddToScheme, messagingv1.AddToScheme, sourcesv1.AddToScheme, servingv1.AddToScheme,
	} {
		utilruntime.Must(add(known))
	}
}

// brokerDefaults is what a cluster gives a Broker that says nothing else: Knative's ConfigMap
// config-br-defaults as it is installed.
const brokerDefaults = `
clusterDefault:
  brokerClass: MTChannelBasedBroker
  apiVersion: v1
  kind: ConfigMap
  name: config-br-default-channel
  namespace: knative-eventing
  delivery: {retry: 10, backoffPolicy: exponential, backoffDelay: PT0.2S}
`

// admitted is an object as a cluster would store it.
type admitted struct {
	file   string
	object runtime.Object
	meta   metav1.Object
}

func (a admitted) name() string {
	kind := a.object.GetObjectKind().GroupVersionKind().Kind
	return fmt.Sprintf("%s %s/%s", kind, a.meta.GetNamespace(), a.meta.GetName())
}

func (a admitted) String() string { return a.file + ": " + a.name() }

// admitAll reads all documents and reports all that would be refused, not only the first.
func admitAll(ctx context.Context, paths []string, namespace string) ([]admitted, error) {
	defaults, err := config.NewDefaultsConfigFromMap(map[string]string{"default-br-config": brokerDefaults})
	if err != nil {
		return nil, err
	}
	ctx = apis.WithinCreate(config.ToContext(ctx, &config.Config{Defaults: defaults}))
	files, err := yamlFiles(paths)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New("no FILE or DIR with YAML was given")
	}
	var (
		all     []admitted
		refused []error
	)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
		for {
			document, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if isEmpty(document) {
				continue
			}
			one, err := admit(ctx, file, document, namespace)
			if err != nil {
				refused = append(refused, fmt.Errorf("\nREFUSED %s: %w", file, err))
				continue
			}
			all = append(all, one)
		}
	}
	return all, errors.Join(refused...)
}

// admit decodes strictly, defaults and validates, in a cluster's order.
func admit(ctx context.Context, file string, document []byte, namespace string) (admitted, error) {
	decoder := serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()
	object, _, err := decoder.Decode(document, nil, nil)
	if err != nil {
		return admitted{}, err
	}
	meta, ok := object.(metav1.Object)
	if !ok {
		return admitted{}, fmt.Errorf("%T has no name", object)
	}
	if meta.GetNamespace() == "" {
		meta.SetNamespace(namespace)
	}
	one := admitted{file: file, object: object, meta: meta}
	if defaultable, ok := object.(apis.Defaultable); ok {
		defaultable.SetDefaults(ctx)
	}
	if validatable, ok := object.(apis.Validatable); ok {
		found := validatable.Validate(ctx)
		if warning := found.Filter(apis.WarningLevel); warning != nil {
			fmt.Fprintf(os.Stderr, "warning: %s: %v\n", one, warning)
		}
		if refusal := found.Filter(apis.ErrorLevel); refusal != nil {
			return admitted{}, fmt.Errorf("%s: %w", one.name(), refusal)
		}
	}
	return one, nil
}

// yamlFiles takes files as they are named, and of a folder all YAML in it and below.
func yamlFiles(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		err := filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			extension := filepath.Ext(file)
			if err == nil && !entry.IsDir() && (file == path || extension == ".yaml" || extension == ".yml") {
				files = append(files, file)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// isEmpty says whether a document is nothing but comments, as one before the first separator is.
func isEmpty(document []byte) bool {
	for line := range strings.Lines(string(document)) {
		line = strings.TrimSpace(line)
		if line != "" && line != "---" && !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}
