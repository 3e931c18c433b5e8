//! Turns a [`Query`] back into parameters.

use super::ast::*;
use std::fmt::Write;

impl Query {
    /// The parameters that [`super::parse`] turns into this query.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let mut writer = Writer { values: &self.values, out: Vec::new() };
        writer.query(self);
        writer.out
    }
}

struct Writer<'q> {
    values: &'q [Literal],
    out: Vec<(String, String)>,
}

impl Writer<'_> {
    fn query(&mut self, q: &Query) {
        if let Some(items) = &q.root.select {
            let text = self.select(items);
            self.out.push(("select".to_owned(), text));
        }
        for (name, columns) in [("columns", &q.columns), ("on_conflict", &q.on_conflict)] {
            if let Some(columns) = columns {
                let names: Vec<String> = columns.iter().map(|c| quote(c)).collect();
                self.out.push((name.to_owned(), names.join(",")));
            }
        }
        if let Some(cursor) = q.cursor {
            let text = self.value(cursor, Place::Alone);
            self.out.push(("cursor".to_owned(), text));
        }
        for (name, value) in &q.arguments {
            let text = self.value(*value, Place::Alone);
            self.out.push((parameter_name(&Field { name: name.clone(), path: Vec::new() }), text));
        }
        self.node("", &q.root);
    }

    fn node(&mut self, prefix: &str, node: &QueryNode) {
        for condition in &node.conditions {
            let pair = match condition {
                Condition::Filter(filter) => {
                    let value = self.operation(filter, Place::Alone);
                    (format!("{prefix}{}", parameter_name(&filter.field)), value)
                }
                Condition::Tree { negated, connective, children } => {
                    let not = if *negated { "not." } else { "" };
                    let value = self.children(children);
                    (format!("{prefix}{not}{}", connective_token(*connective)), value)
                }
            };
            self.out.push(pair);
        }
        if !node.order.is_empty() {
            let terms: Vec<String> = node.order.iter().map(order_term).collect();
            self.out.push((format!("{prefix}order"), terms.join(",")));
        }
        for (name, value) in [("limit", node.limit), ("offset", node.offset)] {
            if let Some(value) = value {
                let text = self.value(value, Place::Alone);
                self.out.push((format!("{prefix}{name}"), text));
            }
        }
        for item in node.select.iter().flatten() {
            if let SelectItem::Embed(embed) = item {
                self.node(&format!("{prefix}{}.", quote(embed.label())), &embed.node);
            }
        }
    }

    fn select(&self, items: &[SelectItem]) -> String {
        let items: Vec<String> = items.iter().map(|item| self.select_item(item)).collect();
        items.join(",")
    }

    fn select_item(&self, item: &SelectItem) -> String {
        let mut text = String::new();
        let alias = match item {
            SelectItem::Star => return "*".to_owned(),
            SelectItem::Field(f) => &f.alias,
            SelectItem::Embed(e) => &e.alias,
        };
        if let Some(alias) = alias {
            text.push_str(&quote(alias));
            text.push(':');
        }
        match item {
            SelectItem::Star => {}
            SelectItem::Field(f) => {
                match &f.field {
                    Some(f) => text.push_str(&field(f)),
                    None => text.push_str("count()"),
                }
                if let Some(cast) = &f.cast {
                    let _ = write!(text, "::{cast}");
                }
                if let (Some(aggregate), Some(_)) = (f.aggregate, &f.field) {
                    text.push_str(match aggregate {
                        Aggregate::Avg => ".avg()",
                        Aggregate::Count => ".count()",
                        Aggregate::Max => ".max()",
                        Aggregate::Min => ".min()",
                        Aggregate::Sum => ".sum()",
                    });
                }
                if let Some(cast) = &f.aggregate_cast {
                    let _ = write!(text, "::{cast}");
                }
            }
            SelectItem::Embed(e) => {
                if e.spread {
                    text.push_str("...");
                }
                text.push_str(&quote(&e.name));
                for hint in &e.hints {
                    let _ = write!(text, "!{}", quote_hint(hint));
                }
                match e.join {
                    Some(Join::Inner) => text.push_str("!inner"),
                    Some(Join::Left) => text.push_str("!left"),
                    None => {}
                }
                let _ = write!(text, "({})", self.select(e.node.select.as_deref().unwrap_or_default()));
            }
        }
        text
    }

    fn children(&self, children: &[Condition]) -> String {
        let children: Vec<String> = children
            .iter()
            .map(|child| match child {
                Condition::Filter(f) => format!("{}.{}", field(&f.field), self.operation(f, Place::Tree)),
                Condition::Tree { negated, connective, children } => {
                    let not = if *negated { "not." } else { "" };
                    format!("{not}{}{}", connective_token(*connective), self.children(children))
                }
            })
            .collect();
        format!("({})", children.join(","))
    }

    fn operation(&self, filter: &Filter, place: Place) -> String {
        let not = if filter.negated { "not." } else { "" };
        match &filter.operation {
            Operation::Binary { operator, quantifier, value } => {
                let quantifier = quantifier.map_or(String::new(), |q| format!("({})", q.token()));
                format!("{not}{}{quantifier}.{}", operator.token(), self.value(*value, place))
            }
            Operation::In(value) => format!("{not}in.{}", self.value(*value, Place::Tree)),
            Operation::Is(value) => format!("{not}is.{}", value.token()),
            Operation::IsDistinct(value) => format!("{not}isdistinct.{}", self.value(*value, place)),
            Operation::FullText { function, configuration, value } => {
                let configuration = configuration.as_ref().map_or(String::new(), |c| format!("({c})"));
                format!("{not}{}{configuration}.{}", function.token(), self.value(*value, place))
            }
        }
    }

    fn value(&self, id: ValueId, place: Place) -> String {
        match (self.values.get(id), place) {
            (Some(Literal::Text(text)), Place::Alone) => text.clone(),
            (Some(Literal::Text(text)), Place::Tree) => quote_always(text),
            (Some(Literal::List(items)), _) => {
                let items: Vec<String> = items.iter().map(|item| quote_always(item)).collect();
                format!("({})", items.join(","))
            }
            (Some(Literal::Number(n)), _) => n.to_string(),
            (None, _) => String::new(),
        }
    }
}

/// Whether a value is a parameter's whole value, or ends at a comma or parenthesis.
#[derive(Clone, Copy)]
enum Place {
    Alone,
    Tree,
}

fn connective_token(connective: Connective) -> &'static str {
    match connective {
        Connective::And => "and",
        Connective::Or => "or",
    }
}

fn order_term(term: &OrderTerm) -> String {
    let mut text = match &term.relation {
        Some(relation) => format!("{}({})", quote(relation), field(&term.field)),
        None => field(&term.field),
    };
    if let Some(descending) = term.descending {
        text.push_str(if descending { ".desc" } else { ".asc" });
    }
    if let Some(first) = term.nulls_first {
        text.push_str(if first { ".nullsfirst" } else { ".nullslast" });
    }
    text
}

fn field(field: &Field) -> String {
    let mut text = quote(&field.name);
    for step in &field.path {
        text.push_str(if step.as_text { "->>" } else { "->" });
        match &step.key {
            JsonKey::Index(i) => {
                let _ = write!(text, "{i}");
            }
            JsonKey::Member(key) => text.push_str(&quote_always(key)),
        }
    }
    text
}

/// The parameter name for a field, quoted if it would be read as a reserved parameter.
fn parameter_name(f: &Field) -> String {
    const RESERVED: &[&str] = &["select", "columns", "on_conflict", "order", "limit", "offset", "and", "or"];
    if f.path.is_empty() && RESERVED.contains(&f.name.as_str()) { quote_always(&f.name) } else { field(f) }
}

/// A hint, quoted if it would be read as a reserved word.
pub fn quote_hint(hint: &str) -> String {
    if matches!(hint, "inner" | "left") { quote_always(hint) } else { quote(hint) }
}

/// A name, quoted if the grammar needs it.
pub fn quote(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if plain && !name.is_empty() { name.to_owned() } else { quote_always(name) }
}

/// A text in double quotes, whatever it is: as a name, it is never a reserved word.
pub fn quote_always(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if c == '"' || c == '\\' {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}
