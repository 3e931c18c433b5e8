//! The Prefer header (RFC 7240) and the preferences of the dialect.

use crate::error::{Code, Error, Result};
use crate::http::field::is_token;
use std::borrow::Cow;

macro_rules! preference {
    ($(#[$doc:meta])* $name:ident: $token:literal { $($variant:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($variant,)* }
        impl $name {
            fn parse(value: &str) -> Option<Self> {
                $(if value.eq_ignore_ascii_case($value) { return Some($name::$variant); })*
                None
            }
            fn applied(self) -> &'static str {
                match self { $($name::$variant => concat!($token, "=", $value),)* }
            }
        }
    };
}

preference! {
    /// What to do with existing rows.
    Resolution: "resolution" { MergeDuplicates = "merge-duplicates", IgnoreDuplicates = "ignore-duplicates", }
}
preference! {
    /// What a write returns (RFC 7240, section 4.2).
    Return: "return" { Minimal = "minimal", HeadersOnly = "headers-only", Representation = "representation", Report = "report", }
}
preference! {
    /// How the total in Content-Range is determined.
    Count: "count" { Exact = "exact", Planned = "planned", Estimated = "estimated", }
}
preference! {
    /// How the request's transaction ends.
    Transaction: "tx" { Commit = "commit", Rollback = "rollback", }
}
preference! {
    /// What a missing key in an object of the body means.
    Missing: "missing" { Default = "default", Null = "null", }
}
preference! {
    /// What to do with unknown preferences (RFC 7240, section 4.4).
    Handling: "handling" { Strict = "strict", Lenient = "lenient", }
}

/// The preferences that affect the plan of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct WritePreferences {
    pub representation: Option<Return>,
    pub resolution: Option<Resolution>,
    pub missing: Option<Missing>,
}

/// The preferences of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preferences {
    pub resolution: Option<Resolution>,
    pub representation: Option<Return>,
    pub count: Option<Count>,
    pub transaction: Option<Transaction>,
    pub missing: Option<Missing>,
    pub handling: Option<Handling>,
    /// The time zone in which the statement runs: a name or an offset, which PostgreSQL checks.
    pub timezone: Option<String>,
    /// The maximum number of rows that a write may change. It only binds with `handling=strict`.
    pub max_affected: Option<u64>,
    /// Whether to explain why the row is visible or not, instead of returning it.
    pub explain_access: bool,
    unknown: Vec<String>,
    /// Preferences of RFC 7240 that are valid, but never followed.
    unfollowed: Vec<String>,
}

impl Preferences {
    /// Parses a Prefer field (RFC 7240, section 2). Names, and values that are words, are case-insensitive. Of a repeated
    /// preference, the first counts. None of these preferences has parameters.
    ///
    /// # Errors
    /// PGRST122 under `handling=strict` for preferences that are unknown, have parameters or are not followed. Otherwise they are ignored,
    /// as the RFC requires.
    pub fn parse(field: Option<&str>) -> Result<Self> {
        let mut p = Preferences::default();
        let Some(field) = field else { return Ok(p) };
        for text in split_unquoted(field, ',').map(str::trim).filter(|t| !t.is_empty()) {
            let mut parts = split_unquoted(text, ';').map(str::trim);
            let preference = parts.next().unwrap_or_default();
            let has_parameters = parts.any(|parameter| !parameter.is_empty());
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            let (name, value) = (name.trim_end().to_ascii_lowercase(), unquoted(value.trim()));
            let value = value.as_ref();
            let known = match name.as_str() {
                "resolution" => set(&mut p.resolution, Resolution::parse(value)),
                "return" => set(&mut p.representation, Return::parse(value)),
                "count" => set(&mut p.count, Count::parse(value)),
                "tx" => set(&mut p.transaction, Transaction::parse(value)),
                "missing" => set(&mut p.missing, Missing::parse(value)),
                "handling" => set(&mut p.handling, Handling::parse(value)),
                "timezone" => set(&mut p.timezone, Some(value.to_owned()).filter(|v| !v.is_empty())),
                "explain-access" => {
                    p.explain_access = true;
                    true
                }
                // Both are for answers that come before the work is done (sections 4.1 and 4.3).
                "respond-async" | "wait" => {
                    let is_valid = if name == "wait" { value.parse::<u32>().is_ok() } else { value.is_empty() };
                    p.unfollowed.extend((is_valid && !has_parameters).then(|| text.to_owned()));
                    is_valid
                }
                "max-affected" => set(&mut p.max_affected, value.parse().ok()),
                _ => false,
            };
            if !known || has_parameters {
                p.unknown.push(text.to_owned());
            }
        }
        if p.handling == Some(Handling::Strict) && !(p.unknown.is_empty() && p.unfollowed.is_empty()) {
            let names: Vec<&str> = p.unknown.iter().chain(&p.unfollowed).map(String::as_str).collect();
            let error = Error::new(Code::Preference, "Invalid preferences given with handling=strict")
                .details(format!("Invalid preferences: {}", names.join(", ")));
            return Err(if p.unfollowed.is_empty() {
                error
            } else {
                error.hint(format!("The answer always waits for the result: leave out {}.", p.unfollowed.join(", ")))
            });
        }
        Ok(p)
    }

    /// The preferences that affect the plan of a write.
    pub fn of_write(&self) -> WritePreferences {
        WritePreferences { representation: self.representation, resolution: self.resolution, missing: self.missing }
    }

    /// The limit on changed rows, if it binds.
    pub fn max_affected(&self) -> Option<u64> {
        self.max_affected.filter(|_| self.handling == Some(Handling::Strict))
    }

    /// The value of Preference-Applied (RFC 7240, section 3) for the preferences that are set here.
    pub fn applied(&self) -> Option<String> {
        let mut applied: Vec<&str> = [
            self.resolution.map(Resolution::applied),
            self.missing.map(Missing::applied),
            self.representation.map(Return::applied),
            self.count.map(Count::applied),
            self.transaction.map(Transaction::applied),
            self.handling.map(Handling::applied),
        ]
        .into_iter()
        .flatten()
        .collect();
        let timezone = self.timezone.as_ref().map(|zone| format!("timezone={}", word(zone)));
        let max_affected = self.max_affected().map(|n| format!("max-affected={n}"));
        applied.extend(timezone.as_deref());
        applied.extend(max_affected.as_deref());
        applied.extend(self.explain_access.then_some("explain-access"));
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}

/// The parts of a field between separators outside of quoted strings (RFC 9110, section 5.6.4).
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |c| {
        let separates = c == separator && !is_quoted;
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => {}
        }
        separates
    })
}

/// A text as a token, or as a quoted string if it is not a token. Slash and colon, which occur in time zones and offsets, are not
/// quoted, because clients of the dialect know them like that.
fn word(text: &str) -> Cow<'_, str> {
    if text.split(['/', ':']).all(is_token) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// The text of a quoted string, or the token itself.
fn unquoted(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').map(|rest| rest.strip_suffix('"').unwrap_or(rest)) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        out.extend(if c == '\\' { characters.next() } else { Some(c) });
    }
    Cow::Owned(out)
}

/// Keeps the first value of a preference. Returns whether the value is known.
fn set<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            slot.get_or_insert(value);
            true
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_repeated_preference_counts() -> Result<()> {
        let p = Preferences::parse(Some("count=exact, count=planned ,return=representation"))?;
        assert_eq!(p.count, Some(Count::Exact));
        assert_eq!(p.applied().as_deref(), Some("return=representation, count=exact"));
        Ok(())
    }

    #[test]
    fn unknown_preferences_are_ignored_unless_handling_is_strict() {
        assert!(Preferences::parse(Some("anything, count=odd")).is_ok());
        let e = Preferences::parse(Some("anything, handling=strict, count=odd")).unwrap_err();
        assert_eq!(e.code, "PGRST122");
        assert_eq!(e.details, Some("Invalid preferences: anything, count=odd".into()));
    }

    #[test]
    fn names_and_words_are_read_in_any_case() {
        let p = Preferences::parse(Some("Handling=Strict, MAX-AFFECTED=1, Return=Representation")).unwrap();
        assert_eq!((p.max_affected(), p.representation), (Some(1), Some(Return::Representation)));
        assert_eq!(Preferences::parse(Some("HANDLING=STRICT, odd")).unwrap_err().code, "PGRST122");
    }

    #[test]
    fn parameters_do_not_hide_a_preference_and_are_unknown() {
        let p = Preferences::parse(Some("return=representation; wait=1;, count=exact;")).unwrap();
        assert_eq!((p.representation, p.count), (Some(Return::Representation), Some(Count::Exact)));
        let e = Preferences::parse(Some("handling=strict, return=minimal; a=\"x, y\"")).unwrap_err();
        assert_eq!(e.details, Some("Invalid preferences: return=minimal; a=\"x, y\"".into()));
        assert!(Preferences::parse(Some("handling=strict;, return=minimal ;")).is_ok());
    }

    #[test]
    fn quoted_values_hold_separators() {
        let zone = |field: &str| Preferences::parse(Some(field)).unwrap().timezone;
        assert_eq!(zone(r#"timezone="Europe/Vienna", count=exact"#).as_deref(), Some("Europe/Vienna"));
        assert_eq!(zone(r#"timezone = "a,b;\"c\\"; x"#).as_deref(), Some(r#"a,b;"c\"#));
    }

    #[test]
    fn what_is_for_later_answers_is_not_followed() {
        let p = Preferences::parse(Some("respond-async, wait=10, Return=minimal")).unwrap();
        assert_eq!(p.applied().as_deref(), Some("return=minimal"));
        assert_eq!(
            Preferences::parse(Some("handling=lenient; , wait=10")).unwrap().applied().as_deref(),
            Some("handling=lenient")
        );
        let e = Preferences::parse(Some("handling=strict, respond-async, Wait = \"10\", odd")).unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST122", 400));
        assert_eq!(e.details, Some("Invalid preferences: odd, respond-async, Wait = \"10\"".into()));
        assert!(e.hint.as_ref().unwrap().as_str().unwrap().contains("respond-async, Wait"));
        for malformed in ["wait", "wait=soon", "wait=-1", "respond-async=1"] {
            let e = Preferences::parse(Some(&format!("handling=strict, {malformed}"))).unwrap_err();
            assert_eq!(
                (e.details.clone(), e.hint.is_none()),
                (Some(format!("Invalid preferences: {malformed}").into()), true)
            );
        }
    }

    #[test]
    fn max_affected_binds_under_strict_handling_only() {
        assert_eq!(Preferences::parse(Some("max-affected=3")).unwrap().max_affected(), None);
        let p = Preferences::parse(Some("handling=strict, max-affected=3")).unwrap();
        assert_eq!(p.max_affected(), Some(3));
        assert_eq!(p.applied().as_deref(), Some("handling=strict, max-affected=3"));
    }
}
