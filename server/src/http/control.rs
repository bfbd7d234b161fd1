//! Who steers a session: whoever shows its control token.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header::AUTHORIZATION;

use super::error::ApiError;
use crate::session::Session;

/// The cookie that carries the token; its path keeps it to one session's socket.
const COOKIE: &str = "limn_control";

/// What the request shows as a bearer (RFC 6750): a key, or a session's token.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

/// Whether the request may steer `session`.
///
/// # Errors
/// [`ApiError::no_control`] if it shows no token or another's.
pub fn check(request: &HttpRequest, session: &Session) -> Result<(), ApiError> {
    if shown(request)
        .iter()
        .any(|shown| session.control.matches(shown))
    {
        Ok(())
    } else {
        Err(ApiError::no_control())
    }
}

/// What the request shows that may be a control token.
pub fn shown(request: &HttpRequest) -> Vec<String> {
    let cookie = request.cookie(COOKIE);
    let cookie = cookie.as_ref().map(Cookie::value);
    let shown = bearer(request).into_iter().chain(cookie);
    shown.map(str::to_owned).collect()
}

/// The cookie that finds the session again after its socket dropped; `secure` keeps it off plain http.
pub fn cookie(session: &Session, secure: bool) -> Cookie<'static> {
    Cookie::build(COOKIE, session.control.reveal().to_owned())
        .path(format!("/api/ws/{}", session.key))
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(secure)
        .finish()
}
