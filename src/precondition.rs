//! The preconditions of a write (RFC 9110, section 13) as part of the shape of a request. Pure.

use crate::http::condition::{Conditions, Tags, version_bytes};
use crate::query::{Literal, Query, ValueId};
use crate::route::Verb;

/// The preconditions of a write. Tags and dates are literals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Precondition {
    /// If-Match with tags: the versions of which the row must have one.
    pub one_of: Option<ValueId>,
    /// If-Match: *
    pub exists: bool,
    /// If-None-Match with tags: the versions of which the row must have none.
    pub none_of: Option<ValueId>,
    /// If-None-Match: *
    pub absent: bool,
    /// If-Unmodified-Since, in seconds since 1970.
    pub unmodified_since: Option<ValueId>,
}

impl Precondition {
    /// The preconditions of a request that writes. Their values become literals of the query.
    pub fn of(conditions: &Conditions, verb: Verb, query: &mut Query) -> Self {
        if *conditions == Conditions::default()
            || !matches!(verb, Verb::Create | Verb::Replace | Verb::Update | Verb::Delete | Verb::Call)
        {
            return Precondition::default();
        }
        let mut versions = |tags: &Option<Tags>, is_strong: bool| match tags {
            Some(Tags::Of(tags)) => {
                // If-Match compares strongly (RFC 9110, section 13.1.1), so a weak tag is never equal.
                let tags = tags.iter().filter(|tag| !(is_strong && tag.is_weak));
                let versions = tags.filter_map(|tag| version_bytes(tag.version()));
                let texts =
                    versions.map(|bytes| bytes.iter().fold("\\x".to_owned(), |text, byte| format!("{text}{byte:02x}")));
                Some(query.add_value(Literal::List(texts.collect())))
            }
            _ => None,
        };
        let (one_of, none_of) = (versions(&conditions.if_match, true), versions(&conditions.if_none_match, false));
        // If-Match decides alone (section 13.2.2).
        let since = conditions.if_unmodified_since.filter(|_| conditions.if_match.is_none());
        Precondition {
            one_of,
            exists: conditions.if_match == Some(Tags::Any),
            none_of,
            absent: conditions.if_none_match == Some(Tags::Any),
            unmodified_since: since.map(|since| query.add_value(Literal::Number(since))),
        }
    }

    /// Whether a tag, or `*`, is part of them.
    pub fn has_tags(&self) -> bool {
        self.one_of.is_some() || self.exists || self.none_of.is_some() || self.absent
    }
}
