//! Pages that begin beside a row, and not after a number of rows: what a request asks for, and the token that names the row. Pure.
//!
//! The *keys* of a row are the values of the terms that the rows are ordered by. The primary key is among them, so no two rows have the
//! same.

mod fingerprint;
mod token;

pub use fingerprint::{Asked, Fingerprint};
pub use token::{Seal, Token, order_identity};

use crate::error::{Code, Error, Result};
use crate::limits;
use crate::query::{Literal, Query, ValueId};

/// The keys of a row as texts, in the order of the terms; `None` is null.
pub type Keys = Vec<Option<String>>;

/// The value of `cursor` that asks for the first page. A token is longer.
pub const FIRST: &str = "first";
/// The value of `cursor` that asks for the last page.
pub const LAST: &str = "last";

/// The rows at the ends of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// What [`order_identity`] says of the order of the rows.
    pub order: u32,
    /// The keys of the row that was read first. `None` if the page is empty.
    pub first: Option<Keys>,
    /// The keys of the row that was read last, if the page is full.
    pub last: Option<Keys>,
    /// There are rows beyond the last one.
    pub more: bool,
}

/// Where a page begins. Part of the shape of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seek {
    /// The rows are read from the last to the first: the page lies before a row, or at the end.
    pub backward: bool,
    /// The row that the page lies beside; `None` for the first and the last page.
    pub beside: Option<Beside>,
}

/// The row that a page lies beside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Beside {
    /// What [`order_identity`] says of the order that the keys are of.
    pub order: u32,
    /// The literals of its keys; `None` is null.
    pub keys: Vec<Option<ValueId>>,
}

/// The page that a request asks for.
#[derive(Debug)]
pub struct Page {
    pub seek: Seek,
    /// The token, which has to be checked by [`Seal::check`] before anything runs. `None` for the first and the last page.
    pub token: Option<Token>,
    /// How many rows it has at most.
    pub rows: u64,
}

impl Page {
    /// Reads `cursor`, if the query has it. The literals of the row's keys are added to the query, and its limit becomes that of a
    /// statement that looks one row further than the page.
    ///
    /// `most`: the limit on rows that the settings set. `has_range`: the request has a Range field.
    ///
    /// # Errors
    /// REST460 for a cursor that nobody has made; PGRST100 without a limit, and together with an offset or a Range field.
    pub fn read(query: &mut Query, most: Option<u64>, has_range: bool) -> Result<Option<Self>> {
        let Some(Literal::Text(text)) = query.cursor.and_then(|id| query.values.get(id)) else { return Ok(None) };
        let token = match text.as_str() {
            FIRST | LAST => None,
            token => Some(Token::decode(token)?),
        };
        let backward = token.as_ref().map_or(text == LAST, |token| token.backward);
        if query.root.offset.is_some() || has_range {
            let other = if has_range { "the field Range" } else { "'offset'" };
            return Err(Error::new(Code::QueryParameter, format!("'cursor' cannot be used together with {other}"))
                .hint("A cursor says where the page begins. Ask for its number of rows with 'limit'."));
        }
        let rows = match [query.number(query.root.limit), most].into_iter().flatten().min() {
            Some(rows @ 1..) => rows,
            _ => {
                return Err(Error::new(Code::QueryParameter, "'cursor' needs a limit of at least one row")
                    .hint("Add the number of rows of a page, as in limit=20."));
            }
        };
        if let Some(id) = query.root.limit {
            query.values.splice(id..=id, [Literal::Number(one_more(rows))]);
        }
        let beside = token.as_ref().map(|token| Beside {
            order: token.order,
            keys: token.keys.iter().map(|key| key.clone().map(|text| query.add_value(Literal::Text(text)))).collect(),
        });
        Ok(Some(Page { seek: Seek { backward, beside }, token, rows }))
    }
}

/// The limit of a statement that looks one row further. It stays within PostgreSQL's `bigint`.
pub fn one_more(rows: u64) -> u64 {
    rows.saturating_add(1).min(i64::MAX.unsigned_abs())
}

/// The refusal of a cursor.
fn refused(message: &str) -> Error {
    Error::new(Code::Cursor, message).hint(format!(
        "Start again with cursor={FIRST}, and take further cursors from the Link field of the response, for the same request."
    ))
}

/// The refusal of keys that are too long for a token.
fn too_long() -> Error {
    Error::new(
        Code::CursorOrder,
        format!(
            "The values that order the rows take more than {} bytes, which is too long for a cursor",
            limits::CURSOR_BYTES
        ),
    )
    .hint("Order by columns with shorter values.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::target::Target;
    use crate::query;

    fn read(target: &str, most: Option<u64>) -> Result<(Option<Page>, Query)> {
        let mut query = query::parse(&Target::parse(target)?.parameters, false)?;
        let page = Page::read(&mut query, most, false)?;
        Ok((page, query))
    }

    #[test]
    fn the_first_and_the_last_page_have_names() {
        for (word, backward) in [(FIRST, false), (LAST, true)] {
            let (page, query) = read(&format!("/t?cursor={word}&limit=7"), Some(10)).unwrap();
            let page = page.unwrap();
            assert_eq!((page.seek, page.rows), (Seek { backward, beside: None }, 7));
            assert_eq!(query.number(query.root.limit), Some(8));
        }
        assert_eq!(read("/t?cursor=first&limit=70", Some(10)).unwrap().0.unwrap().rows, 10);
        assert_eq!(read("/t?cursor=first", Some(10)).unwrap().0.unwrap().rows, 10);
        assert!(read("/t?cursor=eq.1", None).unwrap().0.is_none());
        let (page, query) = read("/t?cursor=first&limit=9223372036854775807", None).unwrap();
        assert_eq!(page.unwrap().rows, i64::MAX as u64);
        assert_eq!(query.number(query.root.limit), Some(i64::MAX as u64));
    }

    #[test]
    fn what_no_page_can_have_is_refused() {
        let code = |target: &str, most| read(target, most).unwrap_err().code.clone();
        for target in ["/t?cursor=first", "/t?cursor=first&limit=0", "/t?cursor=first&limit=5&offset=0"] {
            assert_eq!(code(target, None), "PGRST100", "{target}");
        }
        assert_eq!(code("/t?cursor=first&limit=5&cursor=last", None), "PGRST100");
        for nonsense in ["", "First", "1", "AAAA", "null"] {
            assert_eq!(code(&format!("/t?cursor={nonsense}&limit=5"), None), "REST460", "{nonsense}");
        }
    }
}
