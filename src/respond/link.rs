//! The field Link (RFC 8288): the first, previous, next and last page of a collection. Pure.

use super::outcome::Effect;
use crate::ask::Ask;
use crate::error::Result;
use crate::http::prefer::Count;
use crate::http::{Method, target};
use crate::keyset::{self, Seal, Seek};
use crate::limits;
use crate::route::Verb;

/// The value of Link. `None` if the response is not a page of a list. Its targets are references of the query alone (RFC 3986, section
/// 5.2.2), so they hold under whatever path a gateway shows the resource.
///
/// # Errors
/// REST461 if the values that order the rows are too long for a cursor.
pub(super) fn link(ask: &Ask, effect: &Effect) -> Result<Option<String>> {
    let is_read = matches!(ask.action().verb, Verb::Read | Verb::CallSafe);
    if !is_read || !effect.is_list || ask.is_item() {
        return Ok(None);
    }
    match (&ask.shape.seek, &ask.seal, &effect.ends) {
        (Some(seek), Some(seal), Some(ends)) => beside(ask, seek, seal, ends).map(Some),
        (None, ..) => Ok(by_offset(ask, effect)),
        _ => Ok(None),
    }
}

/// The links of a page that begins beside a row.
fn beside(ask: &Ask, seek: &Seek, seal: &Seal, ends: &keyset::Ends) -> Result<String> {
    let mut links = Links::of(ask);
    let token = |backward: bool, keys: &keyset::Keys| seal.token(backward, ends.order, keys);
    // Rows are read away from the row that the page begins beside.
    let ahead = match &ends.last {
        Some(keys) if ends.more => Some(token(seek.backward, keys)?),
        _ => None,
    };
    let behind = match (&seek.beside, &ends.first) {
        (None, _) => None,
        (Some(_), Some(keys)) => Some(token(!seek.backward, keys)?),
        // Nothing is left on this side of the row.
        (Some(_), None) => Some(if seek.backward { keyset::FIRST } else { keyset::LAST }.to_owned()),
    };
    let (previous, next) = if seek.backward { (ahead, behind) } else { (behind, ahead) };
    let is_short = links.is_short;
    let limit = ask.page.limit.filter(|_| ask.shape.query.root.limit.is_some());
    let mut add = |relation, cursor: &str| links.add(relation, |to| to.text("cursor", cursor).number("limit", limit));
    if is_short {
        add("first", keyset::FIRST);
    }
    for (relation, cursor) in [("prev", previous), ("next", next)] {
        cursor.iter().for_each(|cursor| add(relation, cursor));
    }
    if is_short {
        add("last", keyset::LAST);
    }
    Ok(links.field)
}

/// The links of a page that begins after a number of rows. `None` unless a page was asked for, or the settings cut the rows.
fn by_offset(ask: &Ask, effect: &Effect) -> Option<String> {
    let (page, cap) = (ask.page, ask.shape.settings.max_rows);
    let size = [page.limit, cap].into_iter().flatten().min();
    let is_cut = cap.is_some_and(|cap| effect.rows >= cap);
    let is_page = page.limit.is_some() || page.offset > 0 || is_cut;
    // An estimate does not tell which page is the last.
    let total = effect.total.filter(|_| ask.request.preferences.count == Some(Count::Exact));
    if !is_page || size == Some(0) {
        return None;
    }
    let mut links = Links::of(ask);
    if !links.is_short {
        return None;
    }
    let mut add = |relation, offset: u64| {
        let offset = Some(offset).filter(|offset| *offset > 0);
        links.add(relation, |to| to.number("limit", page.limit).number("offset", offset));
    };
    add("first", 0);
    if let Some(size) = size {
        if page.offset > 0 {
            add("prev", page.offset.saturating_sub(size));
        }
        let end = page.offset.saturating_add(effect.rows);
        if effect.rows > 0 && total.map_or(effect.rows >= size, |total| end < total) {
            add("next", end);
        }
        if let Some(total) = total {
            // The pages before and after this one begin where the others do.
            let shift = page.offset % size;
            let last = total.checked_sub(shift + 1).map_or(0, |rest| shift + rest / size * size);
            add("last", last);
        }
    }
    Some(links.field)
}

/// The field as it grows.
struct Links {
    field: String,
    /// The parameters of the request that do not choose the page, encoded.
    kept: String,
    /// There is room to repeat the parameters in each link.
    is_short: bool,
}

impl Links {
    fn of(ask: &Ask) -> Self {
        let is_cursor = ask.shape.query.cursor.is_some();
        let chooses_page = |name: &str, value: &str| match name {
            "limit" | "offset" => true,
            "cursor" => is_cursor && !value.contains('.'),
            _ => false,
        };
        let mut kept = String::new();
        let arguments = ask.request.arguments.iter().flat_map(|arguments| arguments.parameters);
        for (name, value) in arguments.chain(&ask.request.target.parameters) {
            let value = value.as_deref().unwrap_or_default();
            if !chooses_page(name, value) {
                kept.push(if kept.is_empty() { '?' } else { '&' });
                target::encode_into(&mut kept, name, b"*");
                kept.push('=');
                target::encode_into(&mut kept, value, b"*()!:,");
            }
        }
        let is_short = kept.len() <= limits::LINK_PARAMETERS;
        if !is_short && ask.request.method == Method::Query {
            // The parameters are in the body, and stay there.
            kept.clear();
        }
        Links { field: String::with_capacity(4 * (kept.len() + 40)), kept, is_short }
    }

    /// Adds a link. `page`: adds the parameters that choose the page.
    fn add<'l>(&'l mut self, relation: &str, page: impl FnOnce(Reference<'l>) -> Reference<'l>) {
        let Links { field, kept, .. } = self;
        field.push_str(if field.is_empty() { "<" } else { ", <" });
        field.push_str(kept);
        let Reference { field, is_first } = page(Reference { field, is_first: kept.is_empty() });
        // Without parameters, an empty query instead of the one that the request has.
        field.push_str(if is_first { "?>; rel=\"" } else { ">; rel=\"" });
        field.push_str(relation);
        field.push('"');
    }
}

/// The reference of a link as it grows.
struct Reference<'l> {
    field: &'l mut String,
    /// It has no parameter yet.
    is_first: bool,
}

impl Reference<'_> {
    fn text(mut self, name: &str, value: &str) -> Self {
        self.field.push(if std::mem::take(&mut self.is_first) { '?' } else { '&' });
        self.field.push_str(name);
        self.field.push('=');
        self.field.push_str(value);
        self
    }

    fn number(self, name: &str, number: Option<u64>) -> Self {
        match number {
            Some(number) => self.text(name, itoa::Buffer::new().format(number)),
            None => self,
        }
    }
}
