//! SQLSTATE: the codes of PostgreSQL's errors (PostgreSQL docs, appendix A). Five digits or capital letters; the first two are the
//! class.

use std::fmt;

/// A code of five ASCII characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SqlState([u8; 5]);

/// The codes that the extension raises or treats specially.
macro_rules! states {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        impl SqlState { $($(#[$doc])* pub const $name: SqlState = SqlState(*$code);)* }
    };
}

states! {
    FEATURE_NOT_SUPPORTED            = b"0A000";
    CARDINALITY_VIOLATION            = b"21000";
    NULL_VALUE_NOT_ALLOWED           = b"22004";
    DATETIME_FIELD_OVERFLOW          = b"22008";
    INVALID_DATETIME_FORMAT          = b"22007";
    INVALID_PARAMETER_VALUE          = b"22023";
    INVALID_TEXT_REPRESENTATION      = b"22P02";
    INVALID_ROW_VERSION              = b"22P07";
    FOREIGN_KEY_VIOLATION            = b"23503";
    UNIQUE_VIOLATION                 = b"23505";
    CHECK_VIOLATION                  = b"23514";
    NO_ACTIVE_SQL_TRANSACTION        = b"25P01";
    READ_ONLY_SQL_TRANSACTION        = b"25006";
    INVALID_AUTHORIZATION            = b"28000";
    TRIGGER_PROTOCOL_VIOLATED        = b"39P01";
    SERIALIZATION_FAILURE            = b"40001";
    INSUFFICIENT_PRIVILEGE           = b"42501";
    SYNTAX_ERROR                     = b"42601";
    UNDEFINED_COLUMN                 = b"42703";
    UNDEFINED_OBJECT                 = b"42704";
    WRONG_OBJECT_TYPE                = b"42809";
    UNDEFINED_FUNCTION               = b"42883";
    UNDEFINED_TABLE                  = b"42P01";
    INVALID_OBJECT_DEFINITION        = b"42P17";
    CONFIGURATION_LIMIT_EXCEEDED     = b"53400";
    PROGRAM_LIMIT_EXCEEDED           = b"54000";
    LOCK_NOT_AVAILABLE               = b"55P03";
    QUERY_CANCELED                   = b"57014";
    ADMIN_SHUTDOWN                   = b"57P01";
    RAISE_EXCEPTION                  = b"P0001";
    ASSERT_FAILURE                   = b"P0004";
    INTERNAL_ERROR                   = b"XX000";
    DATA_CORRUPTED                   = b"XX001";
    /// Not PostgreSQL's: the message and the detail are a response as JSON (PostgREST's convention).
    RESPONSE                         = b"PGRST";
    /// Not PostgreSQL's: the status 401 (PostgREST's convention).
    UNAUTHORIZED                     = b"PT401";
}

impl SqlState {
    /// The code of five letters or digits; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let code: [u8; 5] = text.as_bytes().try_into().ok()?;
        code.iter().all(|c| c.is_ascii_alphanumeric()).then_some(SqlState(code))
    }

    /// Unpacks the number by which PostgreSQL represents a code: six bits per character (`MAKE_SQLSTATE` of elog.h).
    pub fn unpack(number: i32) -> Self {
        SqlState([0, 6, 12, 18, 24].map(|shift| b'0' + ((number >> shift) & 0x3f) as u8))
    }

    /// The number by which PostgreSQL represents the code.
    pub const fn pack(self) -> i32 {
        let [a, b, c, d, e] = self.0;
        six_bits(a) | six_bits(b) << 6 | six_bits(c) << 12 | six_bits(d) << 18 | six_bits(e) << 24
    }

    /// The five characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The first two characters.
    pub fn class(&self) -> &str {
        self.as_str().get(..2).unwrap_or_default()
    }
}

const fn six_bits(character: u8) -> i32 {
    (character.wrapping_sub(b'0') & 0x3f) as i32
}

impl Default for SqlState {
    fn default() -> Self {
        SqlState::INTERNAL_ERROR
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<SqlState> for String {
    fn from(state: SqlState) -> String {
        state.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_is_undone_by_unpacking() {
        for code in ["00000", "22P02", "PGRST", "PT401", "XX000", "ZZZZZ"] {
            let state = SqlState::parse(code).unwrap();
            assert_eq!(SqlState::unpack(state.pack()).as_str(), code);
        }
    }

    #[test]
    fn what_is_not_a_code_is_not_read_as_one() {
        for text in ["", "2250", "225011", "22 02", "REST405"] {
            assert_eq!(SqlState::parse(text), None, "{text}");
        }
    }
}
