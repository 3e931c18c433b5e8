//! Evaluates an expression as far as possible without a row.

use super::choices::Choices;
use crate::expression::{Case, Expression, Select};

/// The caller that is assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// Anyone.
    Any,
    /// Nobody has signed in: the functions that identify the caller return null.
    Anonymous,
    /// Someone has signed in who owns no rows.
    Stranger,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// A constant, and its type if it has a cast.
    Literal(String, Option<String>),
    /// An unknown value that is not null. Equal names mean the same value.
    Some(String),
    /// A value that identifies the caller, or is derived from one: it equals no value of a row.
    Stranger(String),
    /// The claims of an anonymous request. They contain a role and nothing else.
    Claims,
}

impl Value {
    fn name(&self) -> String {
        match self {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Literal(text, data_type) => format!("{text:?}::{}", data_type.as_deref().unwrap_or_default()),
            Value::Some(name) | Value::Stranger(name) => name.clone(),
            Value::Claims => "claims".to_owned(),
        }
    }
}

/// Functions of `pg_catalog` whose result is unknown but not null, even if an argument is null.
const TAKE_NULLS: [&str; 12] = [
    "concat",
    "concat_ws",
    "format",
    "quote_nullable",
    "json_build_array",
    "json_build_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "array_append",
    "array_prepend",
    "array_cat",
    "jsonb_set_lax",
];
/// Functions that may return a different value each time.
const VOLATILE: [&str; 6] = ["random", "clock_timestamp", "timeofday", "gen_random_uuid", "nextval", "random_normal"];
/// Functions without arguments that never return null.
const NEVER_NULL: [&str; 5] = ["now", "transaction_timestamp", "statement_timestamp", "current_database", "version"];
/// Functions of the extension that answer a question about the subject. They say no for an anonymous caller and for a stranger.
const QUESTIONS: [&str; 5] =
    ["restful.has_role", "restful.has_any_role", "restful.has_permission", "restful.has_scope", "restful.authorize"];
/// Operators whose result is null for some values.
const MAY_BE_NULL: [&str; 6] = ["->", "->>", "#>", "#>>", "@?", "@@"];

pub struct Evaluator<'a> {
    pub world: World,
    pub subjects: &'a [String],
    pub not_null: &'a [String],
    pub choices: &'a mut Choices,
}

impl Evaluator<'_> {
    /// The value of a condition; `None` for null.
    pub fn truth(&mut self, expression: &Expression) -> Option<bool> {
        match self.value(expression) {
            Value::Null => None,
            Value::Bool(value) => Some(value),
            // It may hold for some rows; for a caller who owns none, it does not.
            Value::Stranger(_) => Some(false),
            other => Some(self.choices.is(other.name())),
        }
    }

    pub fn value(&mut self, expression: &Expression) -> Value {
        match expression {
            Expression::Null => Value::Null,
            Expression::True => Value::Bool(true),
            Expression::False => Value::Bool(false),
            Expression::Literal(text) => Value::Literal(text.clone(), None),
            Expression::Column(name) if self.not_null.contains(name) => Value::Some(name.clone()),
            Expression::Column(name) | Expression::QualifiedColumn(name) => self.nullable(name.clone()),
            Expression::Session(name) => Value::Some(name.clone()),
            Expression::Cast(operand, data_type) => self.cast(operand, data_type),
            Expression::Part(whole) => match self.value(whole) {
                Value::Null => Value::Null,
                Value::Stranger(name) => Value::Stranger(format!("part of {name}")),
                _ => self.nullable(format!("{expression:?}")),
            },
            Expression::Call(name, arguments) => self.call(name, arguments),
            Expression::QualifiedCall(name, arguments) => self.qualified_call(name, arguments),
            Expression::Coalesce(operands) => {
                operands.iter().map(|o| self.value(o)).find(|v| *v != Value::Null).unwrap_or(Value::Null)
            }
            Expression::Case(case) => self.case(case),
            Expression::And(operands) => {
                of_truth(operands.iter().try_fold(Some(true), |so_far, o| match (so_far, self.truth(o)) {
                    (_, Some(false)) => Err(Some(false)),
                    (None, _) | (_, None) => Ok(None),
                    _ => Ok(Some(true)),
                }))
            }
            Expression::Or(operands) => {
                of_truth(operands.iter().try_fold(Some(false), |so_far, o| match (so_far, self.truth(o)) {
                    (_, Some(true)) => Err(Some(true)),
                    (None, _) | (_, None) => Ok(None),
                    _ => Ok(Some(false)),
                }))
            }
            Expression::Not(operand) => of_bool(self.truth(operand).map(|value| !value)),
            Expression::IsNull(operand) => Value::Bool(self.value(operand) == Value::Null),
            Expression::IsNotNull(operand) => Value::Bool(self.value(operand) != Value::Null),
            Expression::Is(operand, value) => Value::Bool(self.truth(operand) == *value),
            Expression::IsDistinct(left, right) => Value::Bool(self.is_distinct(left, right)),
            Expression::Operator(left, operator, right) => {
                let (left, right) = (self.value(left), self.value(right));
                self.operator(&left, operator, &right)
            }
            Expression::Any(left, operator, array) => self.any(left, operator, array, true),
            Expression::All(left, operator, array) => self.any(left, operator, array, false),
            Expression::SubSelect(select) => match select.columns.as_slice() {
                [column] if select.tables.is_none() && select.condition.is_none() => self.value(column),
                _ => self.unread(expression),
            },
            Expression::Exists(select) => self.exists(expression, select),
            Expression::In(left, select) => self.is_in(expression, left, select),
            // Without a subject an element may be null, but the array or row is not. It equals no value of a row either.
            Expression::Array(_) | Expression::Row(_) | Expression::ArrayOf(_) => {
                of(format!("{expression:?}"), self.world != World::Any && self.depends(expression))
            }
            Expression::Opaque { .. } => self.unread(expression),
        }
    }

    fn cast(&mut self, operand: &Expression, data_type: &str) -> Value {
        match self.value(operand) {
            Value::Literal(text, None) if data_type != "boolean" => Value::Literal(text, Some(data_type.to_owned())),
            Value::Bool(value) if data_type == "boolean" => Value::Bool(value),
            Value::Null => Value::Null,
            Value::Claims => Value::Claims,
            Value::Stranger(name) => Value::Stranger(format!("{name}::{data_type}")),
            other => Value::Some(format!("{}::{data_type}", other.name())),
        }
    }

    fn is_distinct(&mut self, left: &Expression, right: &Expression) -> bool {
        let (left, right) = (self.value(left), self.value(right));
        match (&left, &right) {
            (Value::Null, Value::Null) => false,
            (Value::Null, _) | (_, Value::Null) => true,
            _ => !self.equal(&left, &right),
        }
    }

    /// Null or an unknown value.
    fn nullable(&mut self, name: String) -> Value {
        match self.choices.is(format!("{name} is null")) {
            true => Value::Null,
            false => Value::Some(name),
        }
    }

    /// An expression that is not understood. If it depends on the subject, it is null for an anonymous caller, and for a stranger it
    /// is a stranger's value, which is false as a condition.
    fn unread(&mut self, expression: &Expression) -> Value {
        let name = format!("{expression:?}");
        match self.world {
            World::Anonymous if self.depends(expression) => Value::Null,
            World::Stranger if self.depends(expression) => Value::Stranger(name),
            _ => self.nullable(name),
        }
    }

    fn call(&mut self, name: &str, arguments: &[Expression]) -> Value {
        if name == "current_setting" && self.asks_request(name, arguments) {
            let result = format!("{name}({arguments:?})").to_ascii_lowercase();
            return if result.contains("request.jwt.claims") { self.claims(result) } else { self.subject(result) };
        }
        let values: Vec<Value> = arguments.iter().map(|a| self.value(a)).collect();
        let nulls = values.iter().filter(|v| **v == Value::Null).count();
        let names: Vec<String> = values.iter().map(Value::name).collect();
        let mut result = format!("{name}({})", names.join(", "));
        if VOLATILE.contains(&name) {
            // Two calls may return different values, so each call has its own name.
            result = format!("{result} at {arguments:p}");
        }
        let is_of_stranger = values.iter().any(|v| matches!(v, Value::Stranger(_)));
        match (name, values.as_slice()) {
            ("NULLIF", [left, right]) => {
                if nulls == 0 && self.equal(left, right) {
                    Value::Null
                } else {
                    left.clone()
                }
            }
            ("num_nulls", _) => Value::Literal(nulls.to_string(), None),
            ("num_nonnulls", _) => Value::Literal((values.len() - nulls).to_string(), None),
            ("GREATEST" | "LEAST", _) if nulls == values.len() => Value::Null,
            ("GREATEST" | "LEAST", _) => of(result, is_of_stranger),
            (name, _) if TAKE_NULLS.contains(&name) => of(result, is_of_stranger),
            _ if nulls > 0 => Value::Null,
            _ if is_of_stranger => Value::Stranger(result),
            ("length" | "char_length", [Value::Literal(text, _)]) => {
                Value::Literal(text.chars().count().to_string(), None)
            }
            (name, []) if NEVER_NULL.contains(&name) => Value::Some(result),
            _ => self.nullable(result),
        }
    }

    fn qualified_call(&mut self, name: &str, arguments: &[Expression]) -> Value {
        let result = format!("{name}({arguments:?})");
        match self.world {
            // Two calls may return different values.
            World::Any => self.nullable(format!("{result} at {arguments:p}")),
            _ if self.asks_request(name, arguments) => match name {
                "restful.is_authenticated" => Value::Bool(self.world == World::Stranger),
                "restful.method" => {
                    let method = if self.world == World::Stranger { "jwt" } else { "anonymous" };
                    Value::Literal(method.to_owned(), Some("text".to_owned()))
                }
                name if QUESTIONS.contains(&name) => Value::Bool(false),
                // An anonymous request has a role, too.
                "restful.role" | "auth.role" => Value::Some(result),
                "restful.claim" if constant(arguments.first()) == Some("role") => Value::Some(result),
                "restful.jwt" | "restful.claims" | "auth.jwt" | "auth.session" => self.claims(result),
                _ => self.subject(result),
            },
            World::Anonymous if arguments.iter().any(|a| self.depends(a)) => Value::Null,
            World::Stranger if arguments.iter().any(|a| self.depends(a)) => Value::Stranger(result),
            _ => self.nullable(result),
        }
    }

    fn subject(&self, name: String) -> Value {
        match self.world {
            World::Stranger => Value::Stranger(name),
            World::Anonymous | World::Any => Value::Null,
        }
    }

    /// The claims. They do not exist outside a request.
    fn claims(&mut self, name: String) -> Value {
        match self.subject(name) {
            Value::Null if self.choices.is("there is a request".to_owned()) => Value::Claims,
            claims => claims,
        }
    }

    /// Whether a call identifies the caller.
    fn asks_request(&self, name: &str, arguments: &[Expression]) -> bool {
        if name != "current_setting" {
            return self.subjects.iter().any(|s| s == name);
        }
        let setting = constant(arguments.first()).unwrap_or_default();
        self.world != World::Any && setting.to_ascii_lowercase().starts_with("request.")
    }

    fn depends(&self, expression: &Expression) -> bool {
        match expression {
            Expression::Call(name, arguments) if name == "current_setting" => self.asks_request(name, arguments),
            Expression::QualifiedCall(name, _) if self.subjects.contains(name) => true,
            Expression::Opaque { functions, .. } => functions.iter().any(|f| self.subjects.contains(f)),
            _ => expression.parts().into_iter().any(|part| self.depends(part)),
        }
    }

    fn case(&mut self, case: &Case) -> Value {
        let operand = case.operand.as_ref().map(|o| self.value(o));
        for (condition, result) in &case.branches {
            let holds = match &operand {
                None => self.truth(condition) == Some(true),
                Some(operand) => {
                    let value = self.value(condition);
                    self.operator(operand, "=", &value) == Value::Bool(true)
                }
            };
            if holds {
                return self.value(result);
            }
        }
        self.value(&case.default)
    }

    fn operator(&mut self, left: &Value, operator: &str, right: &Value) -> Value {
        let result = format!("({} {operator} {})", left.name(), right.name());
        if *left == Value::Null || *right == Value::Null {
            // An array with a null element added to it is still an array.
            return if operator == "||" && self.world == World::Any { self.nullable(result) } else { Value::Null };
        }
        match operator {
            "->" | "->>"
                if matches!(right, Value::Literal(key, _) if key == "role")
                    && (*left == Value::Claims || is_stranger(left)) =>
            {
                Value::Some("role".to_owned())
            }
            "->" | "->>" | "#>" | "#>>" if *left == Value::Claims => Value::Null,
            // A caller who has signed in has a subject.
            "?" if matches!(right, Value::Literal(key, _) if key == "sub")
                && (*left == Value::Claims || is_stranger(left)) =>
            {
                Value::Bool(is_stranger(left))
            }
            "=" => Value::Bool(self.equal(left, right)),
            "<>" => Value::Bool(!self.equal(left, right)),
            "<" => Value::Bool(self.less(left, right)),
            ">" => Value::Bool(self.less(right, left)),
            // A stranger's value is neither less nor greater than a value of a row.
            "<=" | ">=" if is_stranger(left) || is_stranger(right) => Value::Bool(self.equal(left, right)),
            "<=" => Value::Bool(!self.less(right, left)),
            ">=" => Value::Bool(!self.less(left, right)),
            "~~" | "~~*" if matches!(right, Value::Literal(pattern, _) if is_any(pattern)) => Value::Bool(true),
            "!~~" | "!~~*" | "!~" | "!~*" if is_stranger(left) || is_stranger(right) => Value::Bool(true),
            "+" | "-" | "*" => match (integer(left), integer(right)) {
                (Some(left), Some(right)) => {
                    let number = match operator {
                        "+" => left.checked_add(right),
                        "-" => left.checked_sub(right),
                        _ => left.checked_mul(right),
                    };
                    number.map_or(Value::Some(result), |number| Value::Literal(number.to_string(), None))
                }
                _ => of(result, is_stranger(left) || is_stranger(right)),
            },
            _ if is_stranger(left) || is_stranger(right) => Value::Stranger(result),
            _ if MAY_BE_NULL.contains(&operator) => self.nullable(result),
            _ => Value::Some(result),
        }
    }

    /// Whether two non-null values are equal.
    fn equal(&mut self, left: &Value, right: &Value) -> bool {
        if let (Some(left), Some(right)) = (integer(left), integer(right)) {
            return left == right;
        }
        match (left, right) {
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::Bool(value), other) | (other, Value::Bool(value)) if !is_stranger(other) => {
                self.choices.is(other.name()) == *value
            }
            _ if left.name() == right.name() => true,
            _ if is_stranger(left) || is_stranger(right) => false,
            _ => self.choices.are_equal(&left.name(), &right.name(), differ),
        }
    }

    /// Whether a non-null value is less than another.
    fn less(&mut self, left: &Value, right: &Value) -> bool {
        match (integer(left), integer(right)) {
            (Some(left), Some(right)) => left < right,
            _ if is_stranger(left) || is_stranger(right) || left.name() == right.name() => false,
            _ => self.choices.is(format!("{} < {}", left.name(), right.name())),
        }
    }

    /// `left operator ANY (array)`, or with `ALL`.
    fn any(&mut self, left: &Expression, operator: &str, array: &Expression, is_any: bool) -> Value {
        let mut items = array;
        while let Expression::Cast(operand, _) = items {
            items = operand;
        }
        match items {
            Expression::Array(items) => {
                let left = self.value(left);
                let mut found = Some(!is_any);
                for item in items {
                    let item = self.value(item);
                    match self.operator(&left, operator, &item) {
                        Value::Bool(value) if value == is_any => return Value::Bool(is_any),
                        Value::Bool(_) => {}
                        Value::Null => found = None,
                        other => {
                            if self.choices.is(other.name()) == is_any {
                                return Value::Bool(is_any);
                            }
                        }
                    }
                }
                of_bool(found)
            }
            Expression::ArrayOf(select) if is_any && operator == "=" => self.is_in(array, left, select),
            // Nothing belongs to this caller, so the array is empty.
            Expression::ArrayOf(_) if self.world != World::Any && self.depends(items) => Value::Bool(!is_any),
            _ => match (self.value(left), self.value(array)) {
                (Value::Null, _) | (_, Value::Null) => Value::Null,
                (left, array) if is_stranger(&left) || is_stranger(&array) => Value::Bool(!is_any),
                (left, array) => self.nullable(format!("{} {operator} {is_any} {}", left.name(), array.name())),
            },
        }
    }

    /// Whether a sub-select has a row. The row in question may be one of its rows.
    fn exists(&mut self, expression: &Expression, select: &Select) -> Value {
        let name = format!("{expression:?}");
        if select.tables.is_none() {
            return Value::Bool(select.condition.as_ref().is_none_or(|c| self.truth(c) == Some(true)));
        }
        if self.world == World::Any {
            return Value::Bool(self.choices.is(name));
        }
        if select.tables.as_ref().is_some_and(|tables| self.depends(tables)) {
            return Value::Bool(false);
        }
        let holds = select.condition.as_ref().is_none_or(|c| self.truth(c) == Some(true));
        Value::Bool(holds && self.choices.is(format!("a row of {:?}", select.tables)))
    }

    fn is_in(&mut self, expression: &Expression, left: &Expression, select: &Select) -> Value {
        let [column] = select.columns.as_slice() else { return self.unread(expression) };
        if self.world == World::Any && select.tables.is_some() {
            return self.unread(expression);
        }
        let exists = self.exists(expression, select);
        let (left, column) = (self.value(left), self.value(column));
        match exists {
            Value::Bool(true) => self.operator(&left, "=", &column),
            _ => Value::Bool(false),
        }
    }
}

/// The constant under its casts.
fn constant(mut expression: Option<&Expression>) -> Option<&str> {
    while let Some(Expression::Cast(operand, _)) = expression {
        expression = Some(operand);
    }
    match expression {
        Some(Expression::Literal(text)) => Some(text),
        _ => None,
    }
}

/// Whether these names are different constants of one type in which different texts are different values.
fn differ(left: &str, right: &str) -> bool {
    let text = |name: &str| {
        ["text", "character varying", "name"]
            .iter()
            .any(|t| name.starts_with('"') && name.ends_with(&format!("\"::{t}")))
    };
    text(left) && text(right) && left != right && left.rsplit("::").next() == right.rsplit("::").next()
}

fn of(name: String, is_of_stranger: bool) -> Value {
    if is_of_stranger { Value::Stranger(name) } else { Value::Some(name) }
}

fn of_bool(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::Bool)
}

/// `Err` holds a result that was decided early.
fn of_truth(value: Result<Option<bool>, Option<bool>>) -> Value {
    of_bool(value.unwrap_or_else(|decided| decided))
}

fn is_stranger(value: &Value) -> bool {
    matches!(value, Value::Stranger(_))
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Literal(text, data_type)
            if matches!(data_type.as_deref(), None | Some("smallint" | "integer" | "bigint" | "numeric")) =>
        {
            text.parse().ok()
        }
        _ => None,
    }
}

/// Whether a LIKE pattern matches any text.
fn is_any(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|b| b == b'%')
}
