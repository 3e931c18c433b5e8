//! Ranges of rows: the Range and Content-Range fields (RFC 9110, section 14) in the unit `items`.

use crate::error::{Code, Error, Result};

/// A page of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Rows to skip.
    pub offset: u64,
    /// The maximum number of rows to return.
    pub limit: Option<u64>,
}

impl Page {
    /// Parses a Range field: `0-9`, `10-`, with or without `items=`. Anything else is ignored, as RFC 9110 (section 14.2) requires.
    ///
    /// # Errors
    /// PGRST103 (416) if the lower end is above the upper one.
    pub fn from_range(field: &str) -> Result<Option<Self>> {
        let field = field.trim();
        let field = field.strip_prefix("items=").unwrap_or(field);
        let Some((low, high)) = field.split_once('-') else { return Ok(None) };
        let Ok(low) = low.trim().parse::<u32>() else { return Ok(None) };
        let low = u64::from(low);
        if high.trim().is_empty() {
            return Ok(Some(Page { offset: low, limit: None }));
        }
        let Ok(high) = high.trim().parse::<u32>() else { return Ok(None) };
        let high = u64::from(high);
        if high < low {
            return Err(not_satisfiable()
                .details("The lower boundary must be lower than or equal to the upper boundary in the Range header."));
        }
        Ok(Some(Page { offset: low, limit: Some(high - low + 1) }))
    }

    /// The rows that are in both pages. A limit of 0 stays 0.
    ///
    /// # Errors
    /// PGRST103 (416) if they share no row.
    pub fn intersect(self, other: Page) -> Result<Page> {
        let end = |p: Page| p.limit.map(|limit| p.offset.saturating_add(limit));
        let offset = self.offset.max(other.offset);
        let end = match (end(self), end(other)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if self.limit == Some(0) || other.limit == Some(0) {
            return Ok(Page { offset, limit: Some(0) });
        }
        match end {
            Some(end) if end <= offset => Err(not_satisfiable()
                .details("The Range header and the parameters limit and offset have no row in common.")),
            _ => Ok(Page { offset, limit: end.map(|end| end - offset) }),
        }
    }
}

fn not_satisfiable() -> Error {
    Error::new(Code::Range, "Requested range not satisfiable")
}

/// The parameter `limit` or `offset`.
///
/// # Errors
/// PGRST100 (400) if it is not an integer, PGRST103 (416) if it is negative.
pub fn row_number(name: &str, text: &str) -> Result<u64> {
    match text.trim().parse::<i64>() {
        // a negative offset is the first row
        Ok(..0) if name.ends_with("offset") => Ok(0),
        Ok(n) => {
            u64::try_from(n).map_err(|_| not_satisfiable().details("Limit should be greater than or equal to zero."))
        }
        Err(_) => Err(Error::parse(name, text, 1, "It must be an integer from 0 to 9223372036854775807.")),
    }
}

/// Status and Content-Range of a page. `rows` were returned, starting at `offset`, of `total` if that is known.
///
/// # Errors
/// PGRST103 (416) if the offset is beyond the known total.
pub fn content_range(offset: u64, rows: u64, total: Option<u64>) -> Result<(u16, String)> {
    if let Some(n) = total
        && offset > n
    {
        return Err(not_satisfiable()
            .details(format!("An offset of {offset} was requested, but there are only {n} rows."))
            .header("content-range", format!("*/{n}")));
    }
    let status = if total.is_some_and(|n| rows < n) { 206 } else { 200 };
    let mut digits = itoa::Buffer::new();
    let mut range = String::with_capacity(24);
    if rows == 0 {
        range.push('*');
    } else {
        range.push_str(digits.format(offset));
        range.push('-');
        range.push_str(digits.format(offset + rows - 1));
    }
    range.push('/');
    range.push_str(total.map_or("*", |n| digits.format(n)));
    Ok((status, range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nonsense_is_ignored() {
        assert_eq!(Page::from_range("0-9"), Ok(Some(Page { offset: 0, limit: Some(10) })));
        assert_eq!(Page::from_range("items=5-"), Ok(Some(Page { offset: 5, limit: None })));
        for nonsense in ["", "abc", "-5", "bytes=0-1", "1-x", "99999999999999999999-"] {
            assert_eq!(Page::from_range(nonsense), Ok(None), "{nonsense}");
        }
        assert_eq!(Page::from_range("5-3").unwrap_err().status, 416);
    }

    #[test]
    fn limits_beyond_integers_and_below_zero_are_refused_and_offsets_are_none() {
        assert_eq!(row_number("limit", "-1").unwrap_err().status, 416);
        assert_eq!(row_number("offset", "9223372036854775808").unwrap_err().status, 400);
        assert_eq!(row_number("limit", "x").unwrap_err().status, 400);
        assert_eq!(row_number("limit", "0"), Ok(0));
        assert_eq!(row_number("films.offset", "-1"), Ok(0));
    }

    #[test]
    fn a_partial_page_of_a_known_total_is_206() {
        assert_eq!(content_range(0, 2, Some(5)), Ok((206, "0-1/5".into())));
        assert_eq!(content_range(0, 5, Some(5)), Ok((200, "0-4/5".into())));
        assert_eq!(content_range(3, 2, None), Ok((200, "3-4/*".into())));
        assert_eq!(content_range(5, 0, Some(5)), Ok((206, "*/5".into())));
        assert_eq!(content_range(0, 0, Some(0)), Ok((200, "*/0".into())));
        assert_eq!(content_range(6, 0, Some(5)).unwrap_err().status, 416);
    }

    #[test]
    fn pages_intersect() {
        let page = |offset, limit| Page { offset, limit };
        assert_eq!(page(0, Some(10)).intersect(page(5, None)), Ok(page(5, Some(5))));
        assert_eq!(page(0, Some(10)).intersect(page(0, Some(0))), Ok(page(0, Some(0))));
        assert_eq!(page(0, Some(5)).intersect(page(5, Some(5))).unwrap_err().status, 416);
    }
}
