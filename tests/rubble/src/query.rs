//! What stands behind the `?` of a stream, whose numbers keep their bounds, and of `/api/generate`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::http::header::HeaderMap;
use actix_web::web::Query;
use limn_server::Config;
use limn_server::fanout::config::FanoutConfig;
use limn_server::http::{generate, stream};

use crate::{doors, text};

static FANOUT: LazyLock<FanoutConfig> = LazyLock::new(|| Config::defaults().fanout);

/// # Panics
/// If a number is out of its bounds.
pub fn read(input: &[u8]) {
    let text = text::of(input);
    if let Ok(query) = Query::from_query(text)
        && let Ok(view) = stream::view(&query, &HeaderMap::new(), &FANOUT)
    {
        let width = view.rendition.width.unwrap_or(16);
        let quality = view.rendition.quality.unwrap_or(1);
        assert!((16..=8192).contains(&width) && (1..=100).contains(&quality));
        assert!((0.1..=240.0).contains(&view.fps.unwrap_or(1.0)));
        assert!(view.kbps.unwrap_or(50) >= 50);
    }
    if let Ok(Query(query)) = Query::<BTreeMap<String, String>>::from_query(text) {
        for choice in doors::LISTING.rows() {
            doors::enter(&choice, &generate::typed(&choice, query.clone()));
        }
    }
}
