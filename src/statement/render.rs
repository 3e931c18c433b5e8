//! Plans to SQL.

use super::{Form, Ident, Parameter, Statement, array_literal};
use crate::plan::read::aggregate_name;
use crate::plan::*;
use crate::query::{Connective, FullText, IsValue, JsonKey, Operator, Quantifier};
use std::fmt::{Display, Write as _};

/// The name of the CTE that holds the rows of a write.
const WRITTEN: &str = "written";

/// The statement that does what the request asks.
pub fn main(plan: &Plan) -> Statement {
    let mut w = Writer::default();
    match plan {
        Plan::Read(select) => w.select(select),
        Plan::Write(write) => w.write(write),
        Plan::Call(call) => w.call(call),
    }
    w.statement
}

/// The statement that counts the rows of a read or call, without its page; at most `most` of them.
pub fn count(select: &Select, most: Option<u64>) -> Statement {
    let mut w = Writer::default();
    if select.grouped {
        w.text("SELECT pg_catalog.count(*) FROM (");
        let whole = Select { limit: RowLimit::default(), offset: None, order: Vec::new(), ..select.clone() };
        w.select(&whole);
    } else {
        w.text("SELECT pg_catalog.count(*) FROM (SELECT FROM ");
        w.source(select);
        // Only joins that leave rows out matter to the count.
        let decides = |i: &usize| {
            select.embeds.get(*i).is_some_and(|e| e.inner) || select.conditions.iter().any(|c| tests_embed(c, *i))
        };
        let joins: Vec<usize> = (0..select.embeds.len()).filter(decides).collect();
        w.joins(select, &joins);
        w.conditions(" WHERE ", &select.conditions, &select.embeds);
    }
    if let Some(most) = most {
        w.put(format_args!(" LIMIT {most}"));
    }
    w.text(") AS counted");
    w.statement
}

fn tests_embed(predicate: &Predicate, index: usize) -> bool {
    match predicate {
        Predicate::Tree { children, .. } => children.iter().any(|c| tests_embed(c, index)),
        Predicate::Test { .. } => false,
        Predicate::Embedded { embed, .. } => *embed == index,
    }
}

#[derive(Default)]
struct Writer {
    statement: Statement,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.statement.sql.push_str(text);
    }

    fn put(&mut self, text: impl Display) {
        // writing to a String cannot fail
        let _ = write!(self.statement.sql, "{text}");
    }

    fn parameter(&mut self, parameter: Parameter) {
        self.statement.parameters.push(parameter);
        self.put(format_args!("${}", self.statement.parameters.len()));
    }

    /// Writes each item, with a separator between.
    fn list<T>(&mut self, items: impl IntoIterator<Item = T>, separator: &str, mut each: impl FnMut(&mut Self, T)) {
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                self.text(separator);
            }
            each(self, item);
        }
    }

    fn select(&mut self, select: &Select) {
        self.text("SELECT ");
        self.outputs(select);
        self.text(" FROM ");
        self.source(select);
        self.rest(select);
    }

    /// All that follows FROM and its source.
    fn rest(&mut self, select: &Select) {
        let all: Vec<usize> = (0..select.embeds.len()).collect();
        self.joins(select, &all);
        self.conditions(" WHERE ", &select.conditions, &select.embeds);
        if select.grouped {
            self.group_by(select);
        }
        self.order_by(select);
        self.page(select);
    }

    fn source(&mut self, select: &Select) {
        match &select.source {
            Source::Relation(name) => self.put(format_args!("{name} AS {}", select.alias)),
            Source::Written => self.put(format_args!("{WRITTEN} AS {}", select.alias)),
            Source::Function(invocation) => {
                self.arguments_source(&invocation.arguments);
                if matches!(&invocation.arguments, Arguments::Body(a) if !a.is_empty()) {
                    self.text(" CROSS JOIN LATERAL ");
                }
                self.invocation(invocation);
                self.put(format_args!(" AS {}", select.alias));
            }
        }
    }

    fn outputs(&mut self, select: &Select) {
        self.list(&select.outputs, ", ", |w, output| match output {
            Output::All => w.put(format_args!("{}.*", select.alias)),
            Output::Expression { expression, name } => {
                w.expression(expression);
                w.put(format_args!(" AS {}", Ident(name)));
            }
            Output::Embedded { embed, name } => {
                let Some(e) = select.embeds.get(*embed) else { return };
                if e.to_many && !e.inner {
                    w.put(format_args!("coalesce({}.j, '[]'::pg_catalog.json)", e.alias));
                } else {
                    w.put(format_args!("{}.j", e.alias));
                }
                // json has no equality to group by
                w.text(if select.grouped { "::pg_catalog.jsonb" } else { "" });
                w.put(format_args!(" AS {}", Ident(name)));
            }
            Output::Spread { embed } => {
                let Some(e) = select.embeds.get(*embed) else { return };
                w.put(format_args!("{}.*", e.alias));
            }
        });
    }

    fn joins(&mut self, select: &Select, embeds: &[usize]) {
        for e in embeds.iter().filter_map(|i| select.embeds.get(*i)) {
            self.text(if e.inner { " INNER JOIN LATERAL (" } else { " LEFT JOIN LATERAL (" });
            self.embedded(e);
            self.put(format_args!(") AS {} ON ", e.alias));
            if e.inner && e.to_many {
                self.put(format_args!("{}.j IS NOT NULL", e.alias));
            } else {
                self.text("true");
            }
        }
    }

    /// The subquery of an embedded relation: one column `j` with its JSON, null when there is no row.
    fn embedded(&mut self, e: &Embedded) {
        if e.spread {
            self.text("SELECT ");
            self.outputs(&e.select);
            self.related_rows(e);
        } else if e.to_many {
            self.text("SELECT pg_catalog.json_agg(pg_catalog.row_to_json(r.*)) AS j FROM (SELECT ");
            self.outputs(&e.select);
            self.related_rows(e);
            self.text(") AS r");
        } else {
            self.text("SELECT (SELECT pg_catalog.row_to_json(r.*) FROM (SELECT ");
            self.outputs(&e.select);
            self.text(") AS r) AS j");
            for (i, extra) in e.extras.iter().enumerate() {
                self.text(", ");
                self.expression(extra);
                self.put(format_args!(" AS o{i}"));
            }
            self.related_rows(e);
        }
    }

    fn related_rows(&mut self, e: &Embedded) {
        self.text(" FROM ");
        self.source(&e.select);
        if let Some((table, alias)) = &e.junction {
            self.put(format_args!(" CROSS JOIN {table} AS {alias}"));
        }
        let all: Vec<usize> = (0..e.select.embeds.len()).collect();
        self.joins(&e.select, &all);
        self.text(" WHERE ");
        self.list(&e.on, " AND ", |w, (a, b)| {
            w.column(a);
            w.text(" = ");
            w.column(b);
        });
        self.conditions(" AND ", &e.select.conditions, &e.select.embeds);
        if e.select.grouped {
            self.group_by(&e.select);
        }
        self.order_by(&e.select);
        self.page(&e.select);
    }

    fn group_by(&mut self, select: &Select) {
        let (mut keys, mut position) = (Vec::new(), 0);
        for output in &select.outputs {
            let columns = position + 1..=position + select.width(output);
            position = *columns.end();
            if !matches!(output, Output::Expression { expression, .. } if expression.aggregate.is_some()) {
                keys.extend(columns);
            }
        }
        if !keys.is_empty() {
            self.text(" GROUP BY ");
            self.list(keys, ", ", |w, key| w.put(key));
        }
    }

    fn order_by(&mut self, select: &Select) {
        if select.order.is_empty() {
            return;
        }
        self.text(" ORDER BY ");
        self.list(&select.order, ", ", |w, term| {
            match &term.by {
                OrderBy::Expression(expression) => w.expression(expression),
                OrderBy::Embedded { embed, extra } => {
                    if let Some(e) = select.embeds.get(*embed) {
                        w.put(format_args!("{}.o{extra}", e.alias));
                    }
                }
            }
            w.text(match term.descending {
                Some(true) => " DESC",
                Some(false) => " ASC",
                None => "",
            });
            w.text(match term.nulls_first {
                Some(true) => " NULLS FIRST",
                Some(false) => " NULLS LAST",
                None => "",
            });
        });
    }

    fn page(&mut self, select: &Select) {
        match select.limit {
            RowLimit { value: Some(value), cap } => {
                self.text(" LIMIT ");
                self.parameter(Parameter::Limit(value, cap));
            }
            RowLimit { value: None, cap: Some(cap) } => self.put(format_args!(" LIMIT {cap}")),
            RowLimit { value: None, cap: None } => {}
        }
        if let Some(offset) = select.offset {
            self.text(" OFFSET ");
            self.parameter(Parameter::Literal(offset, Form::Text));
        }
    }

    fn conditions(&mut self, first: &str, conditions: &[Predicate], embeds: &[Embedded]) {
        for (i, condition) in conditions.iter().enumerate() {
            self.text(if i == 0 { first } else { " AND " });
            self.predicate(condition, embeds);
        }
    }

    fn predicate(&mut self, predicate: &Predicate, embeds: &[Embedded]) {
        match predicate {
            Predicate::Tree { negated, connective, children } => {
                self.text(if *negated { "NOT (" } else { "(" });
                let between = match connective {
                    Connective::And => " AND ",
                    Connective::Or => " OR ",
                };
                self.list(children, between, |w, child| w.predicate(child, embeds));
                self.text(")");
            }
            Predicate::Embedded { embed, is_null } => {
                if let Some(e) = embeds.get(*embed) {
                    self.put(format_args!("{}.j IS {}NULL", e.alias, if *is_null { "" } else { "NOT " }));
                }
            }
            Predicate::Test { expression, negated, test } => {
                if *negated {
                    self.text("NOT ");
                }
                self.test(expression, test);
            }
        }
    }

    fn test(&mut self, expression: &Expression, test: &Test) {
        match test {
            Test::Binary { operator, quantifier, value } => {
                self.expression(expression);
                self.put(format_args!(" {} ", operator_sql(*operator)));
                let form = match operator {
                    Operator::Like | Operator::ILike => Form::Pattern,
                    _ => Form::Text,
                };
                if let Some(quantifier) = quantifier {
                    self.text(match quantifier {
                        Quantifier::Any => "ANY (",
                        Quantifier::All => "ALL (",
                    });
                }
                self.parameter(Parameter::Literal(*value, form));
                if quantifier.is_some() {
                    self.text(")");
                }
            }
            Test::In(value) => {
                self.expression(expression);
                self.text(" = ANY (");
                self.parameter(Parameter::Literal(*value, Form::Array));
                self.text(")");
            }
            Test::Is(value) => {
                self.expression(expression);
                self.text(match value {
                    IsValue::Null => " IS NULL",
                    IsValue::NotNull => " IS NOT NULL",
                    IsValue::True => " IS TRUE",
                    IsValue::False => " IS FALSE",
                    IsValue::Unknown => " IS UNKNOWN",
                });
            }
            Test::IsDistinct(value) => {
                self.expression(expression);
                self.text(" IS DISTINCT FROM ");
                self.parameter(Parameter::Literal(*value, Form::Text));
            }
            Test::FullText { function, configuration, value, convert } => {
                if *convert {
                    self.text("pg_catalog.to_tsvector(");
                    self.configuration(configuration);
                    self.expression(expression);
                    self.text(")");
                } else {
                    self.expression(expression);
                }
                self.text(" @@ ");
                self.text(match function {
                    FullText::Query => "pg_catalog.to_tsquery(",
                    FullText::Plain => "pg_catalog.plainto_tsquery(",
                    FullText::Phrase => "pg_catalog.phraseto_tsquery(",
                    FullText::Websearch => "pg_catalog.websearch_to_tsquery(",
                });
                self.configuration(configuration);
                self.parameter(Parameter::Literal(*value, Form::Text));
                self.text(")");
            }
        }
    }

    fn configuration(&mut self, configuration: &Option<String>) {
        if let Some(configuration) = configuration {
            self.parameter(Parameter::Constant(configuration.clone()));
            self.text("::pg_catalog.regconfig, ");
        }
    }

    fn expression(&mut self, e: &Expression) {
        if e.aggregate_cast.is_some() {
            self.text("CAST(");
        }
        if let Some(aggregate) = e.aggregate {
            self.put(format_args!("pg_catalog.{}(", aggregate_name(aggregate)));
        }
        if e.cast.is_some() {
            self.text("CAST(");
        }
        match &e.column {
            None => self.text("*"),
            Some(column) if e.to_jsonb => {
                self.text("pg_catalog.to_jsonb(");
                self.column(column);
                self.text(")");
            }
            Some(column) => self.column(column),
        }
        for step in &e.path {
            self.text(if step.as_text { "->>" } else { "->" });
            match &step.key {
                JsonKey::Index(i) => self.put(format_args!("({i})")),
                JsonKey::Member(key) => {
                    self.parameter(Parameter::Constant(key.clone()));
                    self.text("::pg_catalog.text");
                }
            }
        }
        if let Some(cast) = &e.cast {
            self.put(format_args!(" AS {cast})"));
        }
        if e.aggregate.is_some() {
            self.text(")");
        }
        if let Some(cast) = &e.aggregate_cast {
            self.put(format_args!(" AS {cast})"));
        }
    }

    fn column(&mut self, reference: &ColumnReference) {
        self.put(format_args!("{}.{}", reference.alias, Ident(&reference.column)));
    }

    fn write(&mut self, write: &Write) {
        if let Change::Update { columns, .. } = &write.change
            && columns.is_empty()
        {
            return self.unchanged(write);
        }
        let rows = match &write.returning {
            Returning::Rows(select) => Some(select),
            _ => None,
        };
        // What RETURNING cannot do by itself is done by a SELECT over the written rows.
        let wrapped = rows.filter(|s| {
            !s.embeds.is_empty()
                || !s.order.is_empty()
                || s.limit.is_set()
                || s.offset.is_some()
                || s.grouped
                || s.outputs.is_empty()
        });
        if wrapped.is_some() {
            self.put(format_args!("WITH {WRITTEN} AS ("));
        }
        match &write.change {
            Change::Insert { columns, uniform, key, conflict } => {
                self.insert(write, columns, *uniform, key, conflict.as_ref());
            }
            Change::Update { columns, conditions } => self.update(write, columns, conditions),
            Change::Delete { conditions } => {
                self.put(format_args!("DELETE FROM {} AS {}", write.relation, write.alias));
                self.conditions(" WHERE ", conditions, &[]);
            }
        }
        match (&write.returning, wrapped) {
            (Returning::Nothing, _) => {}
            (Returning::Key(columns), _) => {
                self.text(" RETURNING ");
                self.list(columns, ", ", |w, c| w.put(format_args!("{}.{}", write.alias, Ident(c))));
            }
            (Returning::Rows(select), None) => {
                self.text(" RETURNING ");
                self.outputs(select);
            }
            (Returning::Rows(select), Some(_)) => {
                self.text(" RETURNING ");
                self.returned_columns(select);
                self.text(") ");
                self.select(select);
            }
        }
    }

    /// An update by an empty object changes nothing, and returns nothing.
    fn unchanged(&mut self, write: &Write) {
        self.text("SELECT ");
        if let Returning::Rows(select) = &write.returning {
            self.outputs(&Select { embeds: Vec::new(), outputs: vec![Output::All], ..(**select).clone() });
        }
        self.put(format_args!(" FROM {} AS {} WHERE false", write.relation, write.alias));
    }

    /// The columns of the written rows that the SELECT over them needs, and no other: the role may not be allowed to
    /// read the others.
    fn returned_columns(&mut self, select: &Select) {
        if select.outputs.iter().any(|o| matches!(o, Output::All)) {
            self.put(format_args!("{}.*", select.alias));
            return;
        }
        let mut columns: Vec<&str> = Vec::new();
        let outputs = select.outputs.iter().filter_map(|o| match o {
            Output::Expression { expression, .. } => expression.column.as_ref(),
            _ => None,
        });
        let orders = select.order.iter().filter_map(|o| match &o.by {
            OrderBy::Expression(e) => e.column.as_ref(),
            OrderBy::Embedded { .. } => None,
        });
        let joins = select.embeds.iter().flat_map(|e| e.on.iter().flat_map(|(a, b)| [a, b]));
        for reference in outputs.chain(orders).chain(joins) {
            if reference.alias == select.alias && !columns.contains(&reference.column.as_str()) {
                columns.push(&reference.column);
            }
        }
        if columns.is_empty() {
            self.text("1 AS \"?\"");
            return;
        }
        self.list(columns, ", ", |w, c| w.put(format_args!("{}.{}", select.alias, Ident(c))));
    }

    fn insert(
        &mut self,
        write: &Write,
        columns: &[BodyColumn],
        uniform: bool,
        key: &[(KeyColumn, crate::query::ValueId)],
        conflict: Option<&Conflict>,
    ) {
        self.put(format_args!("INSERT INTO {} AS {}", write.relation, write.alias));
        let from_url: Vec<_> = key.iter().filter(|(k, _)| k.in_body.is_none()).collect();
        if !columns.is_empty() || !from_url.is_empty() {
            self.text(" (");
            let names = columns.iter().map(|c| &c.column).chain(from_url.iter().map(|(k, _)| &k.column));
            self.list(names, ", ", |w, c| w.put(Ident(c)));
            self.text(")");
        }
        self.text(" SELECT ");
        self.body_values(columns);
        for (i, (_, value)) in from_url.iter().enumerate() {
            if i > 0 || !columns.is_empty() {
                self.text(", ");
            }
            self.parameter(Parameter::Literal(*value, Form::Text));
        }
        self.text(" FROM ");
        self.record_source(columns, uniform);
        let mut first = true;
        for (k, value) in key {
            if let Some(position) = k.in_body {
                self.text(if first { " WHERE " } else { " AND " });
                first = false;
                self.put(format_args!("r.c{} = ", position + 1));
                self.parameter(Parameter::Literal(*value, Form::Text));
            }
        }
        if let Some(conflict) = conflict {
            self.text(" ON CONFLICT (");
            self.list(&conflict.columns, ", ", |w, c| w.put(Ident(c)));
            let updated: Vec<&BodyColumn> = columns.iter().collect();
            if conflict.update && !updated.is_empty() {
                self.text(") DO UPDATE SET ");
                self.list(updated, ", ", |w, c| w.put(format_args!("{0} = excluded.{0}", Ident(&c.column))));
                self.text(" WHERE restful.count_update()");
            } else {
                self.text(") DO NOTHING");
            }
        }
    }

    fn update(&mut self, write: &Write, columns: &[BodyColumn], conditions: &[Predicate]) {
        self.put(format_args!("UPDATE {} AS {} SET ", write.relation, write.alias));
        for (i, c) in columns.iter().enumerate() {
            self.text(if i == 0 { "" } else { ", " });
            self.put(format_args!("{} = ", Ident(&c.column)));
            self.body_value(i, columns);
        }
        self.text(" FROM ");
        self.record_source(columns, false);
        self.conditions(" WHERE ", conditions, &[]);
    }

    fn body_values(&mut self, columns: &[BodyColumn]) {
        self.list(0..columns.len(), ", ", |w, i| w.body_value(i, columns));
    }

    /// The value of a column: what the body says, or its default where the body does not say.
    fn body_value(&mut self, i: usize, columns: &[BodyColumn]) {
        match columns.get(i).and_then(|c| c.default.as_ref()) {
            Some(default) => {
                self.put(format_args!("CASE WHEN r.p{0} THEN r.c{0} ELSE ({default}) END", i + 1));
            }
            None => self.put(format_args!("r.c{}", i + 1)),
        }
    }

    fn record_source(&mut self, columns: &[BodyColumn], uniform: bool) {
        let keys: Vec<(&str, &str)> = columns.iter().map(|c| (c.column.as_str(), c.data_type.as_str())).collect();
        let presence: Vec<usize> =
            columns.iter().enumerate().filter(|(_, c)| c.default.is_some()).map(|(i, _)| i + 1).collect();
        self.records(&keys, uniform, &presence);
    }

    /// The body's objects as rows `r`: column `cN` for the Nth key, `pN` tells whether the object has it.
    fn records(&mut self, keys: &[(&str, &str)], uniform: bool, presence: &[usize]) {
        self.text("restful.record_source(");
        self.parameter(Parameter::Body);
        self.text(", ");
        // A row needs a column to be one: objects without keys have a column that nothing feeds.
        let names = if keys.is_empty() { array_literal([""]) } else { array_literal(keys.iter().map(|(key, _)| key)) };
        self.parameter(Parameter::Constant(names));
        self.put(format_args!(", {}, ", u8::from(uniform && !keys.is_empty())));
        self.parameter(Parameter::Constant(array_literal(presence.iter().map(usize::to_string))));
        self.text(") AS r(");
        for (i, (_, data_type)) in keys.iter().enumerate() {
            self.text(if i == 0 { "" } else { ", " });
            self.put(format_args!("c{} {data_type}", i + 1));
        }
        if keys.is_empty() {
            self.text("c1 pg_catalog.bool");
        }
        for p in presence {
            self.put(format_args!(", p{p} pg_catalog.bool"));
        }
        self.text(")");
    }

    fn call(&mut self, call: &Call) {
        match &call.result {
            CallResult::Row(select) | CallResult::Rows(select) => self.select(select),
            CallResult::Void | CallResult::Scalar | CallResult::ScalarSet => {
                self.text("SELECT ");
                self.invocation(&call.invocation);
                self.text(" AS value");
                if !matches!(&call.invocation.arguments, Arguments::Body(a) if a.is_empty())
                    && matches!(call.invocation.arguments, Arguments::Body(_))
                {
                    self.text(" FROM ");
                    self.arguments_source(&call.invocation.arguments);
                }
            }
        }
    }

    fn arguments_source(&mut self, arguments: &Arguments) {
        if let Arguments::Body(members) = arguments
            && !members.is_empty()
        {
            let keys: Vec<(&str, &str)> = members.iter().map(|(n, t, _)| (n.as_str(), t.as_str())).collect();
            self.records(&keys, false, &[]);
        }
    }

    fn invocation(&mut self, invocation: &Invocation) {
        self.put(format_args!("{}(", invocation.function));
        match &invocation.arguments {
            Arguments::Query(arguments) => self.list(arguments, ", ", |w, (name, data_type, value, variadic)| {
                w.argument(name, *variadic);
                w.text("CAST(");
                w.parameter(Parameter::Literal(*value, Form::Text));
                w.put(format_args!(" AS {data_type})"));
            }),
            Arguments::Body(members) => {
                self.list(members.iter().enumerate(), ", ", |w, (i, (name, _, variadic))| {
                    w.argument(name, *variadic);
                    w.put(format_args!("r.c{}", i + 1));
                });
            }
            Arguments::WholeBody(data_type) if data_type == "bytea" => self.parameter(Parameter::Body),
            Arguments::WholeBody(data_type) => {
                self.text("CAST(pg_catalog.convert_from(");
                self.parameter(Parameter::Body);
                self.put(format_args!(", 'UTF8') AS {data_type})"));
            }
        }
        self.text(")");
    }

    fn argument(&mut self, name: &str, variadic: bool) {
        if variadic {
            self.text("VARIADIC ");
        }
        self.put(format_args!("{} => ", Ident(name)));
    }
}

fn operator_sql(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "=",
        Operator::NotEqual => "<>",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Like => "LIKE",
        Operator::ILike => "ILIKE",
        Operator::Match => "~",
        Operator::IMatch => "~*",
        Operator::Contains => "@>",
        Operator::ContainedIn => "<@",
        Operator::Overlaps => "&&",
        Operator::StrictlyLeft => "<<",
        Operator::StrictlyRight => ">>",
        Operator::NotExtendsRight => "&<",
        Operator::NotExtendsLeft => "&>",
        Operator::Adjacent => "-|-",
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
