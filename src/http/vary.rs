//! Vary (RFC 9110, section 12.5.5): the fields of a request that its answer depends on.

use std::borrow::Cow;

/// Adds names to the field Vary of a response, beside those that are there. `fields`: the names, separated by commas.
pub fn add(headers: &mut Vec<(Cow<'static, str>, Cow<'static, str>)>, fields: &str) {
    let Some((_, there)) = headers.iter_mut().find(|(name, _)| name == "vary") else {
        return headers.push((Cow::Borrowed("vary"), Cow::Owned(fields.to_owned())));
    };
    let names = |list: &'_ str| -> Vec<String> { list.split(',').map(|name| name.trim().to_owned()).collect() };
    let known = names(there);
    // An asterisk says that the answer depends on more than fields.
    if known.iter().any(|name| name == "*") {
        return;
    }
    let mut all = there.to_string();
    for name in names(fields) {
        if !known.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
            all.push_str(", ");
            all.push_str(&name);
        }
    }
    *there = Cow::Owned(all);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_added_once() {
        for (there, expected) in [
            (None, "Accept, Prefer"),
            (Some("Cookie"), "Cookie, Accept, Prefer"),
            (Some("prefer"), "prefer, Accept"),
            (Some("*"), "*"),
        ] {
            let mut headers: Vec<(Cow<str>, Cow<str>)> =
                there.into_iter().map(|value: &str| ("vary".into(), value.to_owned().into())).collect();
            add(&mut headers, "Accept, Prefer");
            assert_eq!(headers, [("vary".into(), expected.into())], "{there:?}");
        }
    }
}
