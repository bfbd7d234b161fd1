//! Documents that say the same for as long as the server runs: each made when somebody first asks for it, and one copy for all.

use std::collections::HashMap;
use std::sync::Mutex;

use actix_web::HttpResponse;
use bytes::Bytes;

use crate::lock::lock;

/// See the module.
#[derive(Default)]
pub struct Shelf(Mutex<HashMap<&'static str, Bytes>>);

impl Shelf {
    /// The document of that name, as JSON.
    pub fn json(&self, name: &'static str, make: impl FnOnce() -> Vec<u8>) -> HttpResponse {
        self.answer("application/json", name, make)
    }

    /// The same, as a page.
    pub fn page(&self, name: &'static str, make: impl FnOnce() -> String) -> HttpResponse {
        self.answer("text/html; charset=utf-8", name, || make().into_bytes())
    }

    fn answer(
        &self,
        kind: &'static str,
        name: &'static str,
        make: impl FnOnce() -> Vec<u8>,
    ) -> HttpResponse {
        let mut there = lock(&self.0);
        let document = there.entry(name).or_insert_with(|| make().into());
        HttpResponse::Ok().content_type(kind).body(document.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::MessageBody;

    #[test]
    fn all_get_the_same_copy() {
        let shelf = Shelf::default();
        let get = || {
            let answer = shelf.json("numbers", || b"[1, 2, 3]".to_vec());
            answer.into_body().try_into_bytes().unwrap()
        };
        let (one, two) = (get(), get());
        assert_eq!(one, "[1, 2, 3]");
        assert_eq!(one.as_ptr(), two.as_ptr());
    }
}
