//! Why a socket is read no further, and what its client is told.

use actix_ws::CloseCode;

use crate::refusal::Refusal;

/// The longest text: what is read as JSON takes many times its length.
pub const TEXT_BYTES: usize = 64 << 10;

/// Why a socket was read no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Cut {
    /// The message is, or says to be.
    #[error("the message is over the limit of {0} bytes")]
    TooLong(usize),
    /// The message is a text, and is.
    #[error("a text message is over the limit of {TEXT_BYTES} bytes")]
    TextTooLong,
    /// It was not whole in time.
    #[error("the message took too long")]
    TooSlow,
    /// Others have all the memory.
    #[error("too many pictures are on their way in")]
    NoRoom,
}

impl Cut {
    pub(super) fn told(self) -> (Refusal, CloseCode) {
        let (code, close) = match self {
            Self::TooLong(_) => ("picture_too_large", CloseCode::Size),
            Self::TextTooLong => ("message_too_large", CloseCode::Size),
            Self::TooSlow => ("too_slow", CloseCode::Policy),
            Self::NoRoom => ("too_many_uploads", CloseCode::Again),
        };
        let refusal = Refusal::new(code, self);
        match self {
            Self::TooLong(_) => (refusal.hint("send a smaller picture"), close),
            _ => (refusal, close),
        }
    }
}
