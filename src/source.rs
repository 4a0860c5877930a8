//! The source role: jobs in, events out.
