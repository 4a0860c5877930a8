//! The scenarios across Knative's own data plane.
