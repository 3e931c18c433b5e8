//! JSON Merge Patch (RFC 7396, section 2).

use super::{Node, Problem};
use std::borrow::Cow;
use std::collections::HashMap;

/// The value after the patch. `target`: the value before it, if there is one.
pub(super) fn merge<'a>(target: Option<Node<'a>>, mut patch: Node<'a>) -> Result<Node<'a>, Problem> {
    patch.open()?;
    let Node::Object(changes) = patch else { return Ok(patch) };
    let mut target = target.unwrap_or(Node::Raw(b"null"));
    target.open()?;
    let members = match target {
        Node::Object(members) => members,
        Node::Array(_) | Node::Raw(_) => Vec::new(),
    };
    let mut members: Vec<(Cow<'a, [u8]>, Option<Node<'a>>)> =
        members.into_iter().map(|(key, value)| (key, Some(value))).collect();
    let mut places: HashMap<Cow<'a, [u8]>, usize> =
        members.iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect();
    for (key, change) in changes {
        let place = places.get(&key).copied();
        if matches!(change, Node::Raw(b"null")) {
            if let Some((_, value)) = place.and_then(|place| members.get_mut(place)) {
                *value = None;
            }
            continue;
        }
        match place.and_then(|place| members.get_mut(place)) {
            Some((_, value)) => *value = Some(merge(value.take(), change)?),
            None => {
                places.insert(key.clone(), members.len());
                members.push((key, Some(merge(None, change)?)));
            }
        }
    }
    // Of a key that stands twice, the last one counts.
    let counts = |place: usize, key: &Cow<[u8]>| places.get(key) == Some(&place);
    let members = members.into_iter().enumerate().filter(|(place, (key, _))| counts(*place, key));
    Ok(Node::Object(members.filter_map(|(_, (key, value))| Some((key, value?))).collect()))
}
