//! Header fields: what is parsed can be written, and parses to the same.

use super::{Message, refused};
use crate::http::field::is_field_value;
use crate::http::media_type::{MediaType, accepted};
use crate::http::range::{Page, content_range};
use crate::http::{Preferences, Request};
use serde_json::Value;

/// A request (see [`Message`]).
pub fn headers(data: &[u8]) -> bool {
    let Some(message) = Message::parse(data) else { return false };
    let fields = &message.headers;
    for setting in [fields.to_setting(), fields.cookies_to_setting()] {
        let value: Value = serde_json::from_str(&setting).expect("a setting is JSON");
        assert!(value.as_object().is_some_and(|o| o.values().all(Value::is_string)), "{setting}");
    }
    match Preferences::parse(fields.get("prefer")) {
        Ok(preferences) => sent_back(&preferences),
        Err(e) => refused(&e),
    }
    match accepted(fields.get("accept")) {
        Ok(media) => {
            for media in media.iter().chain(&fields.get("content-type").map(MediaType::parse)) {
                assert!(is_field_value(&media.content_type()));
            }
        }
        Err(e) => refused(&e),
    }
    match fields.get("range").map(Page::from_range) {
        Some(Ok(Some(page))) => paged(page),
        Some(Err(e)) => refused(&e),
        _ => {}
    }
    match Request::parse(message.method, message.target, fields, None) {
        Ok(_) => true,
        Err(e) => {
            refused(&e);
            false
        }
    }
}

fn sent_back(preferences: &Preferences) {
    let Some(applied) = preferences.applied() else { return };
    assert!(is_field_value(&applied), "{applied:?}");
    let again = Preferences::parse(Some(&applied)).unwrap_or_else(|e| panic!("{applied}: {e:?}"));
    assert_eq!(again.applied().as_deref(), Some(applied.as_str()));
}

fn paged(page: Page) {
    assert_ne!(page.limit, Some(0));
    assert_eq!(page.intersect(page).ok(), Some(page));
    let (status, field) = content_range(page.offset, page.limit.unwrap_or(1), None).expect("no total to be beyond");
    assert!(status == 200 && is_field_value(&field), "{field}");
}
