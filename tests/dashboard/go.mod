// What Grafana would make of the chart's dashboard: scripts/alerts builds it.
module eventing-zeebe/tests/dashboard

go 1.21

require github.com/grafana/grafana-foundation-sdk/go v0.0.22
