//! Reports what is wrong with an instance, in the terms of JSON Schema.

mod explain;
mod place;
#[cfg(test)]
mod tests;

use super::compile::Compiled;
use crate::limits;
use crate::violation::Violation;
use explain::{Explanation, Part, Scope};
use jsonschema::error::ValidationErrorKind;
use jsonschema::json::Json;
use jsonschema::{ValidationError, Validator};
use std::cell::Cell;
use std::fmt::{self, Write};
use std::panic::AssertUnwindSafe;

/// Whether messages show the values of the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    Masked,
    Shown,
}

/// The keywords that an instance fails, at most `limit` of them. They have the order of the schema's keywords; an `anyOf` or
/// `oneOf` is followed by the errors of each branch.
///
/// The validator collects all errors before it returns any. If they take more than [`limits::VIOLATION_BYTES`], only the first is
/// listed.
pub fn violations<'i, F: Json>(
    compiled: &'i Compiled<F>,
    instance: F::Node<'i>,
    values: Values,
    limit: usize,
) -> Vec<Violation> {
    Report { scope: Scope::new(compiled, instance, values), branches: true, limit, found: Vec::new() }.list()
}

/// Messages about an instance, at most `limit`, which show its values. The errors of the branches of an `anyOf` or `oneOf` are left
/// out.
pub fn messages<'i, F: Json>(compiled: &'i Compiled<F>, instance: F::Node<'i>, limit: usize) -> Vec<String> {
    let scope = Scope::new(compiled, instance, Values::Shown);
    let found = Report { scope, branches: false, limit, found: Vec::new() }.list();
    found.into_iter().map(|violation| violation.message).collect()
}

const TOO_MANY: &str = "the value fails in too many places to list them";

/// All errors, or only the first if all would take too much memory; `None` if even the first would.
fn errors<'e, F: Json>(validator: &'e Validator<F>, instance: &F::Node<'e>) -> Option<Vec<ValidationError<'e>>> {
    bounded(|| validator.iter_errors(instance.clone()).collect())
        .or_else(|| bounded(|| validator.validate(instance.clone()).err().into_iter().collect()))
}

/// How much memory the collected errors may still take.
#[derive(Clone, Copy)]
struct Allowance {
    /// Bytes.
    left: usize,
    /// The address of the stack at the start.
    stack: usize,
    /// Bytes of the long names seen so far. A location may consist of them.
    names: usize,
}

thread_local! {
    static ALLOWANCE: Cell<Option<Allowance>> = const { Cell::new(None) };
}

/// Bytes of an error itself.
const ERROR_BYTES: usize = 512;
/// The least stack that one level of an instance takes.
const LEVEL_STACK: usize = 256;
/// Bytes of a location for each level.
const LEVEL_BYTES: usize = 64;

/// The payload of the unwinding that stops the validator when errors take too much.
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

/// The current address of the stack.
#[inline(always)]
fn stack() -> usize {
    let here = 0u8;
    (&raw const here).addr()
}

/// Called for every error that the validator collects. Errors contain their locations as text, which is large for a deep instance
/// or one with long names.
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

/// A message, truncated if it is long.
fn text(message: impl fmt::Display) -> String {
    let mut cut = Cut(String::new());
    if write!(cut, "{message}").is_err() {
        cut.0.push_str("...");
    }
    cut.0
}

/// Keeps the beginning of a text.
struct Cut(String);

impl fmt::Write for Cut {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = limits::VIOLATION_TEXT_BYTES - self.0.len();
        let end = part.floor_char_boundary(room);
        self.0.push_str(part.get(..end).unwrap_or_default());
        if end < part.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// The place of a validator's findings within the whole.
#[derive(Clone)]
struct Origin {
    /// The part of the instance that it validates.
    instance: String,
    /// The path to the part of the schema that it was compiled from.
    evaluation: String,
    /// It was compiled from nothing but a reference to that part.
    by_reference: bool,
}

struct Report<'i, F: Json> {
    scope: Scope<'i, F>,
    /// The errors of the branches of an `anyOf` or `oneOf` are listed, too.
    branches: bool,
    limit: usize,
    found: Vec<Violation>,
}

impl<'i, F: Json> Report<'i, F> {
    fn list(mut self) -> Vec<Violation> {
        let compiled = self.scope.compiled;
        let by_reference = compiled.source.is_compiled_by_reference();
        let origin = Origin { instance: String::new(), evaluation: String::new(), by_reference };
        let instance = self.scope.instance.clone();
        if !self.add_all(&compiled.validator, &instance, &origin) {
            self.found.push(Violation {
                instance_location: String::new(),
                keyword_location: String::new(),
                keyword: String::new(),
                message: TOO_MANY.to_owned(),
            });
        }
        self.found
    }

    /// Adds the errors of a validator. Returns `false` if they are too many.
    fn add_all(&mut self, validator: &'i Validator<F>, instance: &F::Node<'i>, origin: &Origin) -> bool {
        let Some(errors) = errors(validator, instance) else { return false };
        errors.iter().for_each(|error| self.add(error, origin));
        true
    }

    fn add(&mut self, error: &ValidationError<'_>, origin: &Origin) {
        if self.found.len() >= self.limit {
            return;
        }
        let evaluation = error.evaluation_path().as_str();
        let evaluation =
            if origin.by_reference { evaluation.strip_prefix("/$ref").unwrap_or(evaluation) } else { evaluation };
        let at = Origin {
            instance: format!("{}{}", origin.instance, error.instance_path()),
            evaluation: format!("{}{evaluation}", origin.evaluation),
            by_reference: true,
        };
        match self.scope.explain(error, &at.instance, &at.evaluation) {
            Explanation::Message { keyword, evaluation, message } => {
                self.push(at.instance, &evaluation, keyword, message)
            }
            Explanation::Parts(parts) => {
                for Part { token, instance, validator, otherwise } in parts {
                    let part = Origin { instance: format!("{}/{token}", at.instance), ..at.clone() };
                    let before = self.found.len();
                    let listed = validator.is_some_and(|validator| self.add_all(validator, &instance, &part));
                    if (!listed || self.found.len() == before) && before < self.limit {
                        self.push(part.instance, &part.evaluation, error.kind().keyword().to_owned(), otherwise);
                    }
                }
            }
        }
        if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind()
            && self.branches
        {
            context.iter().flatten().for_each(|error| self.add(error, origin));
        }
    }

    fn push(&mut self, instance_location: String, evaluation: &str, keyword: String, message: String) {
        let patterns = self.scope.compiled.source.patterns();
        let violation = Violation {
            instance_location,
            keyword_location: patterns.original_pointer(evaluation).into_owned(),
            keyword,
            message,
        };
        // Two properties that require the same third one are reported once.
        if self.found.last() != Some(&violation) {
            self.found.push(violation);
        }
    }
}
