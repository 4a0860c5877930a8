//! One call: noted, struck by the fault that waits for it, answered.

use std::any::Any;
use std::future::pending;
use std::sync::Arc;

use prost::Message;
use tokio::time::sleep;
use tonic::{Request, Response, Status};

use super::connection::Cut;
use super::fault::{Fault, too_large};
use super::service::{Answer, Service};
use super::{MAX_MESSAGE_BYTES, State};

/// How a call goes on once it has had its effect.
pub(super) enum After {
    Answer,
    Refuse(Status),
    Cut(Arc<Cut>),
}

impl After {
    pub(super) async fn answer<T>(self, answer: Result<T, Status>) -> Answer<T> {
        match self {
            Self::Answer => answer.map(Response::new),
            Self::Refuse(status) => Err(status),
            Self::Cut(cut) => {
                cut.cut();
                pending().await
            }
        }
    }
}

impl Service {
    /// Notes a call and lets the fault that waits for it strike.
    pub(super) async fn arrive<R>(
        &self,
        rpc: &'static str,
        request: Request<R>,
    ) -> Result<(R, usize, After), Status>
    where
        R: Message + Clone + Any,
    {
        let cut = request.extensions().get::<Arc<Cut>>().cloned();
        let cut = cut.expect("each request knows its connection");
        let bytes = request.get_ref().encoded_len();
        if bytes > MAX_MESSAGE_BYTES {
            return Err(too_large(bytes));
        }
        let (place, fault) = self.0.change(|state| {
            (
                state
                    .records
                    .arrived(rpc, request.get_ref().clone(), request.metadata()),
                state.faults.strike(rpc),
            )
        });
        let request = request.into_inner();
        let after = match fault {
            None => After::Answer,
            Some(Fault::Status(code, message)) => return Err(Status::new(code, message)),
            Some(Fault::StatusAfterTaking(code, message)) => {
                After::Refuse(Status::new(code, message))
            }
            Some(Fault::Hang) => pending().await,
            Some(Fault::Cut) => {
                cut.cut();
                pending().await
            }
            Some(Fault::CutAfterTaking) => After::Cut(cut),
            Some(Fault::Delay(pause)) => {
                sleep(pause).await;
                After::Answer
            }
        };
        Ok((request, place, after))
    }

    /// A call with one answer.
    pub(super) async fn take<R, T>(
        &self,
        rpc: &'static str,
        request: Request<R>,
        effect: impl FnOnce(&mut State, &R) -> Result<T, Status> + Send,
    ) -> Answer<T>
    where
        R: Message + Clone + Any,
    {
        let (request, place, after) = self.arrive(rpc, request).await?;
        let answer = self.0.change(|state| {
            let answer = effect(state, &request);
            if answer.is_ok() {
                state.records.took(place);
            }
            answer
        });
        after.answer(answer).await
    }
}
