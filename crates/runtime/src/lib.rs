//! A program's life: listener, limits, readiness, shutdown, logs and metrics.
