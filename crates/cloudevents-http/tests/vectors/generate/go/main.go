// Writes messages with the CloudEvents SDK for Go, or reads with it the messages on stdin.
//
//	go run . write > ../../go.json
//	cargo run --example messages | go run . read
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"sort"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/cloudevents/sdk-go/v2/test"
	"github.com/cloudevents/sdk-go/v2/types"
)

// Message is one HTTP message and the events that its sender means by it.
type Message struct {
	Name    string      `json:"name"`
	Headers [][2]string `json:"headers"`
	Body    []byte      `json:"body"`
	Events  []Event     `json:"events"`
}

// Event is an event with its attributes in canonical string form.
type Event struct {
	Attributes map[string]string `json:"attributes"`
	Data       []byte            `json:"data"`
}

func main() {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "write":
		err = write()
	case len(os.Args) == 2 && os.Args[1] == "read":
		err = read(os.Stdin)
	default:
		err = fmt.Errorf("usage: write | read")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// In structured mode this SDK writes data of a +json type as a JSON string of JSON text, which the
// JSON event format forbids (3.1.1).
const binaryOnly = "suffix"

func events() map[string]event.Event {
	all := map[string]event.Event{"full": test.FullEvent(), "minimal": test.MinEvent()}
	with := func(name string, change func(*event.Event)) {
		e := test.MinEvent()
		e.SetID(name)
		change(&e)
		if err := e.Validate(); err != nil {
			panic(err)
		}
		all[name] = e
	}
	with("unicode", func(e *event.Event) {
		e.SetSubject("Euro € 😀")
		must(e.SetData("text/plain; charset=utf-8", []byte("Grüße")))
	})
	with("encoded-source", func(e *event.Event) { e.SetSource("https://example.com/a%20b/ü") })
	with("bytes", func(e *event.Event) { must(e.SetData("application/octet-stream", []byte{0, 255, 34})) })
	with("json", func(e *event.Event) {
		must(e.SetData("application/json", json.RawMessage(`{"big":12345678901234567890,"one":1.0}`)))
	})
	with(binaryOnly, func(e *event.Event) { must(e.SetData("application/x+json", json.RawMessage(`[1]`))) })
	with("percent", func(e *event.Event) { e.SetSubject("100% sure") })
	return all
}

func write() error {
	var messages []Message
	all := events()
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	sort.Strings(names)
	var batch []event.Event
	for _, name := range names {
		e := all[name]
		if name != binaryOnly {
			batch = append(batch, e)
		}
		for mode, ctx := range map[string]context.Context{
			"binary":     binding.WithForceBinary(context.Background()),
			"structured": binding.WithForceStructured(context.Background()),
		} {
			if name == binaryOnly && mode != "binary" {
				continue
			}
			request, err := cehttp.NewHTTPRequestFromEvent(ctx, "http://localhost/", e)
			if err != nil {
				return err
			}
			message, err := record(name+"-"+mode, request, e)
			if err != nil {
				return err
			}
			messages = append(messages, message)
		}
	}
	request, err := cehttp.NewHTTPRequestFromEvents(context.Background(), "http://localhost/", batch)
	if err != nil {
		return err
	}
	message, err := record("batch", request, batch...)
	if err != nil {
		return err
	}
	messages = append(messages, message)
	sort.Slice(messages, func(i, j int) bool { return messages[i].Name < messages[j].Name })
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(messages)
}

func record(name string, request *http.Request, events ...event.Event) (Message, error) {
	message := Message{Name: name}
	for header, values := range request.Header {
		for _, value := range values {
			message.Headers = append(message.Headers, [2]string{header, value})
		}
	}
	sort.Slice(message.Headers, func(i, j int) bool { return message.Headers[i][0] < message.Headers[j][0] })
	if request.Body != nil {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return message, err
		}
		message.Body = body
	}
	for _, e := range events {
		message.Events = append(message.Events, view(e))
	}
	return message, nil
}

func view(e event.Event) Event {
	attributes := map[string]string{
		"specversion": e.SpecVersion(), "id": e.ID(), "type": e.Type(), "source": e.Source(),
	}
	for name, value := range map[string]string{
		"subject": e.Subject(), "datacontenttype": e.DataContentType(), "dataschema": e.DataSchema(),
	} {
		if value != "" {
			attributes[name] = value
		}
	}
	if !e.Time().IsZero() {
		attributes["time"] = types.FormatTime(e.Time())
	}
	for name, value := range e.Extensions() {
		text, err := types.Format(value)
		if err != nil {
			panic(err)
		}
		attributes[name] = text
	}
	return Event{Attributes: attributes, Data: e.Data()}
}

func read(in io.Reader) error {
	var messages []Message
	if err := json.NewDecoder(in).Decode(&messages); err != nil {
		return err
	}
	for _, message := range messages {
		request, err := http.NewRequest("POST", "http://localhost/", bytes.NewReader(message.Body))
		if err != nil {
			return err
		}
		for _, header := range message.Headers {
			request.Header.Add(header[0], header[1])
		}
		var events []event.Event
		if cehttp.IsHTTPBatch(request.Header) {
			if events, err = cehttp.NewEventsFromHTTPRequest(request); err != nil {
				return fmt.Errorf("%s: %w", message.Name, err)
			}
		} else {
			e, err := cehttp.NewEventFromHTTPRequest(request)
			if err != nil {
				return fmt.Errorf("%s: %w", message.Name, err)
			}
			events = append(events, *e)
		}
		if len(events) != len(message.Events) {
			return fmt.Errorf("%s: %d events, not %d", message.Name, len(events), len(message.Events))
		}
		for i, e := range events {
			if err := e.Validate(); err != nil {
				return fmt.Errorf("%s: %w", message.Name, err)
			}
			got, want := view(e), message.Events[i]
			if !reflect.DeepEqual(got.Attributes, want.Attributes) || !bytes.Equal(got.Data, want.Data) {
				return fmt.Errorf("%s:\n got %v %q\nwant %v %q", message.Name, got.Attributes, got.Data, want.Attributes, want.Data)
			}
		}
	}
	fmt.Printf("go: %d messages read\n", len(messages))
	return nil
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
