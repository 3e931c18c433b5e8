//! What a cursor belongs to: everything that decides which rows a request reads, in which order, and for whom.

use crate::query::{Condition, Filter, IsValue, Join, Literal, Operation, Query, QueryNode, SelectItem};
use aws_lc_rs::digest;

/// The bytes of a fingerprint.
pub(super) const LENGTH: usize = 16;

/// The fingerprint of a request: equal for two that read the same rows in the same order for the same caller, whatever they show of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub(super) [u8; LENGTH]);

/// What a fingerprint is made of.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub schema: &'a str,
    pub relation: &'a str,
    pub query: &'a Query,
    /// The literals of the query.
    pub literals: &'a [Literal],
    /// The role that the request runs as.
    pub role: &'a str,
    /// The subject of the request's claims.
    pub subject: Option<&'a str>,
}

impl Fingerprint {
    /// The fingerprint of a request. Two parameters in another order do not change it.
    pub fn of(asked: &Asked) -> Self {
        let rows = Query {
            root: QueryNode { limit: None, offset: None, ..deciding(&asked.query.root) },
            values: asked.literals.to_vec(),
            ..Query::default()
        };
        let mut parameters = rows.parameters();
        parameters.sort_unstable();
        let mut hashed = digest::Context::new(&digest::SHA256);
        let mut add = |text: &str| {
            hashed.update(&(text.len() as u64).to_be_bytes());
            hashed.update(text.as_bytes());
        };
        add(asked.schema);
        add(asked.relation);
        add(asked.role);
        add(if asked.subject.is_some() { "of" } else { "" });
        add(asked.subject.unwrap_or_default());
        for (name, value) in &parameters {
            add(name);
            add(value);
        }
        Fingerprint(hashed.finish().as_ref().first_chunk().copied().unwrap_or_default())
    }
}

/// The level without what decides neither about its rows nor about their order. Of the relations that it embeds, those stay that leave out
/// rows, or that a condition or the order names.
fn deciding(node: &QueryNode) -> QueryNode {
    let embeds = node.select.iter().flatten().filter_map(|item| match item {
        SelectItem::Embed(embed) => Some(embed),
        SelectItem::Star | SelectItem::Field(_) => None,
    });
    let decides = |label: &str| {
        node.order.iter().any(|term| term.relation.as_deref() == Some(label))
            || node.conditions.iter().any(|condition| tests(condition, label))
    };
    let kept = embeds.filter(|embed| embed.join == Some(Join::Inner) || decides(embed.label())).map(|embed| {
        let mut embed = embed.clone();
        embed.node = deciding(&embed.node);
        SelectItem::Embed(embed)
    });
    let kept: Vec<SelectItem> = kept.collect();
    QueryNode { select: (!kept.is_empty()).then_some(kept), ..node.clone() }
}

/// Whether a condition may ask for the rows of an embedded relation.
fn tests(condition: &Condition, label: &str) -> bool {
    match condition {
        Condition::Tree { children, .. } => children.iter().any(|child| tests(child, label)),
        Condition::Filter(Filter { field, operation, .. }) => {
            matches!(operation, Operation::Is(IsValue::Null | IsValue::NotNull)) && field.name == label
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::target::Target;
    use crate::query;

    fn of(target: &str) -> Fingerprint {
        let query = query::parse(&Target::parse(target).unwrap().parameters, false).unwrap();
        let literals = query.values.clone();
        let relation = target.split('?').next().unwrap();
        let (schema, role, subject) = ("api", "web", Some("ann"));
        Fingerprint::of(&Asked { schema, relation, query: &query, literals: &literals, role, subject })
    }

    #[test]
    fn what_is_shown_and_how_much_does_not_count() {
        let same = [
            "/t?a=eq.1&b=in.(1,2)&order=a.desc,b",
            "/t?b=in.(1,2)&a=eq.1&order=a.desc,b&limit=5&cursor=first",
            "/t?select=a,x:b::text,u(c)&a=eq.1&b=in.(1,2)&order=a.desc,b&limit=7",
            "/t?select=*,u(c)&u.c=eq.1&u.order=c&a=eq.1&b=in.(1,2)&order=a.desc,b",
        ];
        assert!(same.iter().all(|target| of(target) == of(same[0])));
    }

    #[test]
    fn what_decides_about_rows_counts() {
        let targets = [
            "/t",
            "/u",
            "/t?a=eq.1",
            "/t?a=eq.2",
            "/t?a=neq.1",
            "/t?a=not.eq.1",
            "/t?b=eq.1",
            "/t?order=a",
            "/t?order=a.desc",
            "/t?order=a.nullsfirst",
            "/t?order=a,b",
            "/t?or=(a.eq.1,b.eq.1)",
            "/t?and=(a.eq.1,b.eq.1)",
            "/t?select=u!inner()",
            "/t?select=u!inner()&u.c=eq.1",
            "/t?select=u!inner()&u.c=eq.2",
            "/t?select=u!inner(v!inner())&u.v.c=eq.2",
            "/t?select=u()&u=is.null",
            "/t?select=u()&u=is.null&u.c=eq.1",
            "/t?select=u()&order=u(c)",
            "/t?select=u()&order=u(c)&u.c=eq.1",
        ];
        for (i, target) in targets.iter().enumerate() {
            assert!(targets[..i].iter().all(|other| of(other) != of(target)), "{target}");
        }
    }

    #[test]
    fn who_asks_counts() {
        let query = Query::default();
        let asked = Asked { schema: "api", relation: "t", query: &query, literals: &[], role: "web", subject: None };
        let all = [
            asked,
            Asked { role: "app", ..asked },
            Asked { subject: Some(""), ..asked },
            Asked { subject: Some("ann"), ..asked },
            Asked { schema: "old", ..asked },
        ];
        let all = all.map(|asked| Fingerprint::of(&asked));
        assert!((0..all.len()).all(|i| !all[..i].contains(&all[i])));
    }
}
