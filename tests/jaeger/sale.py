#!/usr/bin/env python3
"""A customer buys tickets, and Jaeger has one whole trace of it. `make jaeger-test` runs it on the stage.

    tests/jaeger/sale.py DEMO WEBSITE JAEGER    the program `demo`, and two URLs

Prints the trace as a tree, as Jaeger's API has it. Ends 1, with what is wrong, where it is not whole after a minute.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

SERVICES = {"website", "queue", "tickets", "payments", "eventing-zeebe"}
FIRST = ("website", "customer pays")
LAST = ("website", "receive Tickets.Emitted")
WITHIN = 60  # seconds; spans leave by batches, five seconds apart


def get(url):
    """The JSON that an address answers with."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


class Trace:
    """One trace, as Jaeger tells it."""

    def __init__(self, told):
        self.id = told["traceID"]
        self.spans = {span["spanID"]: span for span in told["spans"]}
        self.services = {key: it["serviceName"] for key, it in told["processes"].items()}

    def name(self, span):
        return self.services[span["processID"]], span["operationName"]

    def parent(self, span):
        """The id of the span that this one is a child of, or None."""
        of = [it for it in span["references"] if it["refType"] == "CHILD_OF"]
        return of[0]["spanID"] if of else None

    def path(self, span):
        """The names from the root to a span, as far as they are known."""
        names = []
        while span is not None:
            names.insert(0, self.name(span))
            span = self.spans.get(self.parent(span))
        return names

    def tree(self, parent=None, depth=0):
        """A line for each span below `parent`."""
        lines = []
        below = [span for span in self.spans.values() if self.parent(span) == parent]
        for span in sorted(below, key=lambda it: it["startTime"]):
            tags = {tag["key"]: tag["value"] for tag in span["tags"]}
            service, name = self.name(span)
            lines.append(f"{'  ' * depth}{service}: {name} ({tags.get('span.kind', 'none')})")
            lines += self.tree(span["spanID"], depth + 1)
        return lines

    def faults(self):
        """What is wrong with it, in words."""
        found = []
        roots = [span for span in self.spans.values() if self.parent(span) is None]
        if [self.name(span) for span in roots] != [FIRST]:
            found.append(f"its roots are {[self.name(span) for span in roots]}, not {FIRST} alone")
        for span in self.spans.values():
            if any(it["traceID"] != self.id for it in span["references"] if it["refType"] == "CHILD_OF"):
                found.append(f"the parent of {self.name(span)} is in another trace")
            if self.parent(span) not in {None, *self.spans}:
                found.append(f"{self.name(span)} is an orphan: {self.parent(span)} is not there")
            if any(tag["key"] == "error" and tag["value"] for tag in span["tags"]):
                found.append(f"{self.name(span)} is an error")
        missing = SERVICES - {self.name(span)[0] for span in self.spans.values()}
        if missing:
            found.append(f"nothing in it is of {sorted(missing)}")
        lasts = [span for span in self.spans.values() if self.name(span) == LAST]
        if len(lasts) != 1:
            found.append(f"{LAST} is there {len(lasts)} times")
        elif {service for service, _ in self.path(lasts[0])} < {"website", "eventing-zeebe", "payments", "tickets"}:
            found.append(f"the way to {LAST} leaves somebody out: {self.path(lasts[0])}")
        return found


def payments(jaeger):
    """The traces that begin with a customer who pays."""
    service, operation = FIRST
    asked = urllib.parse.urlencode({"service": service, "operation": operation, "limit": 20, "lookback": "1h"})
    return [Trace(it) for it in get(f"{jaeger}/api/traces?{asked}")["data"] or []]


def page_of(jaeger, trace):
    """What is wrong with the page that the customer's link leads to, or None."""
    with urllib.request.urlopen(f"{jaeger}/trace/{trace.id}", timeout=10) as answer:
        page = answer.read().decode()
    return None if "/api/traces/" in page else "the page at /trace/ID is not the one of demo/jaeger"


def main(demo, website, jaeger):
    subprocess.run([demo, "customer", "--website", website, "--card", "valid"], check=True, timeout=300)
    until = time.monotonic() + WITHIN
    while True:
        traces = payments(jaeger)
        faults = traces[0].faults() if len(traces) == 1 else [f"{len(traces)} traces begin with {FIRST}, not one"]
        if not faults or time.monotonic() > until:
            break
        time.sleep(0.5)
    for trace in traces:
        print(f"trace {trace.id}: {len(trace.spans)} spans", *trace.tree(), sep="\n")
    faults = faults or [it for it in [page_of(jaeger, traces[0])] if it]
    for fault in faults:
        print(f"WRONG: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
