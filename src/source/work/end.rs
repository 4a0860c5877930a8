//! How a job ends: completed, failed, thrown as an error, or handed back.

use std::time::Duration;

use eventing::{Attempt, reply};
use zeebe_client::{Ended, EngineError};

use super::{Bench, LONGEST_RETRY_PAUSE, Why};
use crate::source::in_hand::InHand;
use crate::source::metrics::{
    GONE_ALREADY, HAND_BACK, INCIDENT, REFUSED, TOO_LATE, USE_RETRY, name,
};
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
        let handing = job.hand_back(&why.message, backoff);
        let ended = self.traces.command("FailJob", handing).await;
        self.ended(job, HAND_BACK, Some(why), &ended);
    }

    pub(super) async fn incident(&self, job: &mut InHand, why: &Why) {
        let ended = self.fail(job, 0, why, Duration::ZERO).await;
        self.ended(job, INCIDENT, Some(why), &ended);
    }

    async fn fail(&self, job: &mut InHand, retries: i32, why: &Why, pause: Duration) -> Ended {
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
        let (how, why, ended) = match ending {
            Ending::HandBack(_) => {
                let why = Why::attempt("not delivered:", attempt);
                let backoff = self.hand_back_pause(job, longest);
                return self.hand_back(job, &why, backoff).await;
            }
            Ending::Complete => {
                self.notice_reply(job, attempt);
                let completing = job.complete("");
                let ended = self.traces.command("CompleteJob", completing).await;
                (name(ending), None, ended)
            }
            Ending::ThrowError(code) => {
                let said = answered().message;
                let throwing = job.throw_error(code, &said);
                let ended = self.traces.command("ThrowError", throwing).await;
                (name(ending), None, ended)
            }
            Ending::UseRetry if retries_left > 0 => {
                let why = answered();
                let pause = self.retry_pause(job.job().retries);
                let ended = self.fail(job, retries_left, &why, pause).await;
                (USE_RETRY, Some(why), ended)
            }
            Ending::UseRetry | Ending::Incident => {
                let why = answered();
                let ended = self.fail(job, 0, &why, Duration::ZERO).await;
                (INCIDENT, Some(why), ended)
            }
        };
        self.hand_backs.forget(job.job().key);
        if let Ended::Refused(error) = &ended {
            return self.end_refused(job, attempt, how, error).await;
        }
        self.ended(job, how, why.as_ref(), &ended);
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
        let ended = self.fail(job, 0, &why, Duration::ZERO).await;
        // It counts as what is wrong with it, and once.
        self.count(job, REFUSED, Some(&why), &ended);
        self.log(job, INCIDENT, Some(&why), &ended);
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

    /// Says once how a job ended; `why` where it was not done.
    fn ended(&self, job: &InHand, how: &'static str, why: Option<&Why>, ended: &Ended) {
        let outcome = match ended {
            Ended::Done => how,
            Ended::GoneAlready => GONE_ALREADY,
            Ended::TooLate => TOO_LATE,
            Ended::Refused(_) => REFUSED,
        };
        self.count(job, outcome, why, ended);
        self.log(job, how, why, ended);
    }

    fn count(&self, job: &InHand, outcome: &'static str, why: Option<&Why>, ended: &Ended) {
        let told = match ended {
            Ended::TooLate => Some(why.map_or("its activation had run out", |why| &*why.told)),
            Ended::Done | Ended::GoneAlready | Ended::Refused(_) => why.map(|why| &*why.told),
        };
        self.traces.ended(outcome, told);
        job.ended(outcome);
        let worked = matches!(ended, Ended::Done) && outcome != HAND_BACK;
        self.metrics.ended(outcome, worked);
    }

    fn log(&self, job: &InHand, how: &'static str, why: Option<&Why>, ended: &Ended) {
        let job_key = job.job().key.0;
        match ended {
            Ended::Done => {
                let named = why.is_some_and(|why| self.told.ended(job, how, &why.told));
                if !named {
                    tracing::debug!(job_key, how, "a job ended");
                }
            }
            Ended::GoneAlready => {
                tracing::info!(
                    job_key,
                    how,
                    "a job was gone: somebody else had it, or its instance ended"
                );
            }
            Ended::TooLate => {
                tracing::warn!(
                    job_key,
                    how,
                    "a job's activation had run out; it comes back"
                );
            }
            Ended::Refused(error) => {
                tracing::error!(job_key, how, %error, "the engine refused the end of a job; it comes back");
            }
        }
    }
}
