//! Jobs: activatable, activated for a time, and their ends.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::Status;
use zeebe_client::JobKey;
use zeebe_client::protocol::{
    ActivateJobsRequest, ActivatedJob, CompleteJobRequest, FailJobRequest,
    StreamActivatedJobsRequest, ThrowErrorRequest, UpdateJobTimeoutRequest,
};

/// A job to be worked, as a model would make it.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The type that workers ask for.
    pub job_type: String,
    /// The text of one JSON object.
    pub variables: String,
    /// The task's custom headers: the text of one JSON object of strings.
    pub custom_headers: String,
    /// How often it may fail.
    pub retries: i32,
    /// The process it belongs to.
    pub bpmn_process_id: String,
    /// The service task.
    pub element_id: String,
    /// The instance it belongs to; 0 for one of its own.
    pub process_instance_key: i64,
}

impl NewJob {
    /// A job of this type with three retries and no variables.
    #[must_use]
    pub fn new(job_type: &str) -> Self {
        Self {
            job_type: job_type.to_owned(),
            variables: String::from("{}"),
            custom_headers: String::from("{}"),
            retries: 3,
            bpmn_process_id: String::from("ticket-sale"),
            element_id: String::from("task"),
            process_instance_key: 0,
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Waits for a worker.
    Activatable,
    /// A worker holds it.
    Activated,
    /// Failed, and waits for the end of its retry backoff.
    BackingOff,
    /// Done.
    Completed,
    /// Failed without retries left: a human is needed.
    Incident,
    /// Ended by a BPMN error that the model caught.
    Thrown,
}

/// A job, as the engine sees it.
#[derive(Debug, Clone)]
pub struct Job {
    /// What was added.
    pub added: NewJob,
    /// Where it stands.
    pub state: JobState,
    /// How often it may still fail.
    pub retries: i32,
    /// How often it was activated.
    pub activations: usize,
    /// How often its activation was prolonged.
    pub renewals: usize,
    /// How often it failed, hand-backs included.
    pub failures: usize,
    /// What the last failure or error said.
    pub error_message: String,
    /// The code of the error thrown.
    pub error_code: String,
    /// What it was completed with.
    pub result: String,
    /// The incident's key, while there is one.
    pub incident_key: Option<i64>,
    process_instance_key: i64,
    due: Option<Instant>,
}

/// All jobs, and the streams that wait for them.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    jobs: HashMap<i64, Job>,
    waiting: HashMap<String, VecDeque<i64>>,
    alarms: BTreeSet<(Instant, i64)>,
    streams: VecDeque<Stream>,
    last_stream: u64,
    active: usize,
    pub(super) most_active: usize,
    pub(super) muted: bool,
}

pub(super) type Pushed = Result<ActivatedJob, Status>;

#[derive(Debug)]
struct Stream {
    id: u64,
    request: StreamActivatedJobsRequest,
    pushed: mpsc::UnboundedSender<Pushed>,
}

impl Jobs {
    pub(super) fn add(&mut self, key: i64, added: NewJob) {
        let job = Job {
            state: JobState::Activatable,
            retries: added.retries,
            activations: 0,
            renewals: 0,
            failures: 0,
            error_message: String::new(),
            error_code: String::new(),
            result: String::new(),
            incident_key: None,
            process_instance_key: match added.process_instance_key {
                0 => key + 1,
                other => other,
            },
            due: None,
            added,
        };
        self.jobs.insert(key, job);
        self.offer(key);
    }

    pub(super) fn get(&self, key: JobKey) -> Option<Job> {
        self.jobs.get(&key.0).cloned()
    }

    pub(super) fn count(&self, state: JobState) -> usize {
        self.jobs.values().filter(|job| job.state == state).count()
    }

    /// When something is next due, if at all.
    pub(super) fn next_alarm(&self) -> Option<Instant> {
        self.alarms.first().map(|(when, _)| *when)
    }

    /// Ends the activations and backoffs that have run out.
    pub(super) fn ring(&mut self, now: Instant) {
        while let Some((when, key)) = self.alarms.first().copied()
            && when <= now
        {
            self.alarms.pop_first();
            let due = self
                .jobs
                .get_mut(&key)
                .is_some_and(|job| job.due.take_if(|due| *due == when).is_some());
            if due {
                self.moved(key, JobState::Activatable);
                self.offer(key);
            }
        }
    }

    /// Activates what waits, as far as the request goes.
    pub(super) fn activate(&mut self, request: &ActivateJobsRequest) -> Vec<ActivatedJob> {
        let most = usize::try_from(request.max_jobs_to_activate).unwrap_or_default();
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(key) = self
                .waiting
                .get_mut(&request.r#type)
                .and_then(VecDeque::pop_front)
            else {
                break;
            };
            if self.state(key) != Some(JobState::Activatable) {
                // Pushed or ended since it was queued.
                continue;
            }
            taken.extend(self.hand_over(
                key,
                &request.worker,
                request.timeout,
                &request.fetch_variable,
            ));
        }
        taken
    }

    pub(super) fn open_stream(
        &mut self,
        request: StreamActivatedJobsRequest,
    ) -> (u64, mpsc::UnboundedReceiver<Pushed>) {
        self.last_stream += 1;
        let (pushed, receiver) = mpsc::unbounded_channel();
        self.streams.push_back(Stream {
            id: self.last_stream,
            request,
            pushed,
        });
        (self.last_stream, receiver)
    }

    /// Forgets a stream; what it had not sent yet goes to others.
    pub(super) fn close_stream(&mut self, id: u64, unsent: Vec<i64>) {
        self.streams.retain(|stream| stream.id != id);
        for key in unsent {
            if self.state(key) == Some(JobState::Activated) {
                self.moved(key, JobState::Activatable);
                self.offer(key);
            }
        }
    }

    /// Ends all streams of a type, with a status or cleanly.
    pub(super) fn end_streams(&mut self, job_type: &str, status: Option<&Status>) {
        self.streams.retain(|stream| {
            let ends = stream.request.r#type == job_type;
            if ends && let Some(status) = status {
                // Whoever is gone needs no reason.
                let _ = stream.pushed.send(Err(status.clone()));
            }
            !ends
        });
    }

    pub(super) fn open_streams(&self, job_type: &str) -> usize {
        self.streams
            .iter()
            .filter(|stream| stream.request.r#type == job_type)
            .count()
    }

    pub(super) fn complete(&mut self, request: &CompleteJobRequest) -> Result<(), Status> {
        self.find(request.job_key, "complete")?
            .result
            .clone_from(&request.variables);
        self.moved(request.job_key, JobState::Completed);
        Ok(())
    }

    pub(super) fn throw_error(&mut self, request: &ThrowErrorRequest) -> Result<(), Status> {
        let job = self.find(request.job_key, "throw an error for")?;
        job.error_code.clone_from(&request.error_code);
        job.error_message.clone_from(&request.error_message);
        self.moved(request.job_key, JobState::Thrown);
        Ok(())
    }

    /// Fails a job, whoever holds it: the command carries no more than the key.
    pub(super) fn fail(
        &mut self,
        request: &FailJobRequest,
        incident_key: i64,
    ) -> Result<(), Status> {
        let job = self.find(request.job_key, "fail")?;
        job.failures += 1;
        job.retries = request.retries;
        job.error_message.clone_from(&request.error_message);
        if request.retries <= 0 {
            job.incident_key = Some(incident_key);
            self.moved(request.job_key, JobState::Incident);
        } else if request.retry_back_off > 0 {
            self.moved(request.job_key, JobState::BackingOff);
            self.due_in(request.job_key, request.retry_back_off);
        } else {
            self.moved(request.job_key, JobState::Activatable);
            self.offer(request.job_key);
        }
        Ok(())
    }

    pub(super) fn prolong(&mut self, request: &UpdateJobTimeoutRequest) -> Result<(), Status> {
        let job = self.find(request.job_key, "prolong")?;
        if job.state != JobState::Activated {
            return Err(in_state(request.job_key, "prolong", job.state));
        }
        job.renewals += 1;
        self.due_in(request.job_key, request.timeout);
        Ok(())
    }

    pub(super) fn set_retries(&mut self, key: i64, retries: i32) -> Result<(), Status> {
        let job = self.jobs.get_mut(&key).ok_or_else(|| missing(key))?;
        job.retries = retries;
        Ok(())
    }

    /// Resolves an incident; the job is offered again if it has retries.
    pub(super) fn resolve(&mut self, incident_key: i64) -> Result<(), Status> {
        let key = self
            .jobs
            .iter()
            .find(|(_, job)| job.incident_key == Some(incident_key) && job.retries > 0)
            .map(|(key, _)| *key)
            .ok_or_else(|| {
                Status::not_found(format!(
                    "no incident {incident_key} whose job has retries left"
                ))
            })?;
        if let Some(job) = self.jobs.get_mut(&key) {
            job.incident_key = None;
        }
        self.moved(key, JobState::Activatable);
        self.offer(key);
        Ok(())
    }

    fn state(&self, key: i64) -> Option<JobState> {
        self.jobs.get(&key).map(|job| job.state)
    }

    /// A job that may be ended now. The engine accepts that from anybody, activated or not.
    fn find(&mut self, key: i64, what: &str) -> Result<&mut Job, Status> {
        let job = self.jobs.get_mut(&key).ok_or_else(|| missing(key))?;
        match job.state {
            JobState::Activatable | JobState::Activated => Ok(job),
            JobState::BackingOff | JobState::Incident => Err(in_state(key, what, job.state)),
            JobState::Completed | JobState::Thrown => Err(missing(key)),
        }
    }

    /// Pushes a job that has just become activatable; where no stream waits, it waits for a poll.
    fn offer(&mut self, key: i64) {
        let Some(job_type) = self.jobs.get(&key).map(|job| job.added.job_type.clone()) else {
            return;
        };
        while !self.muted
            && let Some(place) = self
                .streams
                .iter()
                .position(|stream| stream.request.r#type == job_type)
            && let Some(stream) = self.streams.remove(place)
        {
            if stream.pushed.is_closed() {
                continue;
            }
            let request = &stream.request;
            let job = self.hand_over(
                key,
                &request.worker,
                request.timeout,
                &request.fetch_variable,
            );
            if let Some(job) = job {
                // Closed just now, it gives the job back itself.
                let _ = stream.pushed.send(Ok(job));
            }
            // The next job is another stream's turn.
            self.streams.push_back(stream);
            return;
        }
        self.waiting.entry(job_type).or_default().push_back(key);
    }

    fn hand_over(
        &mut self,
        key: i64,
        worker: &str,
        timeout: i64,
        fetch: &[String],
    ) -> Option<ActivatedJob> {
        self.moved(key, JobState::Activated);
        self.due_in(key, timeout);
        let job = self.jobs.get_mut(&key)?;
        job.activations += 1;
        Some(ActivatedJob {
            key,
            r#type: job.added.job_type.clone(),
            process_instance_key: job.process_instance_key,
            bpmn_process_id: job.added.bpmn_process_id.clone(),
            process_definition_version: 1,
            process_definition_key: 1,
            element_id: job.added.element_id.clone(),
            element_instance_key: key + 2,
            custom_headers: job.added.custom_headers.clone(),
            worker: worker.to_owned(),
            retries: job.retries,
            deadline: in_millis(timeout),
            variables: only(&job.added.variables, fetch),
            tenant_id: String::from("<default>"),
        })
    }

    fn due_in(&mut self, key: i64, millis: i64) {
        let when = Instant::now() + Duration::from_millis(millis.try_into().unwrap_or_default());
        if let Some(job) = self.jobs.get_mut(&key) {
            if let Some(before) = job.due.replace(when) {
                self.alarms.remove(&(before, key));
            }
            self.alarms.insert((when, key));
        }
    }

    fn moved(&mut self, key: i64, to: JobState) {
        let Some(job) = self.jobs.get_mut(&key) else {
            return;
        };
        if let Some(before) = job.due.take() {
            self.alarms.remove(&(before, key));
        }
        self.active -= usize::from(job.state == JobState::Activated);
        self.active += usize::from(to == JobState::Activated);
        self.most_active = self.most_active.max(self.active);
        job.state = to;
    }
}

/// A moment by the engine's clock, in milliseconds since 1970.
pub(super) fn in_millis(millis: i64) -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
    now + millis
}

/// The variables that were asked for; all where none was named.
fn only(variables: &str, fetch: &[String]) -> String {
    if fetch.is_empty() {
        return variables.to_owned();
    }
    let mut all: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(variables).expect("a job's variables are a JSON object");
    all.retain(|name, _| fetch.contains(name));
    serde_json::to_string(&all).expect("what was read can be written")
}

fn missing(key: i64) -> Status {
    Status::not_found(format!("there is no job with the key {key}"))
}

fn in_state(key: i64, what: &str, state: JobState) -> Status {
    Status::failed_precondition(format!("cannot {what} the job {key}: it is {state:?}"))
}
