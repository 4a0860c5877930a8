//! Knative's data-plane contract for both directions.
