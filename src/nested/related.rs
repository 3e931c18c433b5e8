//! How rows and the rows in them belong together: takes related rows out of a row, and fills in the columns by which they are related.

use super::{Row, Text, filters, kind, path, rows};
use crate::catalog::Relation;
use crate::error::{Code, Error, Result};
use crate::json::ValueKind;
use crate::limits;
use crate::plan::Link;
use std::borrow::Cow;

/// What a member that is one related row holds.
pub enum Nested<'a> {
    Absent,
    Null,
    Row(Row<'a>),
}

/// Takes a member that is one related row out of a row.
///
/// # Errors
/// PGRST102 (400) unless it is an object or null.
pub fn take_one<'a>(row: &mut Row<'a>, member: &str) -> Result<Nested<'a>> {
    let pointer = row.at(member);
    let Some(text) = row.take(member) else { return Ok(Nested::Absent) };
    match kind(&text) {
        Some(ValueKind::Null) => Ok(Nested::Null),
        Some(ValueKind::Object) => Ok(Nested::Row(Row::read(sent(text), pointer)?)),
        _ => Err(Error::new(Code::Body, format!("'{member}' is one row: an object or null")).pointer(pointer)),
    }
}

/// Takes a member with the rows that refer to the row out of it: an array, or one object if at most one can refer to it.
///
/// # Errors
/// PGRST102 (400) if it is something else.
pub fn take_many<'a>(row: &mut Row<'a>, member: &str, link: &Link) -> Result<Vec<Row<'a>>> {
    if !link.to_many {
        return Ok(match take_one(row, member)? {
            Nested::Absent | Nested::Null => Vec::new(),
            Nested::Row(row) => vec![row],
        });
    }
    let pointer = row.at(member);
    let Some(text) = row.take(member) else { return Ok(Vec::new()) };
    if kind(&text) != Some(ValueKind::Array) {
        return Err(Error::new(Code::Body, format!("'{member}' are rows: an array of objects")).pointer(pointer));
    }
    Ok(rows(sent(text), &pointer)?.0)
}

/// A value of the body as it was sent.
fn sent(text: Text<'_>) -> &[u8] {
    match text {
        Cow::Borrowed(text) => text,
        // Only values that follow from relationships are owned, and these are scalars of columns.
        Cow::Owned(_) => b"null",
    }
}

/// The target that names a row by the primary key in it, which is taken out. `None` if the row does not have the whole key.
///
/// # Errors
/// REST400 (400) for a key that is an array or an object.
pub fn take_key(row: &mut Row, relation: &Relation) -> Result<Option<String>> {
    let key = &relation.primary_key;
    let has = |column: &String| row.get(column).is_some_and(|value| kind(value) != Some(ValueKind::Null));
    if key.is_empty() || !key.iter().all(has) {
        return Ok(None);
    }
    let values = key.iter().map(|column| (column.as_str(), row.get(column).unwrap_or_default()));
    let filters = filters(values).map_err(|error| error.pointer(row.pointer.clone()))?;
    for column in key {
        row.take(column);
    }
    Ok(Some(format!("{}{filters}", path(&relation.name.name))))
}

/// Makes a row refer to the related one, which has this key.
///
/// # Errors
/// REST400 (400) if the row states another key.
pub fn refer(row: &mut Row, link: &Link, key: &Row) -> Result<()> {
    for (own, theirs) in &link.columns {
        row.fill(own, Cow::Owned(key.get(theirs).unwrap_or(b"null").to_vec()))?;
    }
    Ok(())
}

/// Makes a row refer to no other.
///
/// # Errors
/// REST400 (400) if the row states a key.
pub fn unrelate(row: &mut Row, link: &Link) -> Result<()> {
    link.columns.iter().try_for_each(|(own, _)| row.fill(own, Cow::Borrowed(b"null")))
}

/// Makes a related row refer to the one with this key.
///
/// # Errors
/// REST400 (400) if the row states another key, or the key is null.
pub fn belong(row: &mut Row, link: &Link, key: &Row) -> Result<()> {
    for (own, theirs) in &link.columns {
        let value = key.get(own).filter(|value| kind(value) != Some(ValueKind::Null)).ok_or_else(|| {
            Error::new(Code::MalformedRequest, format!("The row has no value of '{own}' that others could refer to"))
                .pointer(row.pointer.clone())
        })?;
        row.fill(theirs, Cow::Owned(value.to_vec()))?;
    }
    Ok(())
}

/// The wanted columns, and those that rows of these relationships refer to.
pub fn with_own<'l>(wanted: &[String], links: impl Iterator<Item = &'l Link>) -> Vec<String> {
    let mut columns = wanted.to_vec();
    for (own, _) in links.flat_map(|link| &link.columns) {
        if !columns.contains(own) {
            columns.push(own.clone());
        }
    }
    columns
}

/// Refuses rows that are nested too deep. `pointer`: to a row at this depth.
///
/// # Errors
/// REST431 (400).
pub fn check_depth(depth: usize, pointer: &str) -> Result<()> {
    if depth > limits::EMBED_DEPTH {
        return Err(Error::new(Code::Limit, format!("Rows are nested more than {} levels deep", limits::EMBED_DEPTH))
            .hint("Split the request, or make a batch.")
            .pointer(pointer.to_owned()));
    }
    Ok(())
}

/// The error with a pointer to the row that causes it. If several rows were written together, they are tried one by one.
pub fn blamed(error: Error, rows: &[Row], alone: impl Fn(&[Row]) -> Option<Error>) -> Error {
    let located = |error: Error, rows: &[Row]| {
        let error = error.repoint(|pointer| {
            let rest = pointer.strip_prefix('/').unwrap_or(pointer);
            let (index, below) = rest.split_once('/').unwrap_or((rest, ""));
            match index.parse::<usize>().ok().and_then(|i| rows.get(i)) {
                Some(row) => format!("{}/{below}", row.pointer),
                None => format!("{}{pointer}", rows.first().map_or("", |row| row.pointer.as_str())),
            }
        });
        let first = error.errors.first().filter(|_| error.errors_are_in_body).map(|invalid| invalid.pointer.clone());
        let row = rows.first().filter(|_| rows.len() == 1).map(|row| row.pointer.clone());
        match first.or(row) {
            Some(pointer) => error.pointer(pointer),
            None => error,
        }
    };
    if rows.len() > 1 && rows.len() <= limits::NESTED_TRIALS && !error.errors_are_in_body {
        for row in rows {
            let row = std::slice::from_ref(row);
            if let Some(error) = alone(row) {
                return located(error, row);
            }
        }
    }
    located(error, rows)
}
