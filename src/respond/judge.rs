//! Decides whether an outcome is what the request asked for. This happens before the transaction ends, because a refusal rolls
//! back. Pure.

use super::link;
use super::named::reports;
use super::outcome::{Effect, Outcome};
use super::precondition;
use super::settings::ResponseSettings;
use crate::ask::Ask;
use crate::error::{Code, Error, Result};
use crate::http::condition::{Conditions, Validators, Verdict};
use crate::http::prefer::{Resolution, Return};
use crate::http::response::Body;
use crate::http::{MediaType, range};
use crate::route::Verb;

/// An accepted outcome, and how to answer it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    pub outcome: Outcome,
    pub status: u16,
    pub body: Body,
    /// Content-Range (RFC 9110, section 14.4).
    pub content_range: Option<String>,
    /// Link (RFC 8288, section 3).
    pub link: Option<String>,
    pub validators: Validators,
    /// The status and the header fields that functions set.
    pub settings: ResponseSettings,
    /// The changes are committed.
    pub commits: bool,
}

impl Judgement {
    /// Whether the answer is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.settings.status().unwrap_or(self.status))
    }

    /// Whether the body is JSON of a successful answer.
    pub fn is_json(&self) -> bool {
        let is_json = match (self.settings.content_type(), &self.outcome) {
            (Some(content_type), _) => content_type.contains("json"),
            (None, Outcome::Effect(effect)) => !effect.is_plan() && effect.media.content_type().contains("json"),
            (None, _) => false,
        };
        self.is_success() && is_json && self.body != Body::Empty
    }
}

/// Judges an outcome.
///
/// # Errors
/// A range beyond the end (416), not exactly one row where one was asked for (404, 406), more changed rows than allowed (400).
pub fn judge(ask: &Ask, outcome: Outcome, settings: impl FnOnce() -> Result<ResponseSettings>) -> Result<Judgement> {
    let mut link = None;
    let (status, body, content_range, commits) = match &outcome {
        Outcome::Described(_) => (200, Body::Empty, None, ask.commits),
        Outcome::Document => (200, Body::Rows, None, ask.commits),
        Outcome::Explained(document) => (200, Body::Bytes(document.to_string().into_bytes()), None, false),
        // EXPLAIN never commits.
        Outcome::Effect(effect) if effect.is_plan() => (200, Body::Rows, None, false),
        Outcome::Effect(effect) => {
            if let Some(error) = precondition::refused_write(ask, effect) {
                return Err(error);
            }
            check_number_of_rows(ask, effect)?;
            let (status, body, content_range) = answered(ask, effect)?;
            link = link::link(ask, effect)?;
            (status, body, content_range, ask.commits)
        }
    };
    let settings = if matches!(outcome, Outcome::Explained(_)) { ResponseSettings::default() } else { settings()? };
    let mut judgement =
        Judgement { outcome, status, body, content_range, link, settings, validators: Validators::default(), commits };
    let Outcome::Effect(effect) = &judgement.outcome else { return Ok(judgement) };
    if effect.is_plan() {
        return Ok(judgement);
    }
    judgement.validators = precondition::validators(ask, effect, &judgement.body);
    let is_read = matches!(ask.action().verb, Verb::Read | Verb::CallSafe);
    let is_success = matches!(judgement.settings.status().unwrap_or(status), 200..=299);
    if is_read && is_success && ask.request.conditions != Conditions::default() {
        match judgement.validators.verdict(&ask.request.conditions) {
            Verdict::Proceed => {}
            Verdict::Failed => return Err(precondition::failed()),
            Verdict::NotModified => {
                (judgement.status, judgement.body, judgement.content_range) = (304, Body::Empty, None);
            }
        }
    }
    Ok(judgement)
}

/// Refuses a result with more rows than allowed, or with other than one row where one was asked for.
fn check_number_of_rows(ask: &Ask, effect: &Effect) -> Result<()> {
    let verb = ask.action().verb;
    if let Some(named) = &effect.named {
        named.judge(ask)?;
    }
    if let Some(limit) = ask.request.preferences.max_affected()
        && matches!(verb, Verb::Update | Verb::Delete | Verb::Call)
        && effect.affected > limit
    {
        return Err(Error::new(Code::MaxAffected, "Query result exceeds max-affected preference constraint")
            .details(format!("The query affects {} rows", effect.affected)));
    }
    if ask.is_item() {
        let found = if verb == Verb::Read { effect.rows } else { effect.affected };
        if found == 0 && verb != Verb::Replace {
            return Err(Error::no_item());
        }
        if found > 1 {
            return Err(not_one().details(format!("{found} rows have this key")));
        }
    }
    if verb == Verb::Replace && effect.affected == 0 {
        return Err(Error::new(Code::PutKey, "Payload values do not match URL in primary key column(s)"));
    }
    let is_singular = ask.media.is_none() && matches!(effect.media, MediaType::Object { .. });
    if is_singular && !effect.is_void {
        // A write may change one row only, whatever it returns. What is returned has to be one row.
        let (changed, shown) = match verb {
            Verb::Call => (Some(effect.affected).filter(|_| effect.may_write), Some(effect.rows)),
            Verb::Create => (Some(effect.affected), Some(effect.shown(ask.page))),
            Verb::Replace | Verb::Update | Verb::Delete => (Some(effect.affected), None),
            Verb::Read | Verb::CallSafe | Verb::Describe | Verb::ReadRoot => (None, Some(effect.rows)),
        };
        if let Some(rows) = [changed, shown].into_iter().flatten().find(|rows| *rows != 1) {
            return Err(not_one().details(format!("The result contains {rows} rows")));
        }
    }
    Ok(())
}

fn not_one() -> Error {
    Error::new(Code::Singular, "Cannot coerce the result to a single JSON object")
}

/// Status, body and Content-Range for a statement.
fn answered(ask: &Ask, effect: &Effect) -> Result<(u16, Body, Option<String>)> {
    let preferences = &ask.request.preferences;
    let returned = if preferences.representation == Some(Return::Representation) { Body::Rows } else { Body::Empty };
    let total = if preferences.count.is_some() { effect.affected.to_string() } else { "*".to_owned() };
    Ok(match ask.action().verb {
        Verb::Read | Verb::CallSafe | Verb::Call | Verb::Describe | Verb::ReadRoot => {
            if effect.is_void {
                (204, Body::Empty, Some("*/*".to_owned()))
            } else if ask.is_item() {
                (200, Body::Rows, None)
            } else {
                let (status, mut range) = range::content_range(ask.page.offset, effect.rows, effect.total)?;
                if ask.shape.seek.is_some() {
                    // Which rows these are of all is not known.
                    range = format!("*/{}", range.rsplit('/').next().unwrap_or("*"));
                }
                (status, Body::Rows, Some(range))
            }
        }
        Verb::Create => {
            let merges = preferences.resolution == Some(Resolution::MergeDuplicates) && effect.has_conflict_target;
            let created = effect.affected.saturating_sub(effect.updated);
            (if merges && created == 0 { 200 } else { 201 }, returned, Some(format!("*/{total}")))
        }
        Verb::Replace => match (&returned, effect.updated) {
            (Body::Rows, 0) => (201, returned, None),
            (Body::Rows, _) => (200, returned, None),
            _ => (204, returned, None),
        },
        verb @ (Verb::Update | Verb::Delete) => {
            let range = match effect.affected {
                n @ 1.. if verb == Verb::Update => format!("0-{}/{total}", n - 1),
                _ => format!("*/{total}"),
            };
            if let Some(named) = effect.named.as_ref().filter(|_| reports(ask)) {
                return Ok((200, Body::Bytes(named.report(ask, &effect.media)), Some(range)));
            }
            (if returned == Body::Rows { 200 } else { 204 }, returned, Some(range))
        }
    })
}
