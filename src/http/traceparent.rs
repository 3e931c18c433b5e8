//! The trace that a request belongs to (W3C Trace Context, level 1).

use std::borrow::Cow;

/// Characters of a value of version 00.
const LENGTH: usize = 55;

/// Reads a traceparent field. The value is the one to pass on: of a later version, it has the parts that version 00 has, as section 2.2.4
/// asks for. `None` if it is malformed: then the request belongs to no trace, as if the field were absent (section 2.2.2).
pub fn parse(field: &str) -> Option<Cow<'_, str>> {
    let field = field.trim_matches([' ', '\t']);
    let (known, more) = field.split_at_checked(LENGTH)?;
    let mut parts = known.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex =
        |text: &str, length| text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_id = |text: &str, length| is_hex(text, length) && text.bytes().any(|b| b != b'0');
    let is_known = is_hex(version, 2) && version != "ff" && is_id(trace, 32) && is_id(parent, 16) && is_hex(flags, 2);
    if !is_known || parts.next().is_some() {
        return None;
    }
    if version == "00" {
        return more.is_empty().then_some(Cow::Borrowed(known));
    }
    // Only the flag "sampled" is known.
    let is_sampled =
        flags.bytes().last().is_some_and(|b| matches!(b, b'1' | b'3' | b'5' | b'7' | b'9' | b'b' | b'd' | b'f'));
    let flags = if is_sampled { "01" } else { "00" };
    (more.is_empty() || more.starts_with('-')).then(|| Cow::Owned(format!("00-{trace}-{parent}-{flags}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    #[test]
    fn well_formed_ones_are_passed_on() {
        for flags in ["00", "01", "ff"] {
            let value = format!("00-{TRACE}-{PARENT}-{flags}");
            assert_eq!(parse(&value).as_deref(), Some(value.as_str()));
            assert_eq!(parse(&format!(" {value}\t")).as_deref(), Some(value.as_str()));
        }
    }

    #[test]
    fn a_later_version_is_read_as_the_known_one() {
        for (flags, more, sampled) in [("01", "", "01"), ("03", "-more", "01"), ("fe", "-", "00"), ("00", "-a-b", "00")]
        {
            let value = format!("cc-{TRACE}-{PARENT}-{flags}{more}");
            assert_eq!(parse(&value).unwrap(), format!("00-{TRACE}-{PARENT}-{sampled}"), "{value}");
        }
        assert_eq!(parse(&format!("cc-{TRACE}-{PARENT}-01.x")), None);
    }

    #[test]
    fn malformed_ones_are_none() {
        let good = format!("00-{TRACE}-{PARENT}-01");
        let (zeros, upper) = ("0".repeat(32), TRACE.to_uppercase());
        let id = "0".repeat(16);
        for bad in [
            String::new(),
            "00".to_owned(),
            format!("{good}-"),
            format!("{good}0"),
            good[..54].to_owned(),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("0g-{TRACE}-{PARENT}-01"),
            format!("00-{zeros}-{PARENT}-01"),
            format!("00-{TRACE}-{id}-01"),
            format!("00-{upper}-{PARENT}-01"),
            format!("00_{TRACE}_{PARENT}_01"),
            format!("00-{PARENT}-{TRACE}-01"),
            format!("{good}, {good}"),
            "é".repeat(55),
            "ü-".repeat(40),
        ] {
            assert_eq!(parse(&bad), None, "{bad}");
        }
    }
}
