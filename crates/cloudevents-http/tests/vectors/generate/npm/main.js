// Writes messages with the npm package `cloudevents`, or reads with it the messages on stdin.
//
//   node main.js write > ../../npm.json
//   cargo run --example messages | node main.js read
"use strict";
const { CloudEvent, HTTP } = require("cloudevents");

const required = { id: "1", source: "/npm", type: "t", time: "2024-05-06T07:08:09.010Z" };
const events = {
  minimal: {},
  object: { datacontenttype: "application/json", data: { a: 1, b: ["x", null] } },
  text: { datacontenttype: "text/plain", data: "Grüße\n\"x\"" },
  bytes: { datacontenttype: "application/octet-stream", data: new Uint8Array([0, 255, 34]) },
  extensions: { subject: "s", dataschema: "https://example.com/schema", exstring: "x", exbool: true, exint: -7 },
};

/** The event as its sender means it: attributes as canonical strings, data as a binary body. */
function view(event) {
  const attributes = {};
  for (const [name, value] of Object.entries(event.toJSON())) {
    if (name !== "data" && name !== "data_base64" && value !== undefined && value !== null) {
      attributes[name] = String(value);
    }
  }
  let data = Buffer.alloc(0);
  if (ArrayBuffer.isView(event.data)) {
    // What the package read from base64 is one number a byte, of whatever width.
    data = Buffer.from(Array.from(event.data));
  } else if (event.data !== undefined && /json/.test(event.datacontenttype || "json")) {
    data = Buffer.from(JSON.stringify(event.data));
  } else if (event.data !== undefined) {
    data = Buffer.from(event.data);
  }
  return { attributes, data: data.toString("base64") };
}

function write() {
  const messages = [];
  const record = (name, message, events) =>
    messages.push({
      name,
      headers: Object.entries(message.headers).map(([header, value]) => [header, String(value)]),
      body: Buffer.from(message.body ?? "").toString("base64"),
      events,
    });
  const all = [];
  for (const [name, more] of Object.entries(events)) {
    const event = new CloudEvent({ ...required, id: name, ...more });
    all.push(event);
    const binary = view(event);
    // In binary mode the package names this type even where the event has none.
    binary.attributes.datacontenttype ??= "application/json; charset=utf-8";
    record(`${name}-binary`, HTTP.binary(event), [binary]);
    record(`${name}-structured`, HTTP.structured(event), [view(event)]);
  }
  // The package reads batches and writes none; a batch is its events in an array.
  record(
    "batch",
    {
      headers: { "content-type": "application/cloudevents-batch+json; charset=utf-8" },
      body: `[${all.map((event) => HTTP.structured(event).body).join(",\n")}]`,
    },
    all.map(view),
  );
  console.log(JSON.stringify(messages, null, 2));
}

async function read() {
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  const messages = JSON.parse(text);
  for (const message of messages) {
    const headers = Object.fromEntries(message.headers);
    const bytes = Buffer.from(message.body, "base64");
    const opaque = headers["content-type"] === "application/octet-stream";
    const got = [HTTP.toEvent({ headers, body: opaque ? new Uint8Array(bytes) : bytes.toString() })].flat();
    const sorted = (event) => JSON.stringify([Object.entries(event.attributes).sort(), normal(event)]);
    // The package builds a tree of JSON and prints it anew.
    const normal = (event) => {
      const data = Buffer.from(event.data, "base64").toString();
      return /json/.test(event.attributes.datacontenttype || "json") && data ? JSON.parse(data) : event.data;
    };
    const have = got.map(view).map((event, index) => {
      // The package gives a time to events that have none.
      if (!message.events[index]?.attributes.time) delete event.attributes.time;
      return sorted(event);
    });
    const want = message.events.map(sorted);
    if (JSON.stringify(have) !== JSON.stringify(want)) {
      throw new Error(`${message.name}:\n got ${have}\nwant ${want}`);
    }
  }
  console.log(`npm: ${messages.length} messages read`);
}

const run = { write, read }[process.argv[2]];
if (!run) throw new Error("usage: write | read");
Promise.resolve(run()).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
