//! Targets and queries parse to the same after they are displayed.

use super::refused;
use crate::http::target::{Target, encode};
use crate::limits;
use crate::query::*;

/// A target.
pub fn grammar(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let target = match Target::parse(text) {
        Ok(target) => target,
        Err(e) => {
            refused(&e);
            return false;
        }
    };
    let path: String = target.segments.iter().map(|s| format!("/{}", encode(s, b""))).collect();
    let path = if path.is_empty() { "/".to_owned() } else { path };
    if path.len() <= limits::TARGET_BYTES {
        assert_eq!(Target::parse(&path).expect("an encoded path").segments, target.segments, "{path}");
    }
    let calls = [false, true].into_iter().filter(|is_call| match parse(&target.parameters, *is_call) {
        Ok(query) => {
            read_again(&query, *is_call);
            true
        }
        Err(e) => {
            refused(&e);
            false
        }
    });
    calls.count() > 0
}

/// The parameters that display a query.
pub(super) fn displayed(query: &Query) -> String {
    let pairs = query.parameters().into_iter().map(|(n, v)| format!("{}={}", encode(&n, b""), encode(&v, b"")));
    format!("/?{}", pairs.collect::<Vec<_>>().join("&"))
}

fn read_again(query: &Query, is_call: bool) {
    let shown = displayed(query);
    if shown.len() > limits::TARGET_BYTES {
        return;
    }
    let target = Target::parse(&shown).unwrap_or_else(|e| panic!("{shown}: {e:?}"));
    let again = parse(&target.parameters, is_call).unwrap_or_else(|e| panic!("{shown}: {e:?}"));
    assert_eq!(again.parameters(), query.parameters());
    assert_eq!(in_order(&again), in_order(query), "{shown}");
}

/// The query with its literals in the order of their use. Parameters may come in any order, and an ignored one has a literal, too.
pub(super) fn in_order(query: &Query) -> Query {
    let mut ordered = Query { values: Vec::new(), filter_texts: Vec::new(), ..query.clone() };
    let mut root = std::mem::take(&mut ordered.root);
    let mut arguments = std::mem::take(&mut ordered.arguments);
    let mut take = |id: &mut ValueId| *id = ordered.add_value(query.values[*id].clone());
    arguments.iter_mut().for_each(|(_, id)| take(id));
    node(&mut root, &mut take);
    Query { root, arguments, ..ordered }
}

fn node(of: &mut QueryNode, take: &mut impl FnMut(&mut ValueId)) {
    of.conditions.iter_mut().for_each(|c| condition(c, take));
    of.limit.iter_mut().chain(&mut of.offset).for_each(&mut *take);
    for item in of.select.iter_mut().flatten() {
        if let SelectItem::Embed(embed) = item {
            node(&mut embed.node, take);
        }
    }
}

fn condition(of: &mut Condition, take: &mut impl FnMut(&mut ValueId)) {
    match of {
        Condition::Tree { children, .. } => children.iter_mut().for_each(|c| condition(c, take)),
        Condition::Filter(filter) => match &mut filter.operation {
            Operation::Binary { value, .. } | Operation::FullText { value, .. } => take(value),
            Operation::In(value) | Operation::IsDistinct(value) => take(value),
            Operation::Is(_) => {}
        },
    }
}
