//! Dates and times in those ISO 8601 forms that mean the same under every `DateStyle` and `TimeZone`.
//!
//! Anything else, and anything out of range, is `None`. PostgreSQL's input functions then decide, and report their own errors.

const DAY: i64 = 86_400_000_000;
/// Days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
const EPOCH: i64 = 10_957;

/// A date and time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Microseconds since 2000-01-01 00:00, in the local time as written.
    pub local: i64,
    /// Microseconds that the local time is ahead of UTC; `None` if no offset is written.
    pub offset: Option<i64>,
    /// A fraction of a second is written.
    pub fraction: bool,
}

#[inline]
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, &digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit <= 9).then(|| sum * 10 + i64::from(digit))
    })
}

/// Days since 2000-01-01 of a valid `YYYY-MM-DD` in the years 1 to 9999.
pub fn parse_date(text: &[u8]) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if year == 0 || day == 0 || day > last {
        return None;
    }
    // Years start in March here, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    i32::try_from(days - 719_468 - EPOCH).ok()
}

/// Parses `YYYY-MM-DD`, `T` or a space, `HH:MM:SS` with at most six decimals, and optionally `Z`, `±HH`, `±HHMM` or `±HH:MM`.
pub fn parse_timestamp(text: &[u8]) -> Option<Stamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = i64::from(parse_date(date)?);
    let &[b'T' | b' ', h1, h2, b':', m1, m2, b':', s1, s2, ref rest @ ..] = rest else { return None };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[m1, m2])?, number(&[s1, s2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (micros, fraction, rest) = match rest {
        [b'.', rest @ ..] => {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if length == 0 || length > 6 {
                return None;
            }
            let (decimals, rest) = rest.split_at_checked(length)?;
            (number(decimals)? * 10i64.pow(6 - length as u32), true, rest)
        }
        _ => (0, false, rest),
    };
    let offset = match *rest {
        [] => None,
        [b'Z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2] => Some(offset(sign, [h1, h2], [b'0', b'0'])?),
        [sign @ (b'+' | b'-'), h1, h2, m1, m2] | [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            Some(offset(sign, [h1, h2], [m1, m2])?)
        }
        _ => return None,
    };
    let local = date * DAY + ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros;
    Some(Stamp { local, offset, fraction })
}

/// PostgreSQL accepts offsets of less than 16 hours.
fn offset(sign: u8, hours: [u8; 2], minutes: [u8; 2]) -> Option<i64> {
    let (hours, minutes) = (number(&hours)?, number(&minutes)?);
    if hours > 15 || minutes > 59 {
        return None;
    }
    let offset = (hours * 60 + minutes) * 60_000_000;
    Some(if sign == b'-' { -offset } else { offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_calendar_follows_the_one_before() {
        let mut expected = parse_date(b"0001-01-01").unwrap();
        assert_eq!(expected, -730_119);
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=32 {
                    if let Some(days) = parse_date(format!("{year:04}-{month:02}-{day:02}").as_bytes()) {
                        assert_eq!(days, expected);
                        expected += 1;
                    } else {
                        assert!(day > 28);
                    }
                }
            }
        }
        assert_eq!(expected, 2_921_940);
        assert_eq!(parse_date(b"2000-01-01"), Some(0));
    }

    #[test]
    fn a_timestamp_is_microseconds_and_an_offset() {
        let read = |text: &str| parse_timestamp(text.as_bytes()).map(|stamp| (stamp.local, stamp.offset));
        assert_eq!(read("2000-01-01T00:00:00Z"), Some((0, Some(0))));
        assert_eq!(read("2000-01-02 03:04:05.6"), Some((DAY + 11_045_600_000, None)));
        assert_eq!(read("1999-12-31T23:59:59.999999+05:30"), Some((-1, Some(19_800_000_000))));
        assert_eq!(read("2000-01-01T00:00:00-08"), Some((0, Some(-28_800_000_000))));
        assert_eq!(read("2000-01-01T00:00:00-0830"), Some((0, Some(-30_600_000_000))));
    }

    #[test]
    fn what_needs_settings_or_an_error_is_left_to_postgresql() {
        for text in [
            "",
            "now",
            "infinity",
            "2000-01-01",
            "2000-1-1T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "2001-02-29T00:00:00Z",
            "2000-01-01T24:00:00Z",
            "2000-01-01T00:00:60Z",
            "2000-01-01T00:00Z",
            "2000-01-01T00:00:00.1234567Z",
            "2000-01-01T00:00:00.Z",
            "2000-01-01T00:00:00+16:00",
            "2000-01-01T00:00:00 Z",
            "2000-01-01T00:00:00 BC",
            "2000-01-01T00:00:00Europe/Paris",
            "12000-01-01T00:00:00Z",
            "2000-01-01T00:00:00+1:00",
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), None, "{text}");
        }
    }
}
