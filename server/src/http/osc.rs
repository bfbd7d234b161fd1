//! `GET /api/osc`: the addresses that OSC has here, as a page that is made from the parameters' schemas.

use std::fmt::Write;

use actix_web::{HttpResponse, web};
use serde_json::Value;

use super::Rooms;
use super::leaflet::{escaped, leaflet};

/// One table for each row.
pub async fn addresses(rooms: web::Data<Rooms>) -> HttpResponse {
    rooms.shelf.page("osc", || page(&rooms))
}

fn page(rooms: &Rooms) -> String {
    let port = match rooms.osc {
        Some(address) => format!("This server listens at UDP {address}."),
        None => "This server does not listen: start it with <code>--osc PORT</code>.".to_owned(),
    };
    let mut page = format!(
        "<p>{port} A refused value is answered by <code>/limn/error</code>.</p>\
         <p><code>/limn/PARAM</code> is for whatever is on air, <code>/limn/LABEL/PARAM</code> for the session of that label or id, the oldest \
         if there are several. \
         <code>/limn/preset NAME</code>, or with a label, sets all values of a preset that ships with the page. \
         <code>/limn/program LABEL SECONDS</code> cuts, or fades in so many seconds; without arguments the server chooses. \
         <code>/limn/fps</code> is answered with the painted frames a second of each session, 64 at most.</p>"
    );
    for row in rooms.listing.rows() {
        let _ = write!(
            page,
            "<h2>{}</h2><table><tr><th>address<th>value<th>what",
            escaped(row.row.id)
        );
        let properties = row.door.schema()["properties"].as_object().cloned();
        for (name, schema) in properties.unwrap_or_default() {
            let what = schema["description"].as_str().unwrap_or_default();
            let (name, kind, what) = (escaped(&name), escaped(&range(&schema)), escaped(what));
            let _ = write!(
                page,
                "<tr><td><code>/limn/{name}</code><td>{kind}<td>{what}"
            );
        }
        page.push_str("</table>");
    }
    leaflet("OSC", &page)
}

/// `number, 0.1 to 1`.
fn range(schema: &Value) -> String {
    let kind = schema["type"]
        .as_str()
        .unwrap_or("one of those that the panel shows");
    match (&schema["minimum"], &schema["maximum"]) {
        (Value::Null, _) | (_, Value::Null) => kind.to_owned(),
        (least, most) => format!("{kind}, {least} to {most}"),
    }
}
