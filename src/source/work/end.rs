//! How a job ends: completed, failed, thrown as an error, or handed back.

use std::time::Duration;

use eventing::{Attempt, reply};
use zeebe_client::{Ended, EngineError};

use super::{Bench, LONGEST_RETRY_PAUSE, Why};
use crate::source::in_hand::InHand;
use crate::source::metrics::{GONE_ALREADY, HAND_BACK, REFUSED, TOO_LATE, name};
use crate::source::outcome::Ending;
use crate::source::pause::grown;

/// The shortest pause before a job that was handed back is offered again, before it is shortened at random.
const FIRST_HAND_BACK_PAUSE: Duration = Duration::from_secs(1);

impl Bench {
    pub(super) async fn stopped(&self, job: &mut InHand) {
        let why = Why::ours("the program stops");
        self.hand_back(job, &why, Duration::ZERO).await;
    }

    /// Its activation ran out before its event was sent.
    pub(super) async fn lost(&self, job: &mut InHand) {
        let why = Why::ours("not delivered");
        self.hand_back(job, &why, Duration::ZERO).await;
    }

    /// Longer each time that this job was handed back since it was last answered.
    pub(super) fn hand_back_pause(&self, job: &InHand, longest: Duration) -> Duration {
        let first = self.config.retry_backoff.max(FIRST_HAND_BACK_PAUSE);
        grown(first, self.hand_backs.count(job.job().key), longest)
    }

    pub(super) async fn hand_back(&self, job: &mut InHand, why: &Why, backoff: Duration) {
        self.traces.failed(HAND_BACK, &why.told);
        let handing = job.hand_back(&why.message, backoff);
        let ended = self.traces.command("FailJob", handing).await;
        self.log(job, HAND_BACK, &ended);
    }

    pub(super) async fn incident(&self, job: &mut InHand, why: &Why) {
        let how = name(&Ending::Incident);
        let ended = self.fail(job, how, 0, why, Duration::ZERO).await;
        self.log(job, how, &ended);
    }

    async fn fail(
        &self,
        job: &mut InHand,
        how: &'static str,
        retries: i32,
        why: &Why,
        pause: Duration,
    ) -> Ended {
        self.traces.failed(how, &why.told);
        let failing = job.fail(retries, &why.message, pause);
        self.traces.command("FailJob", failing).await
    }

    /// Ends a job as the answer says; `longest` bounds the pause of one that is handed back.
    pub(super) async fn end(
        &self,
        job: &mut InHand,
        attempt: &Attempt,
        ending: &Ending,
        longest: Duration,
    ) {
        job.answered(attempt);
        let answered = || Why::attempt("the destination answered", attempt);
        let retries_left = job.job().retries.saturating_sub(1).max(0);
        let (how, ended) = match ending {
            Ending::HandBack(_) => {
                let why = Why::attempt("not delivered:", attempt);
                let backoff = self.hand_back_pause(job, longest);
                return self.hand_back(job, &why, backoff).await;
            }
            Ending::Complete => {
                self.notice_reply(job, attempt);
                let completing = job.complete("");
                let ended = self.traces.command("CompleteJob", completing).await;
                (name(ending), ended)
            }
            Ending::ThrowError(code) => {
                let why = answered();
                let throwing = job.throw_error(code, &why.message);
                let ended = self.traces.command("ThrowError", throwing).await;
                (name(ending), ended)
            }
            Ending::UseRetry if retries_left > 0 => {
                let how = name(ending);
                let pause = self.retry_pause(job.job().retries);
                let ended = self.fail(job, how, retries_left, &answered(), pause).await;
                (how, ended)
            }
            Ending::UseRetry | Ending::Incident => {
                let how = name(&Ending::Incident);
                let ended = self.fail(job, how, 0, &answered(), Duration::ZERO).await;
                (how, ended)
            }
        };
        self.hand_backs.forget(job.job().key);
        self.log(job, how, &ended);
        if let Ended::Refused(error) = ended {
            self.end_refused(job, attempt, how, &error).await;
        }
    }

    /// The engine will not take this end, ever: left alone, the job would come back and its event be
    /// delivered again each time that its activation runs out.
    async fn end_refused(
        &self,
        job: &mut InHand,
        attempt: &Attempt,
        how: &'static str,
        error: &EngineError,
    ) {
        let answered = |said: &str| {
            format!(
                "the event was delivered and answered {said}, but the engine refused the end `{how}` of its job: {error}; once this is resolved the event is delivered again, with the same id"
            )
        };
        let why = Why::new(&answered(&attempt.answer()), &answered(&attempt.summary()));
        self.incident(job, &why).await;
    }

    fn notice_reply(&self, job: &InHand, attempt: &Attempt) {
        if let Attempt::Accepted {
            status, headers, ..
        } = attempt
            && reply::is_reply(*status, headers)
        {
            self.metrics.reply_dropped();
            tracing::debug!(
                job_key = job.job().key.0,
                "a reply event was dropped: replies are not taken"
            );
        }
    }

    /// Doubles with each retry used, counted from the three that tasks have by default.
    fn retry_pause(&self, retries: i32) -> Duration {
        let used = 3_i32.saturating_sub(retries).max(0).unsigned_abs();
        grown(self.config.retry_backoff, used, LONGEST_RETRY_PAUSE)
    }

    fn log(&self, job: &InHand, how: &'static str, ended: &Ended) {
        let job_key = job.job().key.0;
        self.traces.ended(how);
        job.ended(how, ended);
        match ended {
            Ended::Done => {
                self.metrics.ended(how);
                tracing::debug!(job_key, how, "a job ended");
            }
            Ended::GoneAlready => {
                self.metrics.ended(GONE_ALREADY);
                tracing::info!(
                    job_key,
                    how,
                    "a job was gone: somebody else had it, or its instance ended"
                );
            }
            Ended::TooLate => {
                self.metrics.ended(TOO_LATE);
                tracing::warn!(
                    job_key,
                    how,
                    "a job's activation had run out; it comes back"
                );
            }
            Ended::Refused(error) => {
                self.metrics.ended(REFUSED);
                tracing::error!(job_key, how, %error, "the engine refused the end of a job; it comes back");
            }
        }
    }
}
