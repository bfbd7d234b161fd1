//! The one place where rights are checked: every route of the table is behind [`gate`], everything behind [`doorway`].

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, ResponseError, web};

use super::answer::{self, Begun};
use super::caller::Caller;
use super::connection::Connection;
use super::error::ApiError;
use super::operation::{Answer, Operation};
use super::{Rooms, control, host, login};
use crate::access::signed::Scope;
use crate::access::{Access, Right};
use crate::metrics::Status;
use crate::session::Session;

/// Lets through who may do what `operations`, all of one path, need.
pub async fn gate(
    operations: Vec<&'static Operation>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let method = request.method().as_str();
    let wanted = operations.iter().find(|operation| operation.is(method));
    // A method that nothing answers is told so.
    if let Some(operation) = wanted {
        let caller = admit(&request, operation);
        let admitted = caller.and_then(|caller| {
            let rooms = rooms(request.request()).clone();
            let session = caller.session();
            request.extensions_mut().insert(caller);
            let session = session.as_ref().map(|session| session.key.as_str());
            rooms.intake.admit(&mut request, &operation.body, session)
        });
        if let Err(error) = admitted {
            return Ok(request.into_response(error.error_response()));
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn admit(request: &ServiceRequest, operation: &Operation) -> Result<Caller, ApiError> {
    let rooms = rooms(request.request());
    let reads = [Method::GET, Method::HEAD].contains(request.method());
    if (!reads || matches!(operation.answer, Answer::Socket)) && is_foreign(request, &rooms.access)
    {
        return Err(ApiError::foreign());
    }
    let (showed, granted) = login::shown(request.request(), &rooms.access)?;
    let granted = granted
        .into_iter()
        .filter(|(grant, _)| covers(&grant.scope, request, operation));
    let keyed = granted.max_by_key(|(grant, _)| grant.right);
    let (keyed, lease) = keyed.map(|(grant, lease)| (grant.right, lease)).unzip();
    let right = keyed.max(rooms.access.free());
    let key = request.match_info().get("key");
    let session = key.and_then(|key| rooms.store.find(key));
    let caller = Caller {
        right,
        lease,
        session: session.clone(),
    };
    let Some(needed) = operation.right else {
        return Ok(caller);
    };
    let owns = |session: &Arc<Session>| control::check(request.request(), session).is_ok();
    let enough = match session {
        // A player steers what is the player's own.
        Some(session) if needed == Right::Player => {
            // What the server reads by itself has no owner but the operator.
            let unowned = caller.is_operator() && session.source().is_some();
            let steers = owns(&session) || unowned || caller.steers_all();
            if !steers && right.is_some() {
                return Err(ApiError::no_control());
            }
            steers
        }
        Some(session) if needed == Right::Viewer => right.is_some() || owns(&session),
        _ => right >= Some(needed),
    };
    match right {
        _ if enough => Ok(caller),
        None if !showed => Err(ApiError::no_key()),
        _ => Err(ApiError::no_right(needed)),
    }
}

fn covers(scope: &Scope, request: &ServiceRequest, operation: &Operation) -> bool {
    match scope {
        Scope::All => true,
        Scope::Program => operation.is_of_program(),
        Scope::Session(key) => request.match_info().get("key") == Some(key),
    }
}

/// Whether a page from elsewhere asks. What is no browser sends no origin.
fn is_foreign(request: &ServiceRequest, access: &Access) -> bool {
    let Some(origin) = request.headers().get(header::ORIGIN) else {
        return false;
    };
    let Ok(origin) = origin.to_str() else {
        return true;
    };
    let authority = origin.split_once("://").map_or("", |(_, rest)| rest);
    let own = host::authority_of(request.request())
        .is_some_and(|host| !authority.is_empty() && authority.eq_ignore_ascii_case(host));
    !(own || access.is_hostname(host::host_of(authority)) || access.allows_origin(origin))
}

/// Nothing from elsewhere, no script but the page's files. Styles stand in the page as well; pictures and recordings are made
/// in it. A macro, since `concat!` takes no constant.
macro_rules! policy {
    () => {
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; worker-src 'self' blob:; \
         style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'self'"
    };
}

/// actix's own limit for HTTP/1. Over HTTP/2 a head may have 16 MiB, of which but little came over the wire (RFC 7541, 7.3), and
/// whatever waits for an answer keeps it.
const HEAD_BYTES: usize = 128 << 10;

/// Turns away who may not come in at all, and gives every answer the headers that keep a browser careful.
pub async fn doorway(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let refusal = host::refusal(request.request(), &rooms(request.request()).access);
    let embeddable = request.path().starts_with("/watch/");
    let connection = request.conn_data::<Connection>();
    let begun = connection.and_then(Connection::begin_answer);
    let refusal = if let Some(stranger) = refusal {
        Some(stranger)
    } else if begun.as_ref().is_some_and(Begun::is_one_too_many) {
        Some(ApiError::too_many_answers(answer::MOST))
    } else if head_bytes(&request) > HEAD_BYTES {
        Some(ApiError::head_too_large(HEAD_BYTES))
    } else {
        None
    };
    let mut response = match refusal {
        Some(refusal) => request.into_response(refusal.error_response()),
        None => next.call(request).await?.map_into_boxed_body(),
    };
    let status = response.status().as_u16();
    let answers = &rooms(response.request()).metrics.answers;
    answers.get_or_create(&Status { status }).inc();
    let headers = response.headers_mut();
    let mut say = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(header::REFERRER_POLICY, "no-referrer");
    if embeddable {
        say(header::CONTENT_SECURITY_POLICY, policy!());
    } else {
        let unframed = concat!(policy!(), "; frame-ancestors 'none'");
        say(header::CONTENT_SECURITY_POLICY, unframed);
        say(header::X_FRAME_OPTIONS, "DENY");
    }
    Ok(match begun {
        Some(begun) => response.map_body(|_, body| begun.hold(body)),
        None => answer::in_turn(response),
    })
}

/// What an address and its headers come to.
fn head_bytes(request: &ServiceRequest) -> usize {
    let path = request.uri().path_and_query();
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| name.as_str().len() + value.len());
    path.map_or(0, |path| path.as_str().len()) + headers.sum::<usize>()
}

fn rooms(request: &HttpRequest) -> &web::Data<Rooms> {
    request
        .app_data::<web::Data<Rooms>>()
        .expect("every application has its rooms")
}
