//! What is wrong with an instance, in JSON Schema's own terms.

use crate::limits;
use jsonschema::error::ValidationErrorKind;
use jsonschema::json::Json;
use jsonschema::{ValidationError, Validator};
use std::cell::Cell;
use std::fmt::{self, Write};
use std::panic::AssertUnwindSafe;

/// One keyword that an instance fails (JSON Schema 2020-12 Core, section 12.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer to the value.
    pub instance_location: String,
    /// JSON Pointer to the keyword, through the `$ref`s that led to it.
    pub keyword_location: String,
    /// The keyword.
    pub keyword: String,
    /// What the keyword asks for.
    pub message: String,
}

/// Whether messages show the values of the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    Masked,
    Shown,
}

/// The keywords that an instance fails, at most `limit` of them: in the order of the schema's keywords, and after an
/// `anyOf` or `oneOf` what each of its branches found.
///
/// The validator collects all that is wrong before it returns any. Of an instance with more than
/// [`limits::VIOLATION_BYTES`] of that the first is listed alone.
pub fn violations<'a, F: Json>(
    validator: &'a Validator<F>,
    instance: F::Node<'a>,
    values: Values,
    limit: usize,
) -> Vec<Violation> {
    let mut found = Vec::new();
    let Some(errors) = errors(validator, instance) else {
        found.push(Violation {
            instance_location: String::new(),
            keyword_location: String::new(),
            keyword: String::new(),
            message: TOO_MANY.to_owned(),
        });
        return found;
    };
    for error in &errors {
        add(error, values, limit, &mut found);
        if found.len() >= limit {
            break;
        }
    }
    found
}

/// What is wrong with an instance, with its values, at most `limit` messages.
pub fn messages<'a, F: Json>(validator: &'a Validator<F>, instance: F::Node<'a>, limit: usize) -> Vec<String> {
    match errors(validator, instance) {
        Some(errors) => errors.iter().take(limit).map(text).collect(),
        None => vec![TOO_MANY.to_owned()],
    }
}

const TOO_MANY: &str = "the value fails in too many places to list them";

/// All that is wrong, or the first when that is too much; `None` if even its parts are.
fn errors<'a, F: Json>(validator: &'a Validator<F>, instance: F::Node<'a>) -> Option<Vec<ValidationError<'a>>> {
    bounded(|| validator.iter_errors(instance.clone()).collect())
        .or_else(|| bounded(|| validator.validate(instance).err().into_iter().collect()))
}

/// What the errors that are collected may still take.
#[derive(Clone, Copy)]
struct Allowance {
    /// Bytes.
    left: usize,
    /// Where the stack was when it began.
    stack: usize,
    /// Bytes of the long names among those that were met: a location may consist of them.
    names: usize,
}

thread_local! {
    static ALLOWANCE: Cell<Option<Allowance>> = const { Cell::new(None) };
}

/// What an error takes itself.
const ERROR_BYTES: usize = 512;
/// The least stack that one level of an instance takes.
const LEVEL_STACK: usize = 256;
/// Bytes of a location for each level.
const LEVEL_BYTES: usize = 64;

/// The reason to unwind when errors take too much.
struct TooMany;

/// Collects errors; `None` when they would take more than [`limits::VIOLATION_BYTES`].
fn bounded<T>(collect: impl FnOnce() -> T) -> Option<T> {
    ALLOWANCE.set(Some(Allowance { left: limits::VIOLATION_BYTES, stack: stack(), names: 0 }));
    let collected = std::panic::catch_unwind(AssertUnwindSafe(collect));
    ALLOWANCE.set(None);
    match collected {
        Ok(collected) => Some(collected),
        Err(why) if why.is::<TooMany>() => None,
        Err(why) => std::panic::resume_unwind(why),
    }
}

/// Where the stack is.
#[inline(always)]
fn stack() -> usize {
    let here = 0u8;
    (&raw const here).addr()
}

/// Called for every error that the validator collects. Errors have their locations written out, which a deep instance or one
/// with long names makes large.
pub(super) fn about_to_fail() {
    let Some(mut allowance) = ALLOWANCE.get() else { return };
    let levels = allowance.stack.saturating_sub(stack()) / LEVEL_STACK;
    let bytes = levels * LEVEL_BYTES + ERROR_BYTES + allowance.names;
    let Some(left) = allowance.left.checked_sub(bytes) else { std::panic::resume_unwind(Box::new(TooMany)) };
    allowance.left = left;
    ALLOWANCE.set(Some(allowance));
}

/// Called for every name of an instance.
#[inline(always)]
pub(super) fn met_name(name: &str) {
    if name.len() > LEVEL_BYTES {
        met_long_name(name.len());
    }
}

#[cold]
#[inline(never)]
fn met_long_name(bytes: usize) {
    if let Some(mut allowance) = ALLOWANCE.get() {
        allowance.names = allowance.names.saturating_add(bytes);
        ALLOWANCE.set(Some(allowance));
    }
}

/// A message that is cut where it gets long.
fn text(message: impl fmt::Display) -> String {
    let mut cut = Cut(String::new());
    if write!(cut, "{message}").is_err() {
        cut.0.push_str("...");
    }
    cut.0
}

/// Takes the beginning of a text.
struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = limits::VIOLATION_TEXT_BYTES - self.0.len();
        let end = part.floor_char_boundary(room);
        self.0.push_str(part.get(..end).unwrap_or_default());
        if end < part.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

fn add(error: &ValidationError<'_>, values: Values, limit: usize, found: &mut Vec<Violation>) {
    if found.len() >= limit {
        return;
    }
    found.push(Violation {
        instance_location: error.instance_path().as_str().to_owned(),
        keyword_location: error.evaluation_path().as_str().to_owned(),
        keyword: error.kind().keyword().to_owned(),
        message: match values {
            Values::Masked => text(error.masked()),
            Values::Shown => text(error),
        },
    });
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind() {
        context.iter().flatten().for_each(|error| add(error, values, limit, found));
    }
}
