//! Who asks, as the gate found: what handlers may know of it.

use std::sync::Arc;

use actix_web::{HttpMessage, HttpRequest};

use crate::access::Right;
use crate::session::Session;
use crate::session::lease::Lease;

/// Who asks.
#[derive(Clone)]
pub struct Caller {
    pub(super) right: Option<Right>,
    /// Of the key that said so; without one it was the address that the server listens on.
    pub(super) lease: Option<Lease>,
    /// The session that the request is about, as it was found when the right was checked.
    pub(super) session: Option<Arc<Session>>,
}

impl Caller {
    /// As the gate found.
    pub fn of(request: &HttpRequest) -> Self {
        let nobody = Self {
            right: None,
            lease: None,
            session: None,
        };
        request.extensions().get().cloned().unwrap_or(nobody)
    }

    /// What may be done everywhere.
    pub fn right(&self) -> Option<Right> {
        self.right
    }

    /// Whether everything may be done.
    pub fn is_operator(&self) -> bool {
        self.right == Some(Right::Operator)
    }

    /// Whether other people's sessions are steered without their token. On a keyless machine they are not: there
    /// everybody is an operator.
    pub(super) fn steers_all(&self) -> bool {
        self.is_operator() && self.lease.is_some()
    }

    /// How long its right lasts; `None` for as long as the server does.
    pub fn lease(&self) -> Option<Lease> {
        self.lease.clone()
    }

    /// The session of the address, if it was there.
    pub fn session(&self) -> Option<Arc<Session>> {
        self.session.clone()
    }

    /// Resolves with `ended`, or when the caller's key is revoked.
    pub fn until<E: Future<Output = ()>>(&self, ended: E) -> impl Future<Output = ()> + use<E> {
        let revoked = self.lease.as_ref().map(Lease::revoked);
        async move {
            match revoked {
                Some(revoked) => tokio::select! {
                    () = ended => {}
                    () = revoked => {}
                },
                None => ended.await,
            }
        }
    }
}
