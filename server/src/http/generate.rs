//! `POST /api/generate?row=img2img&prompt=neon`: one picture in, one out, for scripts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use limn_pipeline::{Input, Unknown};
use schemars::JsonSchema;
use serde_json::{Map, Value};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::caller::Caller;
use super::error::ApiError;
use super::{Rooms, counted, snapshot};
use crate::listing::Choice;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::session::event::{EndReason, Event};
use crate::session::store::Store;
use crate::session::wish::Wish;

/// The row has to be loaded first, perhaps, and others paint as well.
const PATIENCE: Duration = Duration::from_secs(120);

/// What stands behind the `?`.
#[derive(JsonSchema)]
pub struct Query {
    /// What to paint with.
    #[expect(dead_code, reason = "parameters are typed by the row that this names")]
    row: Option<String>,
    /// The same.
    #[expect(dead_code, reason = "as above")]
    pipeline: Option<String>,
    /// Any of the row's parameters, each by its own name.
    #[expect(dead_code, reason = "as above")]
    params: Option<Map<String, Value>>,
}

/// The body is a picture, or nothing for a row that paints from words; the query names the row and the parameters. The
/// answer is a JPEG.
pub async fn generate(
    rooms: web::Data<Rooms>,
    request: HttpRequest,
    query: web::Query<BTreeMap<String, String>>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let mut query = query.into_inner();
    let row = query.remove("row").or(query.remove("pipeline"));
    let choice = rooms.listing.choose(row.as_deref())?;
    let params = typed(&choice, query);
    choice
        .door
        .apply(choice.door.defaults(), &params, Unknown::Refuse)?;
    let bytes = rooms.picture(body).await?;
    if bytes.is_empty() && choice.input() == Input::Image {
        let message = format!(
            "`{}` paints a picture, and the body is empty",
            choice.row.id
        );
        return Err(Refusal::new("bad_picture", message).into());
    }
    let visit = Visit {
        store: &rooms.store,
        session: rooms.store.create(Wish {
            from: counted(&request),
            lease: Caller::of(&request).lease(),
            ..Wish::of(choice)
        })?,
    };
    let session = &visit.session;
    session.patch(&params, Unknown::Refuse)?;
    let events = session.events();
    session.upload((!bytes.is_empty()).then_some(bytes));
    let picture = tokio::select! {
        picture = session.screen().snapshot() => picture.ok_or_else(ApiError::no_picture)?,
        refusal = refused(events) => return Err(refusal.into()),
        () = tokio::time::sleep(PATIENCE) => return Err(ApiError::no_picture()),
    };
    Ok(snapshot::answer(picture))
}

/// A session for one picture: it ends with the request, however that ends.
struct Visit<'a> {
    store: &'a Store,
    session: Arc<Session>,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.store.end(&self.session, EndReason::Left);
    }
}

/// Words stay words where the schema wants them; whatever else reads as JSON is that.
pub fn typed(choice: &Choice, query: BTreeMap<String, String>) -> Map<String, Value> {
    let properties = &choice.door.schema()["properties"];
    let value = |name: &str, text: String| {
        let words = properties[name]["type"] == "string";
        match serde_json::from_str(&text) {
            Ok(value) if !words => value,
            _ => Value::from(text),
        }
    };
    query
        .into_iter()
        .map(|(name, text)| {
            let value = value(&name, text);
            (name, value)
        })
        .collect()
}

/// What the session refuses first.
async fn refused(mut events: Receiver<Event>) -> Refusal {
    loop {
        match events.recv().await {
            Ok(Event::Refused(refusal)) => return refusal,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
