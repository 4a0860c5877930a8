//! The sink role: events in, engine commands out.
