//! Turns an error that PostgreSQL raised into the error of the response.

use crate::error::{Code, Error};
use crate::http::field::{is_field_value, is_token};
use crate::raised::Raised;
use crate::sqlstate::SqlState;
use crate::stumble;
use serde_json::Value;

impl Raised {
    /// Removes what discloses rows or names that the role may not see: DETAIL of integrity violations (class 23) prints column
    /// values of rows. HINT is harmless.
    #[must_use]
    pub fn without_disclosure(mut self, expose_details: bool) -> Self {
        if !expose_details && self.sqlstate.class() == "23" {
            self.detail = None;
        }
        self
    }

    /// Turns an error of the database into one of ours.
    ///
    /// `authenticated`: whether the request has an identity (42501 is 401 without one, 403 with one).
    pub fn into_error(self, authenticated: bool) -> Error {
        if self.sqlstate == SqlState::RESPONSE {
            return self.as_response();
        }
        let status = status_of_sqlstate(&self, authenticated);
        let hint = stumble::hint(self.sqlstate, &self.message);
        let message =
            if self.sqlstate.class() == "42" { stumble::without_aliases(&self.message) } else { self.message };
        let mut error = Error::with_code(self.sqlstate, status, message);
        if let Some(detail) = self.detail {
            error = error.details(detail);
        }
        if let Some(hint) = self.hint.or(hint.map(str::to_owned)) {
            error = error.hint(hint);
        }
        if status == 401 {
            error = error.header("www-authenticate", "Bearer");
        }
        error
    }

    /// `RAISE SQLSTATE 'PGRST'` gives full control: MESSAGE is a JSON object with code, message, details and hint; DETAIL is one
    /// with status and headers.
    fn as_response(&self) -> Error {
        let malformed = |details: String, hint: &str| {
            Error::new(Code::RaiseFormat, "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error")
                .details(details)
                .hint(hint)
        };
        let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).map(str::to_owned);
        let message_hint = "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'.";
        let detail_hint =
            "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.";
        let bad_message = || malformed(format!("Invalid JSON value for MESSAGE: '{}'", self.message), message_hint);
        let Ok(message) = serde_json::from_str::<Value>(&self.message) else { return bad_message() };
        let (Some(code), Some(words)) = (text(&message, "code"), text(&message, "message")) else {
            return bad_message();
        };
        let Some(detail) = &self.detail else {
            return malformed("DETAIL is missing in the RAISE statement".to_owned(), detail_hint);
        };
        let bad_detail = || malformed(format!("Invalid JSON value for DETAIL: '{detail}'"), detail_hint);
        let Ok(value) = serde_json::from_str::<Value>(detail) else { return bad_detail() };
        let status = value.get("status").and_then(Value::as_u64).and_then(|s| u16::try_from(s).ok());
        let (Some(status @ 300..=599), Some(headers)) = (status, value.get("headers").and_then(Value::as_object))
        else {
            return bad_detail();
        };
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, v)| (name.to_ascii_lowercase(), v.as_str().map_or_else(|| v.to_string(), str::to_owned)))
            .collect();
        if headers.iter().any(|(name, value)| !is_token(name) || !is_field_value(value)) {
            return Error::new(
                Code::HeaderValue,
                "The headers of a \"RAISE SQLSTATE 'PGRST'\" error contain a name or value that no header can have",
            )
            .hint("A header name must be an HTTP token, and a value must not contain control characters such as CR or LF.");
        }
        let mut error = Error::with_code(code, status, words);
        if let Some(details) = text(&message, "details") {
            error = error.details(details);
        }
        if let Some(hint) = text(&message, "hint") {
            error = error.hint(hint);
        }
        headers.into_iter().fold(error, |error, (name, value)| error.header(&name, value))
    }
}

/// PostgREST's map from SQLSTATE to status. It is kept so that existing clients need not change.
fn status_of_sqlstate(raised: &Raised, authenticated: bool) -> u16 {
    let state = raised.sqlstate;
    match state {
        SqlState::FOREIGN_KEY_VIOLATION | SqlState::UNIQUE_VIOLATION => 409,
        SqlState::READ_ONLY_SQL_TRANSACTION => 405,
        SqlState::CARDINALITY_VIOLATION if raised.message.ends_with("requires a WHERE clause") => 400,
        // an upsert whose body repeats a key
        SqlState::CARDINALITY_VIOLATION
            if raised.message.starts_with("ON CONFLICT DO UPDATE command cannot affect row") =>
        {
            400
        }
        SqlState::INVALID_PARAMETER_VALUE
            if raised.message.starts_with("role") && raised.message.ends_with("does not exist") =>
        {
            401
        }
        SqlState::UNDEFINED_FUNCTION if raised.message.starts_with("function xmlagg(") => 406,
        SqlState::UNDEFINED_FUNCTION | SqlState::UNDEFINED_TABLE => 404,
        SqlState::INVALID_OBJECT_DEFINITION => 500,
        SqlState::INSUFFICIENT_PRIVILEGE if authenticated => 403,
        SqlState::INSUFFICIENT_PRIVILEGE => 401,
        SqlState::CONFIGURATION_LIMIT_EXCEEDED => 500,
        // a value of the request, or the response to it, is too large
        SqlState::PROGRAM_LIMIT_EXCEEDED => 400,
        SqlState::ADMIN_SHUTDOWN => 503,
        SqlState::RAISE_EXCEPTION => 400,
        _ => match state.class() {
            "08" | "53" => 503,
            "0L" | "0P" | "28" => 403,
            "09" | "21" | "25" | "2D" | "38" | "39" | "3B" | "40" | "54" | "55" | "57" | "58" | "F0" | "HV" | "P0"
            | "XX" => 500,
            "PT" => {
                state.as_str().get(2..).and_then(|n| n.parse().ok()).filter(|n| (300..=599).contains(n)).unwrap_or(500)
            }
            _ => 400,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::tests::documented;

    fn raised(sqlstate: &str, message: &str) -> Raised {
        Raised { sqlstate: SqlState::parse(sqlstate).unwrap(), message: message.into(), ..Raised::default() }
    }

    #[test]
    fn a_denied_statement_is_401_without_identity_and_403_with_one() {
        assert_eq!(raised("42501", "permission denied").into_error(false).status, 401);
        assert_eq!(raised("42501", "permission denied").into_error(true).status, 403);
        let anonymous = raised("42501", "permission denied").into_error(false);
        assert_eq!(anonymous.headers, [("www-authenticate".to_owned(), "Bearer".to_owned())]);
    }

    #[test]
    fn sqlstates_map_to_the_statuses_that_clients_know() {
        for (state, status) in [
            ("23505", 409),
            ("23503", 409),
            ("23502", 400),
            ("23514", 400),
            ("22P02", 400),
            ("42P01", 404),
            ("42703", 400),
            ("25006", 405),
            ("57014", 500),
            ("40001", 500),
            ("53300", 503),
            ("53400", 500),
            ("P0001", 400),
            ("P0002", 500),
            ("PT402", 402),
            ("PT999", 500),
            ("PTxyz", 500),
            ("0L000", 403),
        ] {
            assert_eq!(raised(state, "").into_error(true).status, status, "{state}");
        }
    }

    #[test]
    fn sqlstates_are_documented_with_their_status() {
        let mut checked = 0;
        for (codes, status) in documented() {
            for state in codes.iter().filter(|c| c.len() == 5) {
                // No condition has the subclass 999, so a more specific row cannot apply to it.
                let state = state.replace("***", "999");
                let given = |authenticated| raised(&state, "").into_error(authenticated).status;
                assert!(given(true) == status || given(false) == status, "docs/errors.md on {state}: {status}");
                checked += 1;
            }
        }
        assert!(checked > 20, "the table has only {checked} states");
    }

    #[test]
    fn raised_pgrst_controls_the_whole_response() {
        let mut e = raised("PGRST", r#"{"code":"123","message":"ABC","details":"DEF","hint":"XYZ"}"#);
        e.detail = Some(r#"{"status":332,"headers":{"X-Header":"str"}}"#.into());
        let error = e.into_error(true);
        assert_eq!((error.status, error.code.as_str(), error.message.as_str()), (332, "123", "ABC"));
        assert_eq!(error.headers, [("x-header".to_owned(), "str".to_owned())]);
    }

    #[test]
    fn raised_pgrst_without_json_says_so() {
        let error = raised("PGRST", "no json").into_error(true);
        assert_eq!((error.status, error.code.as_str()), (500, "PGRST121"));
    }

    #[test]
    fn row_values_of_integrity_violations_are_hidden() {
        let mut e = raised("23514", "new row violates check constraint");
        e.detail = Some("Failing row contains (1, secret)".into());
        assert_eq!(e.clone().without_disclosure(false).detail, None);
        assert!(e.without_disclosure(true).detail.is_some());
    }
}
