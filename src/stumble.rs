//! Hints for common mistakes in requests, chosen by the database's error. They are used if PostgreSQL gives no hint.

use crate::sqlstate::SqlState;

/// The hint for a database error that is usually caused by how the request is written.
pub fn hint(sqlstate: SqlState, message: &str) -> Option<&'static str> {
    match sqlstate {
        SqlState::INVALID_DATETIME_FORMAT | SqlState::DATETIME_FIELD_OVERFLOW if has_blank_offset(message) => {
            Some("In a query string, '+' means a space: write the offset of a time zone as %2B02:00.")
        }
        SqlState::INVALID_TEXT_REPRESENTATION if message.starts_with("malformed range literal") => {
            Some("Write a range, such as [1,5); for one value, [1,1].")
        }
        SqlState::INVALID_TEXT_REPRESENTATION if message.starts_with("malformed multirange literal") => {
            Some("Write ranges in braces: {[1,5),[7,9)}.")
        }
        SqlState::INVALID_TEXT_REPRESENTATION if message.starts_with("malformed array literal") => {
            Some("Write an array in braces: {a,b}.")
        }
        SqlState::INVALID_TEXT_REPRESENTATION if message.ends_with("\"null\"") => {
            Some("Test for null with the operator 'is': is.null, not.is.null.")
        }
        _ if sqlstate.class() == "PT" && has_no_error_status(sqlstate) => Some(
            "PTnnn takes a status from 300 to 599: raising it rolls back the request, so it cannot report success.",
        ),
        _ => None,
    }
}

/// Whether a time lost the plus sign of its offset from UTC: `...T10:00:00 02:00"`.
fn has_blank_offset(message: &str) -> bool {
    let value = message.rsplit('"').nth(1).unwrap_or_default();
    let Some((before, offset)) = value.rsplit_once(' ') else { return false };
    before.ends_with(|c: char| c.is_ascii_digit())
        && before.contains(':')
        && matches!(offset.len(), 2 | 4 | 5)
        && offset.chars().all(|c| c.is_ascii_digit() || c == ':')
}

/// Whether a SQLSTATE `PTnnn` names a status that is not an error.
fn has_no_error_status(sqlstate: SqlState) -> bool {
    sqlstate.as_str().get(2..).and_then(|n| n.parse::<u16>().ok()).is_some_and(|n| !(300..=599).contains(&n))
}

/// A message without the table aliases of our statements: `column "t0.price"` becomes `column "price"`.
pub fn without_aliases(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(at) = rest.find('t') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let is_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
            || (before.is_empty() && out.ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        let digits = from.get(1..).unwrap_or_default();
        let behind = digits.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_alias = !is_word && behind.len() < digits.len() && behind.starts_with('.');
        if is_alias {
            rest = behind.get(1..).unwrap_or_default();
        } else {
            out.push('t');
            rest = digits;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_plus_sign_is_told_from_other_times() {
        let hinted = |value: &str| {
            hint(
                SqlState::INVALID_DATETIME_FORMAT,
                &format!("invalid input syntax for type timestamp with time zone: \"{value}\""),
            )
            .is_some()
        };
        for lost in ["2020-01-01T10:00:00 02:00", "2020-01-01 10:00:00 02", "2020-01-01T10:00:00.5 0200"] {
            assert!(hinted(lost), "{lost}");
        }
        for other in ["yesterday evening", "2020-13-01 10:00", "10", "2020-01-01T10:00:00 Europe"] {
            assert!(!hinted(other), "{other}");
        }
    }

    #[test]
    fn aliases_are_left_out_of_messages_and_nothing_else() {
        for (message, expected) in [
            (
                "column \"t0.price\" must appear in the GROUP BY clause or be used in an aggregate function",
                "column \"price\" must appear in the GROUP BY clause or be used in an aggregate function",
            ),
            ("column t12.x does not exist", "column x does not exist"),
            (
                "relation \"part1.t\" is not there; at1.x, t.x, t1x",
                "relation \"part1.t\" is not there; at1.x, t.x, t1x",
            ),
            ("", ""),
        ] {
            assert_eq!(without_aliases(message), expected);
        }
    }
}
