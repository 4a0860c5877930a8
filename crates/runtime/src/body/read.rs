//! Reading a whole body into one piece.

use std::error::Error;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::BodyExt;

use super::paced::TooSlow;
use crate::budget::{Budget, Exhausted, Reservation};

/// Why a body could not be read. Which status answers it is the caller's table.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// More bytes came, or were announced, than one body may have.
    #[error("the body is larger than {max_bytes} bytes")]
    TooLarge {
        /// The limit, in bytes.
        max_bytes: usize,
    },
    /// The sender fell below the least rate.
    #[error(transparent)]
    TooSlow(#[from] TooSlow),
    /// The connection or its framing broke before the end; nobody is there to be answered.
    #[error("the body ended early: {0}")]
    Aborted(#[source] Box<dyn Error + Send + Sync>),
    /// All bodies together fill the budget; the sender may come again.
    #[error(transparent)]
    BudgetExhausted(#[from] Exhausted),
}

/// How long what is refused is read on for.
const DISCARD_PATIENCE: Duration = Duration::from_secs(2);

/// Reads `body` to its end, taking each byte from `budget` as it arrives.
///
/// Returns the bytes with the reservation that pays for them: hold it as long as the bytes. A body
/// that came as one piece is returned without copying; trailers are ignored. The least rate is the
/// listener's (see [`Paced`](super::Paced), which can also be put around any other body): this
/// finds its error in whatever the body was boxed into since. Dropping the future gives all bytes
/// back.
///
/// # Errors
/// See [`ReadError`]. Too large is found before a byte is kept where the length is announced. Of a body
/// that is refused as much again is read and thrown away, for two seconds at most: a connection that is
/// closed over unread bytes is reset, and its sender would see that in place of the answer.
pub async fn read_body<B>(
    body: B,
    max_bytes: usize,
    budget: &Budget,
) -> Result<(Bytes, Reservation), ReadError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut body = pin!(body);
    let read = read_whole(&mut body, max_bytes, budget).await;
    if let Err(ReadError::TooLarge { .. } | ReadError::BudgetExhausted(_)) = &read {
        // Whether it came to the end in time or not, the answer is the same.
        let _ = tokio::time::timeout(DISCARD_PATIENCE, discard(&mut body, max_bytes)).await;
    }
    read
}

async fn read_whole<B>(
    body: &mut Pin<&mut B>,
    max_bytes: usize,
    budget: &Budget,
) -> Result<(Bytes, Reservation), ReadError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let announced = body.size_hint();
    if announced.lower() > max_bytes as u64 {
        return Err(ReadError::TooLarge { max_bytes });
    }
    let mut reservation = budget.nothing();

    let Some(first) = next_piece(body, &mut reservation, max_bytes).await? else {
        return Ok((Bytes::new(), reservation));
    };
    // The end is often known without asking again: most events end here.
    if body.is_end_stream() {
        return Ok((first, reservation));
    }
    let Some(second) = next_piece(body, &mut reservation, max_bytes).await? else {
        return Ok((first, reservation));
    };

    // Only address space: what has not arrived is not in memory.
    let expected = announced
        .exact()
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0)
        .max(first.len() + second.len());
    let mut whole = BytesMut::with_capacity(expected);
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    drop((first, second));
    while !body.is_end_stream()
        && let Some(piece) = next_piece(body, &mut reservation, max_bytes).await?
    {
        whole.extend_from_slice(&piece);
    }
    Ok((whole.freeze(), reservation))
}

/// Reads and drops up to so many bytes.
async fn discard<B: Body<Data = Bytes>>(body: &mut Pin<&mut B>, mut most: usize) {
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        most = match most.checked_sub(bytes) {
            Some(left) => left,
            None => return,
        };
    }
}

/// The next piece of data, paid for; `None` at the end.
async fn next_piece<B>(
    body: &mut B,
    reservation: &mut Reservation,
    max_bytes: usize,
) -> Result<Option<Bytes>, ReadError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(error.into()))?;
        if let Ok(data) = Frame::into_data(frame) {
            if data.is_empty() {
                continue;
            }
            if data.len() > max_bytes.saturating_sub(reservation.bytes()) {
                return Err(ReadError::TooLarge { max_bytes });
            }
            reservation.grow(data.len()).await?;
            return Ok(Some(data));
        }
    }
    Ok(None)
}

fn broken(error: Box<dyn Error + Send + Sync>) -> ReadError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&*error);
    while let Some(known) = cause {
        if let Some(slow) = known.downcast_ref::<TooSlow>() {
            return ReadError::TooSlow(*slow);
        }
        cause = known.source();
    }
    ReadError::Aborted(error)
}
