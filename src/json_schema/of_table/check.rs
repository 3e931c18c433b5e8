//! Translates what CHECK constraints say about single columns to JSON Schema.
//!
//! A fact may say less than the constraint, but never more: whatever passes the constraint has to be valid. A constraint passes
//! unless it is false, so NULL passes nearly all of them. Facts are about values other than NULL.

use super::pattern;
use crate::expression::{Expression, parse};
use serde_json::{Number, Value};

/// The class of a type, as far as CHECK constraints are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// smallint, integer, bigint
    Integer,
    Numeric,
    Real,
    DoublePrecision,
    Boolean,
    /// text, character varying
    Text {
        deterministic: bool,
        ascii_digits: bool,
    },
    Enum,
    Json,
    Array,
    Other,
}

/// A JSON number, ordered by value.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    pub value: Number,
    /// The bound itself is not allowed.
    pub exclusive: bool,
}

/// A fact about every value of a column that is not NULL. [`Fact::NotNull`] is the exception.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    NotNull,
    Lower(Bound),
    Upper(Bound),
    /// One of these.
    OneOf(Vec<Value>),
    Pattern(String),
    MinLength(u64),
    MaxLength(u64),
    MinItems(u64),
    MaxItems(u64),
    /// The elements of the array are not arrays.
    OneDimension,
    /// The names of the JSON Schema types that a JSON value may have.
    Types(Vec<String>),
}

/// The facts in a CHECK constraint, by column. `VALUE` of a domain has the empty name.
///
/// `text`: as `pg_get_expr` writes it with `pg_catalog` as the search path and `standard_conforming_strings = on`.
/// `class`: the class of the column with this name; `None` if the column does not exist or is not shown.
pub fn facts(text: &str, class: &impl Fn(&str) -> Option<Class>) -> Vec<(String, Fact)> {
    let mut facts = Vec::new();
    Reader { class }.read(&parse(text), &mut facts);
    facts
}

struct Reader<'a, C> {
    class: &'a C,
}

impl<C: Fn(&str) -> Option<Class>> Reader<'_, C> {
    fn read(&self, expression: &Expression, facts: &mut Vec<(String, Fact)>) {
        match expression {
            Expression::And(operands) => operands.iter().for_each(|o| self.read(o, facts)),
            Expression::Or(operands) => self.read_or(operands, facts),
            Expression::IsNotNull(operand) => {
                if let Expression::Column(name) = &**operand {
                    facts.push((name.clone(), Fact::NotNull));
                }
            }
            Expression::Column(name) if (self.class)(name) == Some(Class::Boolean) => {
                facts.push((name.clone(), Fact::OneOf(vec![Value::Bool(true)])));
            }
            Expression::Not(operand) => self.read_not(operand, facts),
            Expression::Operator(left, operator, right) => {
                if self.compare(left, operator, right, facts).is_none()
                    && let Some(turned) = turned(operator)
                {
                    let _ = self.compare(right, turned, left, facts);
                }
            }
            Expression::Any(left, operator, array) if operator == "=" => {
                let _ = self.any(left, array, facts);
            }
            _ => {}
        }
    }

    /// For `a OR b`, what holds for a column in both cases.
    fn read_or(&self, operands: &[Expression], facts: &mut Vec<(String, Fact)>) {
        let null = |o: &Expression| match o {
            Expression::IsNull(column) => match &**column {
                Expression::Column(name) => Some(name.clone()),
                _ => None,
            },
            _ => None,
        };
        let nulls: Vec<String> = operands.iter().filter_map(null).collect();
        let mut branches = operands.iter().filter(|o| null(o).is_none());
        let mut common = Vec::new();
        if let Some(first) = branches.next() {
            self.read(first, &mut common);
        }
        for branch in branches {
            let mut other = Vec::new();
            self.read(branch, &mut other);
            common = common.into_iter().filter_map(|(name, fact)| either(name, fact, &other)).collect();
        }
        // A branch `c IS NULL` does not change facts about c, because they are about values other than NULL.
        common.retain(|(name, fact)| nulls.iter().all(|n| n == name) && (nulls.is_empty() || *fact != Fact::NotNull));
        facts.append(&mut common);
    }

    fn read_not(&self, operand: &Expression, facts: &mut Vec<(String, Fact)>) {
        match operand {
            Expression::Column(name) if (self.class)(name) == Some(Class::Boolean) => {
                facts.push((name.clone(), Fact::OneOf(vec![Value::Bool(false)])));
            }
            Expression::IsNull(column) => self.read(&Expression::IsNotNull(column.clone()), facts),
            Expression::Operator(left, operator, right) => {
                let opposite = match operator.as_str() {
                    "<" => ">=",
                    "<=" => ">",
                    ">" => "<=",
                    ">=" => "<",
                    "<>" => "=",
                    "=" => "<>",
                    _ => return,
                };
                self.read(&Expression::Operator(left.clone(), opposite.to_owned(), right.clone()), facts);
            }
            _ => {}
        }
    }

    /// `subject operator constant`; `None` if it is not understood.
    fn compare(
        &self,
        subject: &Expression,
        operator: &str,
        constant: &Expression,
        facts: &mut Vec<(String, Fact)>,
    ) -> Option<()> {
        if let Some((name, class)) = self.column(subject) {
            facts.push((name.to_owned(), of_column(class, operator, constant)?));
            return Some(());
        }
        let Expression::Call(function, arguments) = subject else { return None };
        let (argument, others) = arguments.split_first()?;
        match (function.as_str(), others) {
            ("length" | "char_length" | "character_length" | "octet_length", []) => {
                let (name, is_whole) = self.text(argument)?;
                let (least, most) = range(operator, count(constant)?)?;
                // a character has at least one byte, and trimming only removes characters
                let least = least.filter(|n| function != "octet_length" && *n > 0).map(Fact::MinLength);
                let most = most.filter(|_| is_whole).map(Fact::MaxLength);
                facts.extend(least.into_iter().chain(most).map(|fact| (name.to_owned(), fact)));
            }
            ("btrim" | "ltrim" | "rtrim", _) => {
                let (name, _) = self.text(argument)?;
                if operator != "<>" || !text(constant, false)?.is_empty() {
                    return None;
                }
                facts.push((name.to_owned(), Fact::MinLength(1)));
            }
            ("jsonb_typeof" | "json_typeof", []) if operator == "=" => {
                let (name, _) = self.column(argument).filter(|(_, class)| *class == Class::Json)?;
                facts.push((name.to_owned(), Fact::Types(vec![text(constant, false)?.to_owned()])));
            }
            ("jsonb_array_length" | "json_array_length", []) => {
                let (name, _) = self.column(argument).filter(|(_, class)| *class == Class::Json)?;
                let (least, most) = range(operator, count(constant)?)?;
                let least = least.filter(|n| *n > 0).map(Fact::MinItems);
                facts.extend(least.into_iter().chain(most.map(Fact::MaxItems)).map(|fact| (name.to_owned(), fact)));
            }
            // The number of elements on all levels. The outermost level has no more than that, and at least one if there are any.
            ("cardinality", []) => {
                let (name, _) = self.column(argument).filter(|(_, class)| *class == Class::Array)?;
                let (least, most) = range(operator, count(constant)?)?;
                let least = least.filter(|n| *n > 0).map(|_| Fact::MinItems(1));
                facts.extend(least.into_iter().chain(most.map(Fact::MaxItems)).map(|fact| (name.to_owned(), fact)));
            }
            // NULL for an empty array, which therefore passes.
            ("array_length", [Expression::Literal(dimension)]) if dimension == "1" => {
                let (name, _) = self.column(argument).filter(|(_, class)| *class == Class::Array)?;
                let (_, most) = range(operator, count(constant)?)?;
                facts.push((name.to_owned(), Fact::MaxItems(most?)));
            }
            ("array_ndims", []) if operator == "=" && count(constant)? == 1 => {
                let (name, _) = self.column(argument).filter(|(_, class)| *class == Class::Array)?;
                facts.push((name.to_owned(), Fact::OneDimension));
            }
            _ => return None,
        }
        Some(())
    }

    /// `left = ANY (array)`. A NULL in the array lets everything pass; it is not understood as an element.
    fn any(&self, left: &Expression, array: &Expression, facts: &mut Vec<(String, Fact)>) -> Option<()> {
        let mut column: Option<String> = None;
        let mut values = Vec::new();
        let mut types = Vec::new();
        for element in elements(array)? {
            let mut found = Vec::new();
            self.compare(left, "=", &element, &mut found)?;
            let (name, fact) = found.pop()?;
            match fact {
                Fact::OneOf(mut some) => values.append(&mut some),
                Fact::Types(mut some) => types.append(&mut some),
                _ => return None,
            }
            column = Some(name);
        }
        facts.push((column?, if types.is_empty() { Fact::OneOf(values) } else { Fact::Types(types) }));
        Some(())
    }

    /// The column that an expression refers to, with its class, through casts that do not change the value.
    fn column<'e>(&self, expression: &'e Expression) -> Option<(&'e str, Class)> {
        let mut casts = Vec::new();
        let mut expression = expression;
        while let Expression::Cast(operand, data_type) = expression {
            casts.push(data_type.as_str());
            expression = operand;
        }
        let Expression::Column(name) = expression else { return None };
        let class = (self.class)(name)?;
        let keeps_value = |data_type: &&str| match class {
            Class::Integer => matches!(*data_type, "smallint" | "integer" | "bigint" | "numeric"),
            Class::Numeric => *data_type == "numeric",
            Class::Real => matches!(*data_type, "real" | "double precision"),
            Class::DoublePrecision => *data_type == "double precision",
            Class::Text { .. } => matches!(*data_type, "text" | "character varying"),
            Class::Enum => *data_type == "text",
            Class::Json => matches!(*data_type, "json" | "jsonb"),
            Class::Boolean | Class::Array | Class::Other => false,
        };
        casts.iter().all(keeps_value).then_some((name, class))
    }

    /// The text column that an expression refers to, and whether all of the text is meant: it is not trimmed.
    fn text<'e>(&self, expression: &'e Expression) -> Option<(&'e str, bool)> {
        if let Expression::Call(function, arguments) = expression
            && matches!(function.as_str(), "btrim" | "ltrim" | "rtrim")
        {
            return Some((self.text(arguments.first()?)?.0, false));
        }
        let (name, class) = self.column(expression)?;
        matches!(class, Class::Text { .. }).then_some((name, true))
    }
}

/// The operator that means the same with swapped operands.
fn turned(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        "=" => "=",
        "<>" => "<>",
        _ => return None,
    })
}

/// What holds if this fact or one of `others` about the same column holds.
fn either(name: String, fact: Fact, others: &[(String, Fact)]) -> Option<(String, Fact)> {
    let mut others = others.iter().filter(|(other, _)| *other == name).map(|(_, other)| other);
    let fact = match fact {
        Fact::OneOf(mut values) => {
            let more = others.find_map(|other| if let Fact::OneOf(more) = other { Some(more) } else { None })?;
            values.extend(more.iter().cloned());
            Fact::OneOf(values)
        }
        Fact::Types(mut types) => {
            let more = others.find_map(|other| if let Fact::Types(more) = other { Some(more) } else { None })?;
            types.extend(more.iter().cloned());
            Fact::Types(types)
        }
        fact => {
            others.find(|other| **other == fact)?;
            fact
        }
    };
    Some((name, fact))
}

/// The fact that `column operator constant` states.
fn of_column(class: Class, operator: &str, constant: &Expression) -> Option<Fact> {
    match class {
        Class::Integer | Class::Numeric | Class::Real | Class::DoublePrecision => {
            let bound = |exclusive| number(constant, class).map(|value| Bound { value, exclusive });
            Some(match operator {
                "<" => Fact::Upper(bound(true)?),
                "<=" => Fact::Upper(bound(false)?),
                ">" => Fact::Lower(bound(true)?),
                ">=" => Fact::Lower(bound(false)?),
                "=" => Fact::OneOf(vec![Value::Number(number(constant, class)?)]),
                _ => return None,
            })
        }
        Class::Text { deterministic, ascii_digits } => {
            let constant = text(constant, false)?;
            match operator {
                // Nondeterministic collations call different texts equal.
                "=" if deterministic => Some(Fact::OneOf(vec![Value::from(constant)])),
                "<>" if constant.is_empty() => Some(Fact::MinLength(1)),
                "~" => pattern::translate(constant, ascii_digits).map(Fact::Pattern),
                "~~" if deterministic => pattern::of_like(constant).map(Fact::Pattern),
                _ => None,
            }
        }
        Class::Enum if operator == "=" => Some(Fact::OneOf(vec![Value::from(text(constant, true)?)])),
        Class::Boolean if operator == "=" => match constant {
            Expression::True => Some(Fact::OneOf(vec![Value::Bool(true)])),
            Expression::False => Some(Fact::OneOf(vec![Value::Bool(false)])),
            _ => None,
        },
        _ => None,
    }
}

/// The least and the greatest count that satisfy `operator` with this constant.
fn range(operator: &str, n: i64) -> Option<(Option<u64>, Option<u64>)> {
    let count = |n: i64| u64::try_from(n).ok();
    Some(match operator {
        "<" => (None, count(n.checked_sub(1)?)),
        "<=" => (None, count(n)),
        ">" => (count(n.checked_add(1)?), None),
        ">=" => (count(n), None),
        "=" => (count(n), count(n)),
        "<>" if n == 0 => (Some(1), None),
        _ => return None,
    })
}

fn count(constant: &Expression) -> Option<i64> {
    number(constant, Class::Integer)?.as_i64()
}

/// A text constant. `of_enum`: it may be cast to a type with any name.
pub(super) fn text(constant: &Expression, of_enum: bool) -> Option<&str> {
    match constant {
        Expression::Literal(text) => Some(text),
        Expression::Cast(operand, data_type)
            if matches!(data_type.as_str(), "text" | "character varying")
                || of_enum
                    && !matches!(data_type.as_str(), "character" | "bpchar" | "name")
                    && !data_type.contains('(') =>
        {
            text(operand, of_enum)
        }
        _ => None,
    }
}

/// Digits that every double keeps, so that a number survives the conversion to a double and back.
const EXACT_DIGITS: usize = 15;

/// A number that is compared with a column of this class, if it can be expressed exactly.
pub(super) fn number(constant: &Expression, class: Class) -> Option<Number> {
    match constant {
        Expression::Literal(text) => {
            let number = exact_number(text)?;
            // A value of these types is written with the fewest digits that distinguish it from its neighbours. The constant may
            // not be one of these values.
            let largest: i64 = match class {
                Class::Real => 1 << 24,
                Class::DoublePrecision => 1 << 53,
                _ => return Some(number),
            };
            match number.as_i64() {
                Some(integer) => (integer.abs() <= largest).then_some(number),
                None => (class == Class::DoublePrecision).then_some(number),
            }
        }
        Expression::Cast(operand, data_type) => {
            let class = match data_type.as_str() {
                "smallint" | "integer" | "bigint" => {
                    return number(operand, class).filter(|n| n.as_i64().is_some());
                }
                "numeric" => class,
                "double precision" if class == Class::Real => class,
                "double precision" => Class::DoublePrecision,
                "real" => Class::Real,
                _ => return None,
            };
            number(operand, class)
        }
        _ => None,
    }
}

/// A decimal number, if JSON can hold it without loss.
pub(super) fn exact_number(text: &str) -> Option<Number> {
    if let Ok(integer) = text.parse::<i64>() {
        return Some(Number::from(integer));
    }
    if !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E')) {
        return None;
    }
    let mantissa = text.split(['e', 'E']).next()?;
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let double: f64 = text.parse().ok()?;
    if digits.trim_matches('0').len() > EXACT_DIGITS || !(double == 0.0 || double.is_normal()) {
        return None;
    }
    if double == 0.0 {
        return digits.trim_matches('0').is_empty().then(|| Number::from(0));
    }
    if double.fract() == 0.0 && double.abs() < (1i64 << 53) as f64 {
        return Some(Number::from(double as i64));
    }
    Number::from_f64(double)
}

/// The elements of a constant array of one dimension.
fn elements(array: &Expression) -> Option<Vec<Expression>> {
    match array {
        Expression::Array(elements) => Some(elements.clone()),
        Expression::Cast(operand, data_type) => {
            let data_type = data_type.strip_suffix("[]").filter(|t| !t.ends_with(']'))?;
            let elements = match &**operand {
                Expression::Literal(text) => literal_elements(text)?,
                operand => elements(operand)?,
            };
            Some(elements.into_iter().map(|e| Expression::Cast(Box::new(e), data_type.to_owned())).collect())
        }
        _ => None,
    }
}

/// The elements of `{a,b}` if none is quoted (PostgreSQL docs, 8.15.2).
fn literal_elements(text: &str) -> Option<Vec<Expression>> {
    let inside = text.strip_prefix('{')?.strip_suffix('}')?;
    let is_plain = |e: &str| {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.');
        !e.is_empty() && e.chars().all(plain) && !e.eq_ignore_ascii_case("null")
    };
    inside.split(',').map(|e| is_plain(e).then(|| Expression::Literal(e.to_owned()))).collect()
}
