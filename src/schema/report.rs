//! What is wrong with an instance, in JSON Schema's own terms.

use jsonschema::error::ValidationErrorKind;
use jsonschema::json::Json;
use jsonschema::{ValidationError, Validator};

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
pub fn violations<'a, F: Json>(
    validator: &'a Validator<F>,
    instance: F::Node<'a>,
    values: Values,
    limit: usize,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for error in validator.iter_errors(instance) {
        add(&error, values, limit, &mut found);
        if found.len() >= limit {
            break;
        }
    }
    found
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
            Values::Masked => error.masked().to_string(),
            Values::Shown => error.to_string(),
        },
    });
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind() {
        context.iter().flatten().for_each(|error| add(error, values, limit, found));
    }
}
