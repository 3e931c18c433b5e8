//! Everything that is read of a request without the catalogue. Pure.

use crate::error::Result;
use crate::http::prefer::{Transaction, WritePreferences};
use crate::http::range::Page;
use crate::http::{MediaType, Request, media_type};
use crate::keyset::{self, Seal, Seek, Token};
use crate::openapi::{self, Version};
use crate::payload::{BodyShape, Payload};
use crate::precondition::Precondition;
use crate::query::{self, Literal, Query};
use crate::route::{Action, Resource, Verb};
use std::rc::Rc;

/// What a plan depends on: everything in the request except its literals, and the settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    pub action: Action,
    /// The query. Its literals are kept apart.
    pub query: Query,
    pub body: BodyShape,
    pub preferences: WritePreferences,
    pub precondition: Precondition,
    /// The media types that the client accepts, the preferred ones first. An empty list accepts anything.
    pub accepted: Vec<MediaType>,
    /// The version of the API description, if the request asks for the description.
    pub version: Version,
    pub settings: PlanSettings,
    /// The magnitudes of limits, offsets and lists among the literals, because the best plan for ten rows is not that for a million.
    pub magnitudes: Vec<Magnitude>,
    /// The limit on the rows of the request's relation is a number of the smallest magnitude. Its embedded relations do not count.
    pub is_small_page: bool,
    /// Where the page begins, if a cursor says so.
    pub seek: Option<Seek>,
}

/// The magnitude of a number: 0, at most 100, at most 10,000, at most a million, or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Magnitude(u8);

impl Magnitude {
    /// That of numbers up to 100.
    const SMALLEST: Magnitude = Magnitude(1);

    /// The magnitude of a literal. `None` for a text.
    fn of(literal: &Literal) -> Option<Self> {
        let number = match literal {
            Literal::Text(_) => return None,
            Literal::Number(number) => *number,
            Literal::List(items) => items.len() as u64,
        };
        Some(Magnitude([0, 100, 10_000, 1_000_000].iter().filter(|most| number > **most).count() as u8))
    }
}

/// Settings that a plan depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PlanSettings {
    /// `restful.max_rows`: the limit on rows for each level of a read.
    pub max_rows: Option<u64>,
    /// `restful.aggregates_enabled`
    pub aggregates: bool,
    /// `restful.plan_enabled`
    pub plans: bool,
    /// The request, or one around it, has an Idempotency-Key. Only writes go by this.
    pub keyed: bool,
}

/// The settings that decide how a request is read.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub plan: PlanSettings,
    /// `restful.max_body_bytes`
    pub max_body_bytes: usize,
    /// `restful.openapi_version`
    pub openapi_version: Version,
    pub end: TransactionEnd,
}

/// How the transaction of a request ends (`restful.tx_end`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionEnd {
    /// The transaction is rolled back unless the request may ask for something else and does.
    pub rollback: bool,
    /// `Prefer: tx=` may override it.
    pub allow_override: bool,
}

impl TransactionEnd {
    /// What a request asks for (`Prefer: tx`), if it may. If it may not, the preference is neither followed nor echoed.
    pub fn asked(self, preference: Option<Transaction>) -> Option<Transaction> {
        preference.filter(|_| self.allow_override)
    }

    /// Whether the changes of a request are committed. `asked`: what it asks for, and may.
    pub fn commits(self, asked: Option<Transaction>) -> bool {
        asked.map_or(!self.rollback, |asked| asked == Transaction::Commit)
    }
}

/// What a request asks for.
pub struct Ask<'a> {
    pub request: &'a Request<'a>,
    pub shape: Rc<Shape>,
    pub literals: Vec<Literal>,
    pub payload: Payload<'a>,
    /// The requested page. With a cursor its offset is 0, and its limit is known.
    pub page: Page,
    /// The cursor, which has to be checked before anything runs.
    pub token: Option<Token>,
    /// What checks the cursor and makes those of the response. `None` until whoever knows the caller has set it, and without a cursor.
    pub seal: Option<Seal>,
    /// The media type of the response, if the request alone decides it: for the API description, or for the function that replaces
    /// it.
    pub media: Option<MediaType>,
    /// The end of the transaction that the request asks for and may ask for (`Prefer: tx`).
    pub transaction: Option<Transaction>,
    /// The changes are committed.
    pub commits: bool,
}

impl<'a> Ask<'a> {
    /// Reads what a request asks for.
    ///
    /// # Errors
    /// Parameters outside the grammar and malformed cursors (400), a page that cannot have rows (416), an unavailable representation
    /// (406), and a body that does not match its Content-Type (400).
    pub fn read(request: &'a Request<'a>, mut action: Action, settings: &Settings) -> Result<Self> {
        let names_arguments = action.verb == Verb::CallSafe && request.arguments.is_none();
        let mut query = query::parse(&request.target.parameters, names_arguments)?;
        let mut page = set_page(&mut query, request.range)?;
        let accept = request.headers.get("accept");
        let mut version = Version::default();
        let mut media = None;
        if request.target.segments.is_empty() && action.verb == Verb::CallSafe {
            // A function that replaces the description produces JSON, whatever its media type is called.
            media = openapi::root_spec_media(accept);
        }
        let accepted = if media.is_some() { Vec::new() } else { media_type::accepted(accept)? };
        if action.verb == Verb::ReadRoot {
            let (negotiated, of_document) = openapi::negotiate(accept, settings.openapi_version)?;
            (version, media) = (negotiated, Some(of_document));
        }
        let is_item = matches!(action.resource, Resource::Item { .. });
        let (body, payload) = Payload::read(request, action.verb, is_item, &mut query, settings.max_body_bytes)?;
        if let Resource::Item { key, .. } = &mut action.resource {
            let values = std::mem::take(key).into_iter();
            query.item = Some(values.map(|value| query.add_value(Literal::Text(value))).collect());
        }
        let (mut seek, mut token) = (None, None);
        let takes_cursor = action.verb == Verb::Read && matches!(action.resource, Resource::Collection { .. });
        if takes_cursor
            && let Some(asked) = keyset::Page::read(&mut query, settings.plan.max_rows, request.range.is_some())?
        {
            (seek, token) = (Some(asked.seek), asked.token);
            page = Page { offset: 0, limit: Some(asked.rows) };
        }
        let precondition = Precondition::of(&request.conditions, action.verb, &mut query);
        let limit = query.root.limit.and_then(|id| query.values.get(id)).and_then(Magnitude::of);
        let literals = std::mem::take(&mut query.values);
        let preferences = request.preferences.of_write();
        let is_write = matches!(action.verb, Verb::Create | Verb::Replace | Verb::Update | Verb::Delete);
        let settings_of_plan = PlanSettings { keyed: settings.plan.keyed && is_write, ..settings.plan };
        let transaction = settings.end.asked(request.preferences.transaction);
        Ok(Ask {
            commits: settings.end.commits(transaction),
            transaction,
            request,
            shape: Rc::new(Shape {
                action,
                query,
                body,
                preferences,
                precondition,
                accepted,
                version,
                settings: settings_of_plan,
                magnitudes: literals.iter().filter_map(Magnitude::of).collect(),
                is_small_page: limit.is_some_and(|limit| limit <= Magnitude::SMALLEST),
                seek,
            }),
            literals,
            payload,
            page,
            token,
            seal: None,
            media,
        })
    }

    /// The resource, and what to do with it.
    pub fn action(&self) -> &Action {
        &self.shape.action
    }

    /// The values of the primary key if the path names a single row; otherwise empty.
    pub fn item_key(&self) -> Vec<&str> {
        let values = self.shape.query.item.iter().flatten().filter_map(|id| self.literals.get(*id));
        let texts = values.filter_map(|value| match value {
            Literal::Text(text) => Some(text.as_str()),
            Literal::List(_) | Literal::Number(_) => None,
        });
        texts.collect()
    }

    /// Whether the path names a single row by its key.
    pub fn is_item(&self) -> bool {
        self.shape.query.item.is_some()
    }
}

/// The page that the Range field and the parameters `limit` and `offset` select together.
///
/// # Errors
/// PGRST103 (416) if they do not overlap.
fn set_page(query: &mut Query, range: Option<Page>) -> Result<Page> {
    let asked = Page { offset: query.number(query.root.offset).unwrap_or(0), limit: query.number(query.root.limit) };
    let Some(range) = range else { return Ok(asked) };
    let page = asked.intersect(range)?;
    if let Some(limit) = page.limit {
        let id = query.add_value(Literal::Number(limit));
        query.root.limit = Some(id);
    }
    let id = query.add_value(Literal::Number(page.offset));
    query.root.offset = Some(id);
    Ok(page)
}
