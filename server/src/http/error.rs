//! The only place with status codes.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use limn_ndi::NdiError;
use limn_pipeline::ParamError;
use serde_json::json;

use crate::access::Right;
use crate::access::guesses::TooMany;
use crate::ingest::source::url::SourceError;
use crate::listing::UnknownPipeline;
use crate::refusal::Refusal;
use crate::session::store::CreateError;

/// An answer that is no success: `{"error": {"code", "message", "hint"}}`.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    refusal: Refusal,
    /// What the status must come with; boxed, as is the next, since most errors have neither.
    header: Option<Box<(&'static str, String)>>,
    /// The place in the line for a session, and the ticket that keeps it.
    waiting: Option<Box<(usize, String)>>,
}

impl ApiError {
    fn new(status: StatusCode, refusal: Refusal) -> Self {
        Self {
            status,
            refusal,
            header: None,
            waiting: None,
        }
    }

    /// 404: no session of that name.
    pub fn no_session(key: &str) -> Self {
        let shown: String = key.chars().take(64).collect();
        Self::new(
            StatusCode::NOT_FOUND,
            Refusal::new("no_session", format!("no session `{shown}`")),
        )
    }

    /// 404: no such page.
    pub fn no_route(path: &str) -> Self {
        let shown: String = path.chars().take(128).collect();
        Self::new(
            StatusCode::NOT_FOUND,
            Refusal::new("no_route", format!("nothing at `{shown}`")),
        )
    }

    /// 405 with the methods (RFC 9110, 15.5.6): there is such a page, and it is used in other ways.
    pub fn no_method(method: &str, allowed: &str) -> Self {
        let refusal = Refusal::new("no_method", format!("nothing answers {method} here"));
        let error = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            refusal.hint(format!("use {allowed}")),
        );
        Self {
            header: Some(Box::new((ALLOW.as_str(), allowed.to_owned()))),
            ..error
        }
    }

    /// 403: the control token is missing or another session's.
    pub fn no_control() -> Self {
        let refusal = Refusal::new("no_control", "the session's control token is missing or wrong")
            .hint("send the `control` that creating the session answered, as `Authorization: Bearer <control>`");
        Self::new(StatusCode::FORBIDDEN, refusal)
    }

    /// 401: no key was shown, and one is asked for.
    pub fn no_key() -> Self {
        let refusal = Refusal::new("no_key", "this server asks for a key");
        let error = Self::new(
            StatusCode::UNAUTHORIZED,
            refusal.hint("send it as `Authorization: Bearer KEY`, or sign in on the page"),
        );
        Self {
            header: Some(Box::new((WWW_AUTHENTICATE.as_str(), "Bearer".to_owned()))),
            ..error
        }
    }

    /// 403: what was shown is not enough.
    pub fn no_right(needed: Right) -> Self {
        let reason = format!("this asks for the right `{}`", needed.name());
        Self::new(StatusCode::FORBIDDEN, Refusal::new("no_right", reason))
    }

    /// 403: no key of this server's, or a signed right that has ended.
    pub fn wrong_key() -> Self {
        let refusal = Refusal::new("wrong_key", "this key opens nothing here, or has ended");
        Self::new(StatusCode::FORBIDDEN, refusal)
    }

    /// 421: the request is for another machine's name.
    pub fn unknown_host() -> Self {
        let refusal = Refusal::new(
            "unknown_host",
            "without keys this server answers to the names of its own machine",
        );
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            refusal.hint("`--auth FILE` asks for keys instead"),
        )
    }

    /// 403: it came by way of a proxy, and whoever comes so could do everything.
    pub fn behind_a_proxy() -> Self {
        let message = "without keys this server answers to nobody who comes by way of a proxy";
        let refusal = Refusal::new("behind_a_proxy", message);
        Self::new(
            StatusCode::FORBIDDEN,
            refusal.hint("`--auth FILE` asks for keys, `--open` lets everybody in"),
        )
    }

    /// 403: a page from another machine.
    pub fn foreign() -> Self {
        let refusal = Refusal::new("foreign_origin", "pages from elsewhere may not do this");
        Self::new(
            StatusCode::FORBIDDEN,
            refusal.hint("`--cors-origin ORIGIN` lets one in"),
        )
    }

    /// 400: the request is not what this route reads.
    pub fn bad_request(message: impl ToString) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            Refusal::new("bad_request", message),
        )
    }

    /// 409: another socket steers the session.
    pub fn attached() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            Refusal::new("attached", "another socket steers this session"),
        )
    }

    /// 413: more bytes than a route reads.
    pub fn too_large(limit: usize) -> Self {
        let refusal = Refusal::new(
            "too_large",
            format!("the body is over the limit of {limit} bytes"),
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, refusal)
    }

    /// 408: the body did not come in time.
    pub fn too_slow() -> Self {
        let refusal = Refusal::new("too_slow", "the body took too long");
        Self::new(StatusCode::REQUEST_TIMEOUT, refusal)
    }

    /// 503: there is no memory for another picture.
    pub fn too_many_uploads() -> Self {
        let refusal = Refusal::new("too_many_uploads", "too many pictures are on their way in");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, refusal)
    }

    /// 503: there is no memory for another body.
    pub fn too_many_bodies() -> Self {
        let refusal = Refusal::new("too_many_bodies", "too many requests are on their way in");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, refusal)
    }

    /// 503: so many answers are under way on one connection.
    pub fn too_many_answers(most: usize) -> Self {
        let reason = format!("{most} answers are under way on this connection already");
        let refusal = Refusal::new("too_many_answers", reason);
        Self::new(StatusCode::SERVICE_UNAVAILABLE, refusal)
    }

    /// 431: more headers than anybody needs.
    pub fn head_too_large(limit: usize) -> Self {
        let reason = format!("the address and the headers are over the limit of {limit} bytes");
        Self::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Refusal::new("head_too_large", reason),
        )
    }

    /// 429: a session's pictures come one after the other.
    pub fn session_uploads() -> Self {
        Self::too_many(
            "too_many_uploads",
            "another picture for this session is on its way in",
        )
    }

    /// 429: so many pictures come from one address already.
    pub fn address_uploads(most: usize) -> Self {
        let reason = format!("{most} pictures are on their way in from this address already");
        Self::too_many("too_many_uploads", reason)
    }

    /// 429: so many other bodies come from one address already.
    pub fn address_bodies(most: usize) -> Self {
        let reason = format!("{most} requests are on their way in from this address already");
        Self::too_many("too_many_bodies", reason)
    }

    /// 429: so many sockets bring pictures already.
    pub fn too_many_sockets(most: usize) -> Self {
        let reason = format!("{most} sockets bring pictures into this session already");
        Self::too_many("too_many_sockets", reason)
    }

    fn too_many(code: &'static str, reason: impl ToString) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, Refusal::new(code, reason))
    }

    /// 503: nobody else may watch.
    pub fn too_many_viewers(most: usize) -> Self {
        let refusal = Refusal::new("too_many_viewers", format!("{most} watch already"));
        Self::new(StatusCode::SERVICE_UNAVAILABLE, refusal)
    }

    /// 503: the system cannot give what reading a source takes.
    pub fn not_opened(error: std::io::Error) -> Self {
        let reason = format!("the source cannot be read now: {error}");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Refusal::new("source_unavailable", reason),
        )
    }

    /// 503: nobody else may listen to events.
    pub fn too_many_listeners(most: usize) -> Self {
        let refusal = Refusal::new("too_many_viewers", format!("{most} listen already"));
        Self::new(StatusCode::SERVICE_UNAVAILABLE, refusal)
    }

    /// 503: there is no picture yet.
    pub fn no_picture() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            Refusal::new("no_picture", "the session has no picture yet"),
        )
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.refusal.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        let later = [
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        if later.contains(&self.status) {
            response.insert_header((RETRY_AFTER, "1"));
        }
        if let Some((name, value)) = self.header.as_deref() {
            response.insert_header((*name, value.as_str()));
        }
        let mut error = self.refusal.json();
        if let Some((place, ticket)) = self.waiting.as_deref() {
            error["place"] = (*place).into();
            error["ticket"] = ticket.as_str().into();
        }
        response.json(json!({ "error": error }))
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.code {
            "picture_too_large" => StatusCode::PAYLOAD_TOO_LARGE,
            "too_many_changes" => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, refusal)
    }
}

impl From<ParamError> for ApiError {
    fn from(error: ParamError) -> Self {
        Refusal::from(error).into()
    }
}

impl From<SourceError> for ApiError {
    fn from(error: SourceError) -> Self {
        Refusal::new("bad_source", error).into()
    }
}

impl From<NdiError> for ApiError {
    fn from(error: NdiError) -> Self {
        let refusal =
            Refusal::new("ndi_unavailable", error).hint("https://ndi.video has the library");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, refusal)
    }
}

impl From<UnknownPipeline> for ApiError {
    fn from(error: UnknownPipeline) -> Self {
        Refusal::from(error).into()
    }
}

impl From<TooMany> for ApiError {
    fn from(error: TooMany) -> Self {
        let seconds = error.wait.as_secs_f64().ceil().to_string();
        let error = Self::too_many("too_many_guesses", error);
        Self {
            header: Some(Box::new((RETRY_AFTER.as_str(), seconds))),
            ..error
        }
    }
}

impl From<CreateError> for ApiError {
    fn from(error: CreateError) -> Self {
        let (status, code) = match error {
            CreateError::Full { .. } => (StatusCode::SERVICE_UNAVAILABLE, "full"),
            CreateError::Crowded(_) => (StatusCode::TOO_MANY_REQUESTS, "crowded"),
            CreateError::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
            CreateError::Taken | CreateError::Kept => (StatusCode::CONFLICT, "taken"),
        };
        let refusal = Refusal::new(code, &error);
        let CreateError::Full { place, ticket } = error else {
            return Self::new(status, refusal);
        };
        let hint = format!(
            "you are number {place} in the line; send `ticket` with the next attempt to stay there"
        );
        Self {
            waiting: Some(Box::new((place, ticket))),
            ..Self::new(status, refusal.hint(hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn who_tries_keys_is_told_for_how_long_none_is_looked_at() {
        let wait = Duration::from_millis(39_200);
        let answer = ApiError::from(TooMany { wait }).error_response();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers().get(RETRY_AFTER).unwrap(), "40");
    }
}
