//! Showing a key: as a bearer, in the cookie of the page, or signed in the address.

use std::time::Instant;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpRequest, HttpResponse, web};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use super::control::bearer;
use super::error::ApiError;
use super::{Rooms, counted};
use crate::access::{Access, Grant, Right};
use crate::session::lease::Lease;

/// Holds what was shown at the sign-in.
const COOKIE: &str = "limn_key";

/// What stands before a signed right in an address. A key never does: addresses are written into logs.
const SIGN: &str = "sign=";

/// `POST /api/login`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// A key, or a signed right.
    key: String,
}

/// What the caller may do.
#[derive(Serialize, JsonSchema)]
pub struct Me {
    /// Nothing, without a key.
    right: Option<Right>,
}

/// What the request shows that could be something, and what all of it is good for. Of signed rights it is the first: each costs
/// an HMAC.
///
/// # Errors
/// If too many keys were tried from there.
pub fn shown(
    request: &HttpRequest,
    access: &Access,
) -> Result<(bool, Vec<(Grant, Lease)>), ApiError> {
    let cookie = request.cookie(COOKIE);
    let keys = bearer(request)
        .into_iter()
        .chain(cookie.as_ref().map(Cookie::value));
    let (from, now) = (counted(request), Instant::now());
    let mut granted = keys
        .map(|key| access.credential(key, from, now))
        .collect::<Result<Vec<_>, _>>()?;
    let mut parts = request.query_string().split('&');
    let signed = parts.find_map(|part| part.strip_prefix(SIGN));
    granted.extend(signed.map(|signed| access.signed(signed)));
    Ok((!granted.is_empty(), granted.into_iter().flatten().collect()))
}

/// Gives the page a cookie for a key, so that it need not keep the key itself.
pub async fn login(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    body: web::Json<Login>,
) -> Result<HttpResponse, ApiError> {
    let Login { key } = body.into_inner();
    let from = counted(&request);
    let grant = rooms.access.credential(&key, from, Instant::now())?;
    if grant.is_none() {
        return Err(ApiError::wrong_key());
    }
    let cookie = Cookie::build(COOKIE, key)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(rooms.is_secure(&request))
        .finish();
    Ok(HttpResponse::NoContent().cookie(cookie).finish())
}

/// Takes the cookie away again.
pub async fn logout() -> HttpResponse {
    let mut cookie = Cookie::build(COOKIE, "").path("/").finish();
    cookie.make_removal();
    HttpResponse::NoContent().cookie(cookie).finish()
}

/// What the caller may do.
pub async fn me(request: HttpRequest) -> web::Json<Me> {
    web::Json(Me {
        right: Caller::of(&request).right(),
    })
}
