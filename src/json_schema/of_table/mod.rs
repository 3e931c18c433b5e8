//! The JSON Schema (2020-12) of the rows of a table or view, as `to_jsonb` and `row_to_json` write them.
//!
//! Every row is valid: the schema may accept more than the table does, but never less. So a CHECK constraint counts only as far as
//! it is understood exactly, and everything that PostgreSQL accepts is accepted: nested arrays, `NaN`, `infinity`.
//!
//! - `numeric(6,2)` has limits, but no `multipleOf: 0.01`: validators that use binary fractions would refuse 19.99.
//! - `format` is an annotation in 2020-12. Dates before Christ or after the year 9999 and `infinity` are rare, and RFC 3339, which
//!   `date` and `date-time` mean, does not have them. A validator that asserts formats refuses them.
//! - A timestamp without time zone has a pattern and no format, because RFC 3339 requires an offset. So do `time` and `timetz`.
//! - Constraints of foreign tables are trusted, as PostgreSQL's planner trusts them.
//! - Types without a JSON notation are strings in PostgreSQL's notation.

mod check;
mod pattern;
mod shape;
#[cfg(test)]
mod tests;
mod types;

use crate::limits::{TYPE_DEPTH, TYPES_IN_SCHEMA};
use check::{Bound, Class, Fact};
use serde::Deserialize;
use serde_json::{Map, Number, Value, json};
use shape::Shape;
use std::collections::HashMap;

pub use types::{Collation, Type, TypeUse, Types};

/// Tables and views, as the query `sql/query/json_schema/schema_of.sql` returns them, with the types that they use.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Relations {
    pub tables: Vec<Table>,
    pub types: Types,
}

/// A table or view, as the query `sql/query/json_schema/schema_of.sql` returns it, reduced to what its role may use.
#[derive(Clone, Debug, Deserialize)]
pub struct Table {
    /// `pg_class.oid`
    pub oid: u32,
    pub schema: String,
    pub name: String,
    /// `pg_class.relkind`
    pub kind: RelationKind,
    pub comment: Option<String>,
    /// Whether the role has USAGE on the schema.
    pub schema_usable: bool,
    /// Whether the role has SELECT, INSERT or UPDATE on the relation or on any column.
    pub permitted: bool,
    /// In order, without those that the role may neither read nor write.
    pub columns: Vec<Column>,
    /// CHECK constraints that hold for all rows.
    pub checks: Vec<String>,
    /// The primary key's columns in its order.
    pub primary_key: Vec<String>,
    /// It has checks or triggers, so JSON Schemas may be bound to it.
    #[serde(default)]
    pub may_be_bound: bool,
}

/// The kind of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum RelationKind {
    #[serde(rename = "r")]
    Table,
    #[serde(rename = "p")]
    PartitionedTable,
    #[serde(rename = "f")]
    ForeignTable,
    #[serde(rename = "v")]
    View,
    #[serde(rename = "m")]
    MaterializedView,
    /// An index, a sequence, a composite type: it has no rows to ask for.
    #[serde(other)]
    Other,
}

impl RelationKind {
    /// The noun in PostgreSQL's messages.
    pub fn noun(self) -> &'static str {
        match self {
            RelationKind::View => "view",
            RelationKind::MaterializedView => "materialized view",
            RelationKind::ForeignTable => "foreign table",
            _ => "table",
        }
    }

    /// Whether NOT NULL of a column's domain holds for its rows. In a view it may not: an outer join makes NULLs of any type.
    fn checks_domains(self) -> bool {
        !matches!(self, RelationKind::View | RelationKind::MaterializedView)
    }
}

/// A column.
#[derive(Clone, Debug, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(flatten)]
    pub data_type: TypeUse,
    /// It is NOT NULL, or part of the primary key. NOT NULL of a domain belongs to the type.
    pub not_null: bool,
    /// The default expression.
    pub default: Option<String>,
    pub generated: bool,
    /// `GENERATED … AS IDENTITY`
    pub identity: Option<Identity>,
    pub comment: Option<String>,
    /// Whether the role may SELECT, INSERT and UPDATE it.
    pub readable: bool,
    pub insertable: bool,
    pub updatable: bool,
    /// A JSON Schema that holds for every value except NULL.
    #[serde(default)]
    pub schema: Option<Value>,
}

/// The kind of an identity column: whether a value can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Identity {
    #[serde(rename = "a")]
    Always,
    #[serde(rename = "d")]
    ByDefault,
}

/// The JSON Schema of a table's rows. Its properties have the order of the columns.
///
/// The same schema describes rows and what a writer sends. The JSON of a row always has every column, so `required` would say
/// nothing about rows. It lists what a writer has to give: columns that are NOT NULL and have no default. Columns that only the
/// database writes are `readOnly`. Columns that the role may not read are `writeOnly`, and never required, because the rows that
/// the role reads lack them.
pub fn schema_of(table: &Table, types: &Types) -> Value {
    let mut writer = Writer { types, left: TYPES_IN_SCHEMA };
    let mut facts = writer.table_facts(table);
    let mut properties = Map::new();
    let mut required: Vec<Value> = Vec::new();
    for column in &table.columns {
        let facts = facts.remove(&column.name).unwrap_or_default();
        let has_default = column.default.is_some() || writer.domain_default(column).is_some();
        let is_generated = column.generated || column.identity.is_some();
        let nullable = writer.nullable(table, column, &facts);
        if !(nullable || has_default || is_generated) && column.readable {
            required.push(column.name.as_str().into());
        }
        properties.insert(column.name.clone(), writer.column(table, column, facts, nullable));
    }
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".to_owned(), table.name.as_str().into());
    if let Some(comment) = &table.comment {
        schema.insert("description".to_owned(), comment.as_str().into());
    }
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), properties.into());
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema.insert("additionalProperties".to_owned(), false.into());
    schema.into()
}

/// The JSON Schema of a value of a type: an argument, or the result of a function.
pub fn schema_of_type(of: TypeUse, types: &Types, nullable: bool) -> Value {
    Writer { types, left: TYPES_IN_SCHEMA }.shape(of, 0).render(nullable).into()
}

struct Writer<'a> {
    types: &'a Types,
    /// How many more shapes may be made.
    left: usize,
}

impl Writer<'_> {
    /// What the table's CHECK constraints say, by column.
    fn table_facts(&self, table: &Table) -> HashMap<String, Vec<Fact>> {
        let columns: HashMap<&str, &Column> = table.columns.iter().map(|c| (c.name.as_str(), c)).collect();
        let class = |name: &str| columns.get(name).map(|c| self.class(c.data_type));
        let mut facts: HashMap<String, Vec<Fact>> = HashMap::new();
        for text in &table.checks {
            for (name, fact) in check::facts(text, &class) {
                facts.entry(name).or_default().push(fact);
            }
        }
        facts
    }

    fn class(&self, of: TypeUse) -> Class {
        let (_, base) = self.types.domains(of);
        self.types.by_oid.get(&base.type_oid).map_or(Class::Other, |t| class(t, base.collation))
    }

    fn domain_default(&self, column: &Column) -> Option<&str> {
        self.types.by_oid.get(&column.data_type.type_oid)?.default.as_deref()
    }

    fn nullable(&self, table: &Table, column: &Column, facts: &[Fact]) -> bool {
        if column.not_null || facts.contains(&Fact::NotNull) {
            return false;
        }
        let (domains, _) = self.types.domains(column.data_type);
        let says_not_null = |domain: &&Type| {
            let class = |_: &str| Some(Class::Other);
            domain.not_null
                || domain.checks.iter().flat_map(|c| check::facts(c, &class)).any(|(_, f)| f == Fact::NotNull)
        };
        !(table.kind.checks_domains() && domains.iter().any(says_not_null))
    }

    fn column(&mut self, table: &Table, column: &Column, facts: Vec<Fact>, nullable: bool) -> Value {
        let mut shape = self.shape(column.data_type, 0);
        facts.into_iter().for_each(|fact| shape.narrow(fact));
        let is_json = shape.class == Class::Json;
        let default = column.default.as_deref().or_else(|| self.domain_default(column));
        let default = default.filter(|_| !column.generated).and_then(|text| literal(text, shape.class));
        let mut schema = shape.render(nullable);
        if let Some(bound) = &column.schema {
            let bound = embedded(bound, &table.schema, &table.name, &column.name);
            // A CHECK passes on SQL's NULL, which JSON writes as null.
            let bound = if nullable { json!({ "anyOf": [{ "type": "null" }, bound] }) } else { bound };
            match bound {
                Value::Object(bound) if is_json && schema.is_empty() => schema = bound,
                bound => {
                    schema.insert("allOf".to_owned(), json!([bound]));
                }
            }
        }
        if let Some(comment) = &column.comment {
            schema.insert("description".to_owned(), comment.as_str().into());
        }
        if let Some(default) = default {
            schema.insert("default".to_owned(), default);
        }
        let always_generated = column.generated || column.identity == Some(Identity::Always);
        if always_generated || !(column.insertable || column.updatable) {
            schema.insert("readOnly".to_owned(), true.into());
        } else if !column.readable {
            schema.insert("writeOnly".to_owned(), true.into());
        }
        schema.into()
    }

    /// The shape of a type, narrowed by its domains.
    fn shape(&mut self, of: TypeUse, depth: usize) -> Shape {
        let Some(left) = self.left.checked_sub(1) else { return Shape::anything() };
        self.left = left;
        let (domains, base) = self.types.domains(of);
        let domains: Vec<Type> = domains.into_iter().cloned().collect();
        let types = self.types;
        let mut shape = match types.by_oid.get(&base.type_oid) {
            Some(of_type) if depth < TYPE_DEPTH => self.base_shape(of_type, base, depth),
            _ => Shape::anything(),
        };
        let class = shape.class;
        for domain in domains.iter().rev() {
            for (_, fact) in domain.checks.iter().flat_map(|text| check::facts(text, &|_| Some(class))) {
                shape.narrow(fact);
            }
        }
        shape
    }

    fn base_shape(&mut self, of_type: &Type, of: TypeUse, depth: usize) -> Shape {
        if let Some(element) = of_type.element {
            let element = TypeUse { type_oid: element, ..of };
            let mut shape = Shape::new(Class::Array, &["array"]);
            shape.items = Some(Box::new(self.shape(element, depth + 1)));
            return shape;
        }
        if of_type.kind == "c" {
            let mut properties = Map::new();
            for attribute in &of_type.attributes {
                let shape = self.shape(attribute.data_type, depth + 1);
                properties.insert(attribute.name.clone(), shape.render(true).into());
            }
            return Shape::new(Class::Other, &["object"])
                .with("properties", properties)
                .with("additionalProperties", false);
        }
        if of_type.casts_to_json || of_type.kind == "p" {
            return Shape::anything();
        }
        if of_type.kind == "e" {
            let mut shape = Shape::new(Class::Enum, &["string"]);
            shape.one_of = Some(of_type.labels.iter().map(|label| label.as_str().into()).collect());
            return shape;
        }
        if of_type.schema != "pg_catalog" {
            return Shape::new(Class::Other, &["string"]);
        }
        self.built_in(of_type, of)
    }

    fn built_in(&self, of_type: &Type, of: TypeUse) -> Shape {
        const TIME: &str = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?";
        // The stored modifier is the length of the text plus the header (PostgreSQL's varchar.c).
        let length = |header: i32| u64::try_from(of.modifier - header).ok();
        let mut shape = Shape::new(class(of_type, of.collation), &["string"]);
        match of_type.name.as_str() {
            "bool" => shape.types = vec!["boolean".to_owned()],
            "int2" => integer(&mut shape, i16::MIN.into(), i16::MAX.into()),
            "int4" => integer(&mut shape, i32::MIN.into(), i32::MAX.into()),
            "int8" => integer(&mut shape, i64::MIN, i64::MAX),
            "numeric" => numeric(&mut shape, of.modifier),
            "float4" | "float8" => {
                shape.types = vec!["number".to_owned()];
                shape.specials = vec![shape::NOT_A_NUMBER, shape::INFINITY, shape::MINUS_INFINITY];
            }
            "varchar" | "bpchar" => shape.max_length = length(4),
            "bit" => {
                (shape.min_length, shape.max_length) = (length(0), length(0));
                shape.patterns.push("^[01]*$".to_owned());
            }
            "varbit" => {
                shape.max_length = length(0);
                shape.patterns.push("^[01]*$".to_owned());
            }
            "uuid" => return Shape::formatted("uuid"),
            "date" => return Shape::formatted("date"),
            "timestamptz" => return Shape::formatted("date-time"),
            "timestamp" => {
                return Shape::matching(&format!("^([0-9]{{4,6}}-[0-9]{{2}}-[0-9]{{2}}T{TIME}( BC)?|-?infinity)$"));
            }
            "time" => return Shape::matching(&format!("^{TIME}$")),
            "timetz" => return Shape::matching(&format!("^{TIME}[+\\-][0-9]{{2}}(:[0-9]{{2}}){{0,2}}$")),
            "json" | "jsonb" => shape.types.clear(),
            "bytea" if self.types.bytea_is_hex => return Shape::matching(r"^\\x([0-9a-f]{2})*$"),
            "oid" => return Shape::matching("^[0-9]+$"),
            "macaddr" => return Shape::matching("^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"),
            "macaddr8" => return Shape::matching("^[0-9a-f]{2}(:[0-9a-f]{2}){7}$"),
            "xml" => return shape.with("contentMediaType", "application/xml"),
            _ => {}
        }
        shape
    }
}

fn class(of_type: &Type, collation: Collation) -> Class {
    if of_type.element.is_some() {
        return Class::Array;
    }
    match (of_type.schema.as_str(), of_type.name.as_str(), of_type.kind.as_str()) {
        (_, _, "e") if !of_type.casts_to_json => Class::Enum,
        ("pg_catalog", "int2" | "int4" | "int8", _) => Class::Integer,
        ("pg_catalog", "numeric", _) => Class::Numeric,
        ("pg_catalog", "float4", _) => Class::Real,
        ("pg_catalog", "float8", _) => Class::DoublePrecision,
        ("pg_catalog", "bool", _) => Class::Boolean,
        ("pg_catalog", "text" | "varchar", _) => {
            Class::Text { deterministic: collation.deterministic, ascii_digits: collation.ascii_digits }
        }
        ("pg_catalog", "json" | "jsonb", _) => Class::Json,
        _ => Class::Other,
    }
}

fn inclusive(value: impl Into<Number>) -> Option<Bound> {
    Some(Bound { value: value.into(), exclusive: false })
}

fn integer(shape: &mut Shape, least: i64, greatest: i64) {
    shape.types = vec!["integer".to_owned()];
    shape.lower = inclusive(least);
    shape.upper = inclusive(greatest);
}

/// `numeric(precision, scale)`: the modifier as PostgreSQL's numeric.c packs it. NaN fits every numeric; infinity only fits one
/// without a modifier.
fn numeric(shape: &mut Shape, modifier: i32) {
    shape.types = vec!["number".to_owned()];
    shape.specials = vec![shape::NOT_A_NUMBER];
    if modifier < 4 {
        shape.specials.extend([shape::INFINITY, shape::MINUS_INFINITY]);
        return;
    }
    let packed = modifier - 4;
    let precision = packed >> 16 & 0xffff;
    // eleven bits with a sign
    let scale = ((packed & 0x7ff) ^ 0x400) - 0x400;
    if scale <= 0 {
        shape.types = vec!["integer".to_owned()];
    }
    // The greatest value if a double can hold its digits, else the power of ten above it, else no limit.
    let whole = precision - scale;
    let greatest = if precision <= 15 && (0..=400).contains(&scale) {
        check::exact_number(&format!("{}e-{scale}", "9".repeat(usize::try_from(precision).unwrap_or(0))))
    } else {
        u32::try_from(whole).ok().and_then(|n| 10i64.checked_pow(n)).map(Number::from)
    };
    let least = greatest.as_ref().and_then(|n| check::exact_number(&format!("-{n}")));
    shape.upper = greatest.map(|value| Bound { value, exclusive: false });
    shape.lower = least.map(|value| Bound { value, exclusive: false });
}

/// The value of a default that is a constant.
fn literal(text: &str, class: Class) -> Option<Value> {
    use crate::expression::{self, Expression};
    let constant = expression::parse(text);
    let mut inner = &constant;
    while let Expression::Cast(operand, data_type) = inner {
        // a length could truncate it
        if data_type.contains('(') {
            return None;
        }
        inner = operand;
    }
    match (class, inner) {
        (Class::Boolean, Expression::True) => Some(true.into()),
        (Class::Boolean, Expression::False) => Some(false.into()),
        (Class::Integer | Class::Numeric | Class::Real | Class::DoublePrecision, _) => {
            check::number(&constant, class).map(Value::Number)
        }
        (Class::Text { .. }, _) => check::text(&constant, false).map(Value::from),
        (Class::Enum, _) => check::text(&constant, true).map(Value::from),
        (Class::Json, Expression::Literal(text)) => serde_json::from_str(text).ok(),
        (Class::Array, Expression::Literal(text)) if text == "{}" => Some(json!([])),
        (Class::Array, Expression::Array(items)) if items.is_empty() => Some(json!([])),
        _ => None,
    }
}

/// A JSON Schema as part of another one. References in it, and its `$schema`, are relative to the document's root. With an
/// identifier of its own it remains a document (JSON Schema 2020-12 core, 8.2.1).
fn embedded(schema: &Value, namespace: &str, table: &str, column: &str) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(members) = &mut schema
        && !members.contains_key("$id")
        && refers(members.values())
    {
        let path: Vec<String> = [namespace, table, column].iter().map(|name| percent_encoded(name)).collect();
        members.insert("$id".to_owned(), format!("urn:x-postgresql:{}", path.join(":")).into());
    }
    schema
}

fn refers<'v>(values: impl Iterator<Item = &'v Value>) -> bool {
    let mut rest: Vec<&Value> = values.collect();
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(members) => {
                if ["$ref", "$dynamicRef", "$recursiveRef", "$schema"].iter().any(|k| members.contains_key(*k)) {
                    return true;
                }
                rest.extend(members.values());
            }
            Value::Array(items) => rest.extend(items),
            _ => {}
        }
    }
    false
}

/// Percent-encoding (RFC 3986, section 2.1).
fn percent_encoded(name: &str) -> String {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    name.bytes().map(|b| if unreserved(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
