//! Hooks: functions that run before a request, after it, or when it fails. Pure.

mod exchange;
mod scope;

pub use exchange::{Changed, Message, changed, refused, request_value, response, response_value};
pub use scope::{Scope, read as read_scope};

use crate::http::Request;
use serde::Deserialize;

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    Before,
    After,
    Error,
}

/// What the function of a hook returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Returns {
    /// Nothing: it checks, or raises an error.
    Void,
    /// The request, changed.
    Request,
    Response,
}

/// A hook.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Hook {
    pub event: Event,
    #[serde(deserialize_with = "scope::read")]
    pub scope: Scope,
    /// The schema of its function.
    pub schema: String,
    /// The function.
    pub name: String,
    /// How many parameters the function has: none, the request, or the request and the response.
    pub parameters: usize,
    pub returns: Returns,
    /// The function exists, and is still one that can be such a hook.
    pub is_callable: bool,
}

/// The hooks of an event that take a request, in their order. `group`: that of the request's route.
pub fn of<'h>(
    hooks: &'h [Hook],
    event: Event,
    request: &Request,
    group: Option<&str>,
) -> impl Iterator<Item = &'h Hook> {
    let takes = |hook: &&Hook| hook.event == event && hook.scope.takes(request, group);
    hooks.iter().filter(takes).collect::<Vec<_>>().into_iter()
}
