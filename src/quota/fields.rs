//! The fields RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-11), as structured fields (RFC 9651).

use super::rule::Unit;
use std::fmt::Write as _;

/// A policy, and what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Printable ASCII.
    pub name: String,
    pub quota: u64,
    /// Seconds; 0 for requests at the same time.
    pub window: u64,
    pub unit: Unit,
    pub remaining: u64,
    /// Seconds until all of it is there again.
    pub reset: u64,
}

/// The largest integer of a structured field (RFC 9651, section 3.3.1).
const MOST: u64 = 999_999_999_999_999;

/// The value of RateLimit-Policy.
pub fn policies(policies: &[Policy]) -> String {
    list(policies, |text, policy| {
        let _ = write!(text, ";q={}", policy.quota.min(MOST));
        if policy.window > 0 {
            let _ = write!(text, ";w={}", policy.window.min(MOST));
        }
        if let Some(unit) = policy.unit.quota_unit() {
            let _ = write!(text, ";qu=\"{unit}\"");
        }
    })
}

/// The value of RateLimit.
pub fn states(policies: &[Policy]) -> String {
    list(policies, |text, policy| {
        let _ = write!(text, ";r={}", policy.remaining.min(MOST));
        if policy.window > 0 {
            let _ = write!(text, ";t={}", policy.reset.min(MOST));
        }
    })
}

fn list(policies: &[Policy], parameters: impl Fn(&mut String, &Policy)) -> String {
    let mut text = String::new();
    for policy in policies {
        text.push_str(if text.is_empty() { "\"" } else { ", \"" });
        for c in policy.name.chars() {
            if matches!(c, '"' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text.push('"');
        parameters(&mut text, policy);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_lists_of_strings_with_parameters() {
        let policy = Policy {
            name: "a \"b\"".to_owned(),
            quota: 100,
            window: 60,
            unit: Unit::Requests,
            remaining: 7,
            reset: 55,
        };
        let held = Policy { name: "c".to_owned(), quota: 2, window: 0, unit: Unit::Concurrent, remaining: 1, reset: 0 };
        let both = [policy, held];
        assert_eq!(policies(&both), r#""a \"b\"";q=100;w=60, "c";q=2;qu="concurrent-requests""#);
        assert_eq!(states(&both), r#""a \"b\"";r=7;t=55, "c";r=1"#);
        assert_eq!(states(&[]), "");
    }
}
