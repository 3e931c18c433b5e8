//! Strings and numbers at and next to the limits of a schema.

use super::Generator;
use super::text::{matching, of_format};
use super::way::{Way, constants, most};
use crate::limits::EXAMPLE_BOUNDS;
use serde_json::{Number, Value, json};

impl Generator {
    pub(super) fn scalars(&mut self, way: &Way<'_>, kind: &str) -> Vec<Value> {
        match kind {
            "null" => vec![Value::Null],
            "boolean" => vec![json!(true), json!(false)],
            "string" => self.strings(way),
            _ => {
                let numbers = numbers(way, kind == "integer");
                self.spend(numbers.len() * (1 + way.must.len()));
                numbers
            }
        }
    }

    pub(super) fn strings(&mut self, way: &Way<'_>) -> Vec<Value> {
        let lengths = way.counts(["minLength", "maxLength"]);
        let mut texts: Vec<String> = Vec::new();
        for part in way.all() {
            if let Some(format) = part.get("format").and_then(Value::as_str) {
                texts.extend(of_format(format).iter().map(ToString::to_string));
            }
            if let Some(pattern) = part.get("pattern").and_then(Value::as_str) {
                texts.extend(matching(pattern, &lengths));
            }
            texts.extend(constants(part).filter_map(|value| value.as_str().map(ToOwned::to_owned)));
        }
        texts.extend(["a", "", "A", "0", "-", "é", "a b"].map(ToOwned::to_owned));
        texts.extend(lengths.iter().map(|length| "a".repeat(*length)));
        let (least, most) = (way.least("minLength"), most(way, "maxLength"));
        let patterns: Vec<&str> = way.must.iter().filter_map(|part| part.get("pattern")?.as_str()).collect();
        let mut ranked: Vec<(bool, String)> = Vec::new();
        for text in texts {
            let length = text.chars().count();
            let fits = length >= least && length <= most && patterns.iter().all(|pattern| self.matches(pattern, &text));
            if self.spend(1 + text.len() / 16) && !ranked.iter().any(|(_, other)| *other == text) {
                ranked.push((!fits, text));
            }
        }
        ranked.sort_by_key(|(misfit, _)| *misfit);
        ranked.into_iter().map(|(_, text)| Value::String(text)).collect()
    }
}

fn numbers(way: &Way<'_>, integer: bool) -> Vec<Value> {
    let mut points = vec![0.0, 1.0, -1.0];
    if !integer {
        points.extend([0.5, -0.5]);
    }
    let few = |mut numbers: Vec<f64>| {
        let mut seen = std::collections::HashSet::new();
        numbers.retain(|number| seen.insert(number.to_bits()));
        numbers.truncate(EXAMPLE_BOUNDS);
        numbers
    };
    let steps = few(way.numbers("multipleOf"));
    let mut limits = Vec::new();
    for keyword in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
        limits.extend(way.numbers(keyword));
    }
    limits.extend(way.all().flat_map(constants).filter_map(Value::as_f64));
    let limits = few(limits);
    for limit in &limits {
        points.extend([*limit, limit + 1.0, limit - 1.0]);
        if !integer {
            points.extend([limit + 0.5, limit - 0.5]);
        }
        for step in &steps {
            points.extend([(limit / step).ceil() * step, (limit / step).floor() * step]);
            points.extend([((limit / step).floor() + 1.0) * step, ((limit / step).ceil() - 1.0) * step]);
        }
    }
    for (number, limit) in limits.iter().enumerate() {
        points.extend(limits.iter().skip(number + 1).take(4).map(|other| f64::midpoint(*limit, *other)));
    }
    for step in &steps {
        points.extend([*step, step * 2.0, step * 3.0, step * 5.0]);
        points.extend(steps.iter().map(|other| step * other));
    }
    if integer {
        points.iter_mut().for_each(|point| *point = point.round());
    }
    let fits = |point: f64| {
        way.must.iter().all(|part| {
            let limit = |keyword: &str| part.get(keyword).and_then(Value::as_f64);
            let strict = |keyword: &str| part.get(keyword) == Some(&Value::Bool(true));
            limit("minimum").is_none_or(|least| point > least || (point == least && !strict("exclusiveMinimum")))
                && limit("maximum").is_none_or(|most| point < most || (point == most && !strict("exclusiveMaximum")))
                && limit("exclusiveMinimum").is_none_or(|least| point > least)
                && limit("exclusiveMaximum").is_none_or(|most| point < most)
                && limit("multipleOf").is_none_or(|step| (point / step).fract() == 0.0)
        })
    };
    points.sort_by(f64::total_cmp);
    points.dedup();
    let mut ranked: Vec<_> = points.into_iter().map(|point| (!fits(point), point.abs(), point < 0.0)).collect();
    ranked.sort_by(|left, right| left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal));
    let values = ranked.into_iter().map(|(_, size, below)| if below { -size } else { size });
    let mut values: Vec<Value> = values.filter_map(number).collect();
    if integer {
        // Only draft 4 does not read 1.0 as an integer.
        values.extend(Number::from_f64(1.0).map(Value::Number));
    }
    values
}

fn number(point: f64) -> Option<Value> {
    if point.fract() == 0.0 && point.abs() < 9e15 {
        return Some(json!(point as i64));
    }
    Number::from_f64(point).map(Value::Number)
}
