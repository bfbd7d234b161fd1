//! Small pages made of what the server knows: no script, and nothing from elsewhere.

/// A page of that title; `body` is HTML.
pub fn leaflet(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>\
         <meta name=color-scheme content='dark light'><title>Limn: {title}</title>\
         <style>body{{font:1rem/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}}\
         td,th{{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}}pre{{overflow:auto}}</style>\
         <h1>{title}</h1>{body}"
    )
}

/// `text` where HTML is written.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
