//! Finds the schemas that are bound to a table: by triggers of `restful.enforce_schema`, and by CHECK constraints that call the
//! validating functions, whoever wrote them. PostgreSQL's catalogue is the only source.

use super::registry;
use crate::error::Result;
use crate::pg::catalog::query::{load, oid};
use crate::pg::ffi::fmgr::v1_function;
use crate::pg::ffi::result_set::ResultSet;
use crate::pg::ffi::{nodes, own_tables};
use pgrx::prelude::*;
use pgrx::{IntoDatum, direct_function_call_as_datum, pg_sys};
use serde::Deserialize;
use serde_json::Value;
use std::ffi::{CStr, CString};

/// A schema bound to a column or to the whole row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The constraint or trigger.
    pub name: String,
    /// The column; `None` for the whole row as JSON.
    pub column: Option<String>,
    pub schema: SchemaSource,
    pub level: Level,
    pub action: Action,
    /// What it consists of.
    pub means: Means,
    /// Whether rows are checked. They are not at level off, nor if the constraint or trigger is disabled or not enforced.
    pub enforced: bool,
}

impl Binding {
    /// The schema, if every written row must satisfy it.
    pub fn required(&self) -> Option<&SchemaSource> {
        (self.enforced && self.action == Action::Error).then_some(&self.schema)
    }
}

/// Where a schema is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaSource {
    /// Its JSON text.
    Inline(String),
    /// A registered schema: `name` or `name@version`.
    Registered(String),
}

impl SchemaSource {
    /// Reads a text: JSON begins with `{` or is a boolean, and everything else is a name.
    pub fn of(text: &str) -> Self {
        let trimmed = text.trim();
        if trimmed.starts_with('{') || matches!(trimmed, "true" | "false") {
            SchemaSource::Inline(text.to_owned())
        } else {
            SchemaSource::Registered(text.strip_prefix("restful:").unwrap_or(text).to_owned())
        }
    }

    /// The schema. For a registered one, its current version. `None` if it does not exist.
    pub fn document(&self) -> Option<Value> {
        match self {
            SchemaSource::Inline(text) => serde_json::from_str(text).ok(),
            SchemaSource::Registered(name) => registry::document(&registry::uri(name)),
        }
    }

    /// The schema as JSON text. For a registered one, a reference to it.
    pub fn json(&self) -> String {
        match self {
            SchemaSource::Inline(text) => text.clone(),
            SchemaSource::Registered(name) => serde_json::json!({ "$ref": registry::uri(name) }).to_string(),
        }
    }
}

/// Which writes are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// All.
    Strict,
    /// All except updates of rows that were already invalid.
    Moderate,
    /// None.
    Off,
}

impl Level {
    pub fn of(word: &str) -> Option<Self> {
        [Level::Strict, Level::Moderate, Level::Off].into_iter().find(|level| level.word() == word)
    }

    pub fn word(self) -> &'static str {
        match self {
            Level::Strict => "strict",
            Level::Moderate => "moderate",
            Level::Off => "off",
        }
    }
}

/// What happens to an invalid row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The statement fails.
    Error,
    /// The row is written, and a warning says what is wrong.
    Warn,
}

impl Action {
    pub fn of(word: &str) -> Option<Self> {
        [Action::Error, Action::Warn].into_iter().find(|action| action.word() == word)
    }

    pub fn word(self) -> &'static str {
        match self {
            Action::Error => "error",
            Action::Warn => "warn",
        }
    }
}

/// What a binding consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Means {
    Check,
    Trigger,
}

impl Means {
    fn word(self) -> &'static str {
        match self {
            Means::Check => "check",
            Means::Trigger => "trigger",
        }
    }
}

/// A constraint or trigger, as the query returns it.
#[derive(Deserialize)]
struct Candidate {
    means: Means,
    name: String,
    /// A node tree: the constraint's expression, or the trigger's condition, if any.
    expression: Option<String>,
    /// A trigger's arguments, each ended by NUL, in hexadecimal.
    arguments: Option<String>,
    enforced: bool,
}

/// The schemas bound to a relation, ordered by name, including those that a partition or child table inherits.
///
/// # Errors
/// The catalogue cannot be read.
pub fn bindings(relation: pg_sys::Oid) -> Result<Vec<Binding>> {
    let query = include_str!("../../../sql/query/json_schema/schema_bindings.sql");
    let found: Option<Vec<Candidate>> = load("schema_bindings", query, &[oid(relation.to_u32())])?;
    let mut bindings = Vec::new();
    for candidate in found.unwrap_or_default() {
        match candidate.means {
            Means::Check => of_check(relation, &candidate, &mut bindings),
            Means::Trigger => bindings.extend(of_trigger(relation, &candidate)),
        }
    }
    Ok(bindings)
}

fn of_check(relation: pg_sys::Oid, candidate: &Candidate, bindings: &mut Vec<Binding>) {
    let Some(text) = candidate.expression.as_deref().and_then(|text| CString::new(text).ok()) else { return };
    // SAFETY: the catalogue holds node trees of this server.
    let calls = unsafe {
        let mut calls = Vec::new();
        conjuncts(pg_sys::stringToNode(text.as_ptr()).cast(), &mut calls);
        calls
    };
    for (column, schema) in calls {
        let Some(column) = column_name(relation, column) else { continue };
        bindings.push(Binding {
            name: candidate.name.clone(),
            column: Some(column),
            schema: SchemaSource::Inline(schema),
            level: Level::Strict,
            action: Action::Error,
            means: Means::Check,
            enforced: candidate.enforced,
        });
    }
}

fn of_trigger(relation: pg_sys::Oid, candidate: &Candidate) -> Option<Binding> {
    let arguments = candidate.arguments.as_deref().and_then(texts)?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Arguments { schema, level, action } = Arguments::of(&arguments)?;
    let column = match candidate.expression.as_deref() {
        None => None,
        Some(condition) => Some(column_name(relation, column_of_condition(&CString::new(condition).ok()?)?)?),
    };
    let level = if candidate.enforced { level } else { Level::Off };
    let (name, enforced) = (candidate.name.clone(), level != Level::Off);
    Some(Binding { name, column, schema, level, action, means: Means::Trigger, enforced })
}

/// The arguments of a trigger.
pub struct Arguments {
    pub schema: SchemaSource,
    pub level: Level,
    pub action: Action,
}

impl Arguments {
    pub fn of(arguments: &[&str]) -> Option<Self> {
        let [schema, level, action] = arguments else { return None };
        Some(Arguments { schema: SchemaSource::of(schema), level: Level::of(level)?, action: Action::of(action)? })
    }
}

/// Decodes texts, each ended by NUL, from hexadecimal.
fn texts(hex: &str) -> Option<Vec<String>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let bytes: Option<Vec<u8>> =
        hex.as_bytes().chunks_exact(2).map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.last()?)?)).collect();
    let bytes = bytes?;
    let ended =
        bytes.split_inclusive(|byte| *byte == 0).map(|text| String::from_utf8(text.split_last()?.1.to_vec()).ok());
    ended.collect()
}

fn column_name(relation: pg_sys::Oid, column: pg_sys::AttrNumber) -> Option<String> {
    // SAFETY: with missing_ok an unknown column gives NULL; the name is a palloc'd copy.
    unsafe {
        let name = pg_sys::get_attname(relation, column, true);
        (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
    }
}

/// The column in a trigger's condition, which must be `NEW.column IS NOT NULL`. The trigger takes its column from there because
/// PostgreSQL renames it there and records the dependency.
pub fn column_of_condition(condition: &CStr) -> Option<pg_sys::AttrNumber> {
    // SAFETY: node trees of this server. Each node is read as the type that its tag says.
    unsafe {
        let test: *mut pg_sys::NullTest = nodes::cast(pg_sys::stringToNode(condition.as_ptr()).cast())?;
        if (*test).nulltesttype != pg_sys::NullTestType::IS_NOT_NULL {
            return None;
        }
        let column: *mut pg_sys::Var = nodes::cast((*test).arg.cast())?;
        ((*column).varno as u32 == pg_sys::PRS2_NEW_VARNO && (*column).varattno > 0).then_some((*column).varattno)
    }
}

/// Collects the columns and schemas of the validating calls that an expression joins with AND. Skips everything else.
unsafe fn conjuncts(expression: *mut pg_sys::Node, calls: &mut Vec<(pg_sys::AttrNumber, String)>) {
    // SAFETY: a node tree; the recursion is as deep as PostgreSQL's parser allowed.
    unsafe {
        let Some(all) = nodes::cast::<pg_sys::BoolExpr>(expression) else {
            calls.extend(call(expression));
            return;
        };
        match (*all).boolop {
            pg_sys::BoolExprType::AND_EXPR => nodes::pointers((*all).args).for_each(|part| conjuncts(part, calls)),
            pg_sys::BoolExprType::OR_EXPR => {
                calls.extend(call_or_null(&nodes::pointers((*all).args).collect::<Vec<_>>()))
            }
            _ => {}
        }
    }
}

/// `column IS NULL OR call`, which means the same as the call alone, because a CHECK passes if it is null.
unsafe fn call_or_null(parts: &[*mut pg_sys::Node]) -> Option<(pg_sys::AttrNumber, String)> {
    // SAFETY: as above.
    unsafe {
        let [first, second] = parts else { return None };
        let (test, other) = match nodes::cast::<pg_sys::NullTest>(*first) {
            Some(test) => (test, *second),
            None => (nodes::cast::<pg_sys::NullTest>(*second)?, *first),
        };
        let call = call(other)?;
        let is_null = (*test).nulltesttype == pg_sys::NullTestType::IS_NULL;
        (is_null && column((*test).arg.cast()) == Some(call.0)).then_some(call)
    }
}

/// A call of a validating function with a constant schema and a column.
unsafe fn call(expression: *mut pg_sys::Node) -> Option<(pg_sys::AttrNumber, String)> {
    // SAFETY: as above.
    unsafe {
        let call: *mut pg_sys::FuncExpr = nodes::cast(expression)?;
        let is_ours = matches!(
            own_function((*call).funcid)?.as_str(),
            "json_matches_schema"
                | "jsonb_matches_schema"
                | "json_matches_compiled_schema"
                | "jsonb_matches_compiled_schema"
                | "is_valid"
        );
        let mut arguments = nodes::pointers((*call).args);
        let (schema, instance) = (arguments.next()?, arguments.next()?);
        if is_ours { Some((column(instance)?, constant(schema)?)) } else { None }
    }
}

/// The name of a function, if it is in the extension's schema.
unsafe fn own_function(function: pg_sys::Oid) -> Option<String> {
    // SAFETY: lookups in the system caches; the name is a palloc'd copy.
    unsafe {
        let name = pg_sys::get_func_name(function);
        let is_own = pg_sys::get_func_namespace(function) == own_tables::schema();
        (is_own && !name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
    }
}

/// The column, if an expression is a column of a JSON type, with or without a cast.
unsafe fn column(expression: *mut pg_sys::Node) -> Option<pg_sys::AttrNumber> {
    // SAFETY: as above.
    unsafe {
        if let Some(cast) = nodes::cast::<pg_sys::RelabelType>(expression) {
            return column((*cast).arg.cast());
        }
        if let Some(cast) = nodes::cast::<pg_sys::CoerceViaIO>(expression) {
            return column((*cast).arg.cast());
        }
        let column: *mut pg_sys::Var = nodes::cast(expression)?;
        let is_json = matches!(pg_sys::getBaseType((*column).vartype), pg_sys::JSONOID | pg_sys::JSONBOID);
        (is_json && (*column).varattno > 0).then_some((*column).varattno)
    }
}

/// The schema in a constant, with or without a cast, as JSON text.
unsafe fn constant(expression: *mut pg_sys::Node) -> Option<String> {
    // SAFETY: as above. The types that a constant in this argument can have are known.
    unsafe {
        if let Some(cast) = nodes::cast::<pg_sys::RelabelType>(expression) {
            return constant((*cast).arg.cast());
        }
        if let Some(cast) = nodes::cast::<pg_sys::CoerceViaIO>(expression) {
            return constant((*cast).arg.cast());
        }
        if let Some(call) = nodes::cast::<pg_sys::FuncExpr>(expression) {
            let is_cast = own_function((*call).funcid)?.starts_with("jsonschema_from_json");
            return if is_cast { constant(nodes::pointers((*call).args).next()?) } else { None };
        }
        let constant: *mut pg_sys::Const = nodes::cast(expression)?;
        if (*constant).constisnull || (*constant).constlen != -1 {
            return None;
        }
        let (mut out, mut is_varlena) = (pg_sys::InvalidOid, false);
        pg_sys::getTypeOutputInfo((*constant).consttype, &mut out, &mut is_varlena);
        let text = pg_sys::OidOutputFunctionCall(out, (*constant).constvalue);
        Some(CStr::from_ptr(text).to_string_lossy().into_owned())
    }
}

v1_function!(restful_bound_schemas);
/// `restful.bound_schemas(rel regclass)`
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_bound_schemas(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: strict, with one argument of type regclass; returns TABLE of the columns put here.
    unsafe {
        let rows = ResultSet::start(call);
        let relation = pg_sys::Oid::from((*(*call).args.as_ptr()).value.value() as u32);
        let bindings = bindings(relation).unwrap_or_else(|why| error!("the bound schemas cannot be read: {why:?}"));
        for b in &bindings {
            let (schema, registered) = match &b.schema {
                SchemaSource::Inline(text) => (jsonb(text), None),
                SchemaSource::Registered(name) => (None, Some(name)),
            };
            let level = if b.enforced { b.level } else { Level::Off };
            rows.put([
                b.column.as_deref().and_then(name),
                schema,
                registered.and_then(|name| name.as_str().into_datum()),
                level.word().into_datum(),
                b.action.word().into_datum(),
                b.means.word().into_datum(),
                name(&b.name),
            ]);
        }
        pg_sys::Datum::null()
    }
}

fn name(text: &str) -> Option<pg_sys::Datum> {
    let text = CString::new(text).ok()?;
    // SAFETY: namein copies the text.
    unsafe { direct_function_call_as_datum(pg_sys::namein, &[Some(text.as_ptr().into())]) }
}

fn jsonb(text: &str) -> Option<pg_sys::Datum> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let text = CString::new(text).ok()?;
    // SAFETY: jsonb_in copies the text.
    unsafe { direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(text.as_ptr().into())]) }
}
