//! What is asked: a request with everything read of it that needs no catalogue. Pure.

use crate::error::Result;
use crate::http::prefer::{Transaction, WritePreferences};
use crate::http::range::Page;
use crate::http::{MediaType, Request, media_type};
use crate::openapi::{self, Version};
use crate::payload::{BodyShape, Payload};
use crate::query::{self, Literal, Query};
use crate::route::{Action, Resource, Verb};
use std::rc::Rc;

/// What a plan depends on: all of the request but its literals, and the settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    pub action: Action,
    /// The query; its literals stand apart.
    pub query: Query,
    pub body: BodyShape,
    pub preferences: WritePreferences,
    /// What the client accepts, the most wanted first; nothing means anything.
    pub accepted: Vec<MediaType>,
    /// The version of the description of the API, where that is asked for.
    pub version: Version,
    pub settings: PlanSettings,
}

/// Settings that a plan depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PlanSettings {
    /// `restful.max_rows`: the most rows that one level of a read returns.
    pub max_rows: Option<u64>,
    /// `restful.aggregates_enabled`
    pub aggregates: bool,
    /// `restful.plan_enabled`
    pub plans: bool,
}

/// The settings that a request is read by.
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
    /// It is rolled back unless the request may and does say otherwise.
    pub rollback: bool,
    /// `Prefer: tx=` may say otherwise.
    pub allow_override: bool,
}

/// What is asked.
pub struct Ask<'a> {
    pub request: &'a Request<'a>,
    pub shape: Rc<Shape>,
    pub literals: Vec<Literal>,
    pub payload: Payload<'a>,
    /// The page that was asked for.
    pub page: Page,
    /// The media type of the answer, where the request alone decides it: that of the description of the API, or of a function's
    /// answer in its place.
    pub media: Option<MediaType>,
    /// The changes are kept.
    pub commits: bool,
}

impl<'a> Ask<'a> {
    /// Reads what a request asks for.
    ///
    /// # Errors
    /// What the grammar of the query does not know (400), a page without rows (416), representations that there are not (406), and a
    /// body that is not what its Content-Type says (400).
    pub fn read(request: &'a Request<'a>, mut action: Action, settings: &Settings) -> Result<Self> {
        let mut query = query::parse(&request.target.parameters, action.verb == Verb::CallSafe)?;
        let page = set_page(&mut query, request.range)?;
        let accept = request.headers.get("accept");
        let mut version = Version::default();
        let mut media = None;
        if request.target.segments.is_empty() && action.verb == Verb::CallSafe {
            // A function that answers in place of the description is asked for JSON, whatever its answer is called.
            media = openapi::root_spec_media(accept);
        }
        let accepted = if media.is_some() { Vec::new() } else { media_type::accepted(accept)? };
        if action.verb == Verb::ReadRoot {
            let (negotiated, of_document) = openapi::negotiate(accept, settings.openapi_version)?;
            (version, media) = (negotiated, Some(of_document));
        }
        let (body, payload) = Payload::read(request, action.verb, &mut query, settings.max_body_bytes)?;
        if let Resource::Item { key, .. } = &mut action.resource {
            let values = std::mem::take(key).into_iter();
            query.item = Some(values.map(|value| query.add_value(Literal::Text(value))).collect());
        }
        let literals = std::mem::take(&mut query.values);
        let preferences = request.preferences.of_write();
        let settings_of_plan = settings.plan.clone();
        Ok(Ask {
            commits: match request.preferences.transaction {
                Some(asked) if settings.end.allow_override => asked == Transaction::Commit,
                _ => !settings.end.rollback,
            },
            request,
            shape: Rc::new(Shape { action, query, body, preferences, accepted, version, settings: settings_of_plan }),
            literals,
            payload,
            page,
            media,
        })
    }

    /// The resource, and what is to be done with it.
    pub fn action(&self) -> &Action {
        &self.shape.action
    }

    /// The values of the primary key by which the path names one row; none where it names none.
    pub fn item_key(&self) -> Vec<&str> {
        let values = self.shape.query.item.iter().flatten().filter_map(|id| self.literals.get(*id));
        let texts = values.filter_map(|value| match value {
            Literal::Text(text) => Some(text.as_str()),
            Literal::List(_) | Literal::Number(_) => None,
        });
        texts.collect()
    }

    /// Whether the path names one row by its key.
    pub fn is_item(&self) -> bool {
        self.shape.query.item.is_some()
    }
}

/// The page of the whole: the Range field and the parameters `limit` and `offset` together.
///
/// # Errors
/// PGRST103 (416) when they have nothing in common.
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
