//! A gateway for benchmarks: it answers at once and remembers nothing but counts.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use zeebe_client::protocol::ActivatedJob;

use super::job::in_millis;

/// What a fast gateway hands out, and how often it was asked.
#[derive(Debug)]
pub(super) struct Fast {
    pub(super) variables: String,
    pub(super) published: AtomicU64,
    pub(super) completed: AtomicU64,
    pub(super) failed: AtomicU64,
    last_key: AtomicI64,
}

impl Fast {
    pub(super) fn new(bytes: usize) -> Self {
        let text = "x".repeat(bytes.saturating_sub(r#"{"text":""}"#.len()));
        Self {
            variables: format!(r#"{{"text":"{text}"}}"#),
            published: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            last_key: AtomicI64::new(0),
        }
    }

    pub(super) fn key(&self) -> i64 {
        self.last_key.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// One more job of the endless supply.
    pub(super) fn job(&self, job_type: &str, worker: &str, timeout: i64) -> ActivatedJob {
        let key = self.key();
        ActivatedJob {
            key,
            r#type: job_type.to_owned(),
            process_instance_key: key,
            bpmn_process_id: String::from("benchmark"),
            process_definition_version: 1,
            process_definition_key: 1,
            element_id: String::from("task"),
            element_instance_key: key,
            custom_headers: String::from(r#"{"ce-type":"Benchmark.Done"}"#),
            worker: worker.to_owned(),
            retries: 3,
            deadline: in_millis(timeout),
            variables: self.variables.clone(),
            tenant_id: String::from("<default>"),
        }
    }
}
