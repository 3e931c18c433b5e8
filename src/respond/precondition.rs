//! What the preconditions of a request mean for its outcome (RFC 9110, section 13). Pure.

use super::outcome::Effect;
use crate::ask::Ask;
use crate::error::{Code, Error};
use crate::http::MediaType;
use crate::http::condition::{Tags, Validators, digest, encoded, version_bytes};
use crate::http::response::Body;
use crate::route::Verb;

/// The key of hashes of bodies. Whoever gets the hash also gets the body, so the key need not be secret.
const KEY: [u64; 4] = [0x7067_5f72_6573_7466, 0x756c_2062_6f64_7920, 0x7661_6c69_6461_746f, 0x7220_6f66_2070_6721];

/// A hash of the bytes of a body.
pub fn body_digest(body: &[u8]) -> [u8; 16] {
    digest(KEY, [body])
}

/// The error for a precondition that did not hold.
pub fn failed() -> Error {
    Error::new(Code::PreconditionFailed, "The precondition of the request does not hold")
        .hint("Read the resource again, apply the change to what is there now, and send it with the new ETag.")
}

/// The refusal of a write whose precondition did not hold, if it is one. The statement has tested the condition on each row, so it
/// changed none then.
pub fn refused_write(ask: &Ask, effect: &Effect) -> Option<Error> {
    let (verb, conditions) = (ask.action().verb, &ask.request.conditions);
    let is_named = ask.is_item() || verb == Verb::Replace;
    if !matches!(verb, Verb::Replace | Verb::Update | Verb::Delete) || !is_named {
        return None;
    }
    let fails = match verb {
        Verb::Replace => {
            let creates = conditions.if_match.is_some() && effect.updated == 0;
            creates || (effect.is_guarded || conditions.has_tags()) && effect.affected == 0
        }
        // The row is there, which must not be.
        _ if conditions.if_none_match == Some(Tags::Any) && effect.affected > 0 => true,
        _ => (conditions.if_match.is_some() || effect.is_guarded) && effect.affected == 0,
    };
    fails.then(failed)
}

/// The versions of the row of a read that make its answer 304, where its tag is the version alone. No version if the answer may be another,
/// or another body is wanted than the row as JSON.
pub fn known_versions(ask: &Ask, media: &MediaType) -> Vec<Vec<u8>> {
    let conditions = &ask.request.conditions;
    match &conditions.if_none_match {
        Some(Tags::Of(tags)) if ask.is_item() && conditions.if_match.is_none() && has_plain_tag(ask, media) => {
            tags.iter().filter_map(|tag| version_bytes(&tag.opaque)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether the tag of a row's own columns is the row's version and nothing else.
fn has_plain_tag(ask: &Ask, media: &MediaType) -> bool {
    *media == MediaType::Json && ask.request.preferences.timezone.is_none()
}

/// The validators of what a request answers.
pub fn validators(ask: &Ask, effect: &Effect, body: &Body) -> Validators {
    let version = match effect.hidden.first.as_slice() {
        [Some(version), ..] if effect.rows == 1 && effect.names_version => Some(encoded(version)),
        _ => None,
    };
    let last_modified = effect.hidden.first.get(1).and_then(|value| value.as_deref());
    let last_modified = last_modified.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
    let names_row = version.is_some();
    let tag = match (version, effect.digest) {
        (None, None) => None,
        (None, Some(body)) => Some(suffix(ask, &effect.media, Some(body))),
        // A response without a body tells the version alone.
        (Some(version), _) if *body == Body::Empty => Some(version),
        (Some(version), None) if has_plain_tag(ask, &effect.media) => Some(version),
        (Some(version), body) => Some([&version, ".", &suffix(ask, &effect.media, body)].concat()),
    };
    Validators { tag, last_modified: last_modified.filter(|_| names_row), names_row }
}

/// What tells the representations of one row apart: the media type, what the request prefers, and the body if more than the row is in
/// it.
fn suffix(ask: &Ask, media: &MediaType, body: Option<[u8; 16]>) -> String {
    let media = media.content_type();
    let zone = ask.request.preferences.timezone.as_deref().unwrap_or_default();
    encoded(&digest(KEY, [body.as_ref().map_or(&b""[..], |body| body), media.as_bytes(), b"\0", zone.as_bytes()]))
}
