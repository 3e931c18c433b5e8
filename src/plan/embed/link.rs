//! Relationships by which a body nests rows.

use super::relationship::Cardinality;
use crate::catalog::Relation;
use crate::error::{Code, Error, Result};
use crate::plan::Planner;
use crate::query::{self, Embed, SelectItem};
use std::borrow::Cow;

/// A relationship that a member of a body names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The related table or view, in the schema of the request.
    pub target: String,
    /// The row that has the member refers to the related one, which is written first. Otherwise, related rows refer to the row.
    pub refers: bool,
    /// The member is an array of rows.
    pub to_many: bool,
    /// The columns of the row and of the related row that are equal.
    pub columns: Vec<(String, String)>,
}

impl Planner<'_> {
    /// The relationship that a member of a body names, as `select` names it: by a relation, a column or a key, with hints. `None` if
    /// there is none.
    ///
    /// # Errors
    /// PGRST201 (300) for a name that fits several relationships; REST400 (400) for a many-to-many relationship.
    pub fn link(&self, relation: &Relation, member: &str) -> Result<Option<Link>> {
        let Some(Embed { name, hints, .. }) = embed(member) else { return Ok(None) };
        let found = match self.relationship(relation, &name, &hints) {
            Err(none) if none.code == Code::Relationship.as_str() => return Ok(None),
            found => found?,
        };
        if self.visible(&found.target.name)?.is_none() {
            return Ok(None);
        }
        let (refers, to_many) = match &found.kind {
            Cardinality::ManyToOne => (true, false),
            Cardinality::OneToOne { from_origin } => (*from_origin, false),
            Cardinality::OneToMany => (false, true),
            Cardinality::ManyToMany(junction) => {
                return Err(Error::new(
                    Code::MalformedRequest,
                    format!(
                        "Rows of '{member}' cannot be nested, because they are related through '{}'",
                        junction.table.name
                    ),
                )
                .hint(format!(
                    "Nest rows of '{0}', and in each of them one of '{1}'.",
                    junction.table.name, found.target.name
                )));
            }
        };
        Ok(Some(Link {
            target: found.target.name.clone(),
            refers,
            to_many,
            columns: found.origin_columns.into_iter().zip(found.target_columns).collect(),
        }))
    }
}

/// The member as an item of `select`. `None` unless it is a name, with or without hints.
fn embed(member: &str) -> Option<Embed> {
    let parameter = (Cow::Borrowed("select"), Some(Cow::Owned(format!("{member}()"))));
    match query::parse(&[parameter], false).ok()?.root.select?.pop()? {
        SelectItem::Embed(embed) if embed.alias.is_none() && embed.join.is_none() && !embed.spread => Some(embed),
        _ => None,
    }
}
