//! Renders plans as SQL.

use super::{Form, Ident, Parameter, Statement};
use crate::catalog::QualifiedName;
use crate::plan::media::{Handler, Representation};
use crate::plan::read::aggregate_name;
use crate::plan::*;
use crate::query::{Connective, FullText, IsValue, JsonKey, Operand, Operator, Quantifier, ValueId};
use std::fmt::{Display, Write as _};

/// The name of the CTE that holds the rows of a write.
pub(super) const WRITTEN: &str = "written";

/// The statement for a plan.
pub fn main(plan: &Plan) -> Statement {
    rendered(plan, &Representation::default())
}

/// The statement whose result is, or is written as, the body in the given representation.
pub fn rendered(plan: &Plan, representation: &Representation) -> Statement {
    rendered_region(plan, representation, 0)
}

/// The same for a region of a page, by its number.
pub(super) fn rendered_region(plan: &Plan, representation: &Representation, region: usize) -> Statement {
    let mut w = Writer { handler: representation.handler.clone(), region, ..Writer::default() };
    if let Some(plan) = representation.explain() {
        w.put(format_args!("EXPLAIN (FORMAT {}", if plan.json { "JSON" } else { "TEXT" }));
        for option in &plan.options {
            w.put(format_args!(", {}", option.name()));
        }
        w.text(") ");
    }
    w.shows_hidden = representation.explain().is_none() && representation.handler.is_none();
    w.counts_call = matches!(plan, Plan::Call(call) if call.counts);
    match plan {
        Plan::Read(select) => w.body(select),
        Plan::Write(write) => w.write(write),
        Plan::Call(call) => w.call(call),
    }
    w.statement
}

#[derive(Default)]
pub(super) struct Writer {
    pub(super) statement: Statement,
    /// What turns the rows into the body.
    pub(super) handler: Option<Handler>,
    /// Rows are only counted: embedded relations are tested for existence, and not joined.
    pub(super) counting: bool,
    /// The rows of the called function are counted.
    pub(super) counts_call: bool,
    /// The rows of the statement are those of the response, so that it has hidden columns.
    pub(super) shows_hidden: bool,
    /// The region of the page ([`Keyset::regions`]).
    pub(super) region: usize,
    /// The body is one object, whose values are parameters.
    pub(super) is_one_object: bool,
    /// The body is a patch of the rows of the relation with this alias.
    pub(super) patch: Option<(String, Patched)>,
    /// The body is lines of JSON.
    pub(super) is_lines: bool,
}

impl Writer {
    pub(super) fn text(&mut self, text: &str) {
        self.statement.sql.push_str(text);
    }

    pub(super) fn put(&mut self, text: impl Display) {
        // writing to a String cannot fail
        let _ = write!(self.statement.sql, "{text}");
    }

    pub(super) fn parameter(&mut self, parameter: Parameter) {
        self.statement.parameters.push(parameter);
        self.put(format_args!("${}", self.statement.parameters.len()));
    }

    /// Writes the items with a separator between them.
    pub(super) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        separator: &str,
        mut each: impl FnMut(&mut Self, T),
    ) {
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                self.text(separator);
            }
            each(self, item);
        }
    }

    /// The rows of the response; or, with an aggregate, one row with the body and the number of rows; or the results of a function
    /// that is applied to each row.
    pub(super) fn body(&mut self, select: &Select) {
        // A column may have the same name as the row alias, so the row is written `body.*`.
        match self.handler.clone() {
            Some(Handler::Aggregate { function, row: Some(row) }) => {
                self.put(format_args!("SELECT {function}(CAST(body.* AS {row})), pg_catalog.count(*)"));
            }
            Some(Handler::Aggregate { function, row: None }) => {
                self.put(format_args!("SELECT {function}(body.*), pg_catalog.count(*)"));
            }
            Some(Handler::Feature(function)) => {
                self.put(format_args!("SELECT CAST({}(body.*", function.name));
                for default in &function.defaults {
                    self.put(format_args!(", {default}"));
                }
                self.text(") AS pg_catalog.json)");
            }
            Some(Handler::Function) | None => return self.select(select),
        }
        self.text(" FROM (");
        self.select(select);
        self.text(") AS body");
    }

    pub(super) fn select(&mut self, select: &Select) {
        if select.embeds.iter().any(|e| e.fetch == Fetch::Together) {
            return self.together(select);
        }
        self.text("SELECT ");
        self.outputs(select);
        self.hidden_outputs(&select.alias, &select.embeds, &select.hidden, !select.outputs.is_empty());
        self.key_outputs(select, !select.outputs.is_empty() || self.statement.hidden > 0);
        self.text(" FROM ");
        self.source(select);
        self.rest(select);
    }

    /// Everything after FROM and its source.
    pub(super) fn rest(&mut self, select: &Select) {
        if self.counts_call && matches!(select.source, Source::Function(_)) {
            self.counted_rows(select);
        } else {
            self.joins(&select.embeds);
            self.conditions(" WHERE ", &select.conditions, &select.embeds);
            self.region(if select.conditions.is_empty() { " WHERE " } else { " AND " }, select);
        }
        if select.grouped {
            self.group_by(select);
        }
        self.order_by(select);
        self.page(select);
    }

    pub(super) fn source(&mut self, select: &Select) {
        match &select.source {
            Source::Relation(name) => self.put(format_args!("{name} AS {}", select.alias)),
            Source::Written => self.put(format_args!("{WRITTEN} AS {}", select.alias)),
            Source::Function(invocation) => {
                self.arguments_source(&invocation.arguments);
                if matches!(&invocation.arguments, Arguments::Body(a, _) if !a.is_empty()) {
                    self.text(" CROSS JOIN LATERAL ");
                }
                self.invocation(invocation);
                self.put(format_args!(" AS {}", select.alias));
            }
            Source::Computed { function, row, .. } => {
                self.put(format_args!("{function}("));
                match row {
                    Row::Of(alias) => self.put(format_args!("{alias}.*")),
                    Row::In(column) => self.column(column),
                }
                self.put(format_args!(") AS {}", select.alias));
            }
        }
    }

    pub(super) fn outputs(&mut self, select: &Select) {
        // An aggregate over a relation's rows gets them as they are stored.
        let is_stored = matches!(self.handler, Some(Handler::Aggregate { row: Some(_), .. }));
        self.list(&select.outputs, ", ", |w, output| match output {
            Output::All => match select.listed.as_ref().filter(|_| !is_stored) {
                Some(listed) => w.outputs(&Select { outputs: listed.to_vec(), listed: None, ..select.clone() }),
                None => w.put(format_args!("{}.*", select.alias)),
            },
            Output::Expression { expression, name } => {
                w.expression(expression);
                // json has no equality operator to group by
                w.text(match (&expression.to_json, &expression.cast) {
                    (Some(_), None) if select.grouped => "::pg_catalog.jsonb",
                    _ => "",
                });
                w.put(format_args!(" AS {}", Ident(name)));
            }
            Output::Embedded { embed, name } => {
                let Some(e) = select.embeds.get(*embed) else { return };
                w.embedded_json(e, select.grouped);
                w.put(format_args!(" AS {}", Ident(name)));
            }
            Output::Spread { embed } => {
                let Some(e) = select.embeds.get(*embed) else { return };
                w.list(e.spread.iter().flatten().enumerate(), ", ", |w, (i, column)| {
                    w.spread_column(e, i, column, select.grouped);
                    w.put(format_args!(" AS {}", Ident(&column.name)));
                });
            }
        });
    }

    pub(super) fn group_by(&mut self, select: &Select) {
        let (mut keys, mut position) = (Vec::new(), 0);
        let mut column = |is_key: bool| {
            position += 1;
            keys.extend(is_key.then_some(position));
        };
        for output in &select.outputs {
            match output {
                Output::Expression { expression, .. } => column(expression.aggregate.is_none()),
                Output::All | Output::Embedded { .. } => column(true),
                Output::Spread { embed } => {
                    let spread = select.embeds.get(*embed).and_then(|e| e.spread.as_ref());
                    spread.into_iter().flatten().for_each(|c| column(c.aggregate.is_none()));
                }
            }
        }
        if !keys.is_empty() {
            self.text(" GROUP BY ");
            self.list(keys, ", ", |w, key| w.put(key));
        }
    }

    pub(super) fn order_by(&mut self, select: &Select) {
        if select.order.is_empty() {
            return;
        }
        self.text(" ORDER BY ");
        self.list(&select.order, ", ", |w, term| {
            w.ordered_by(&select.embeds, &term.by);
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

    /// A term that the rows are ordered by.
    pub(super) fn ordered_by(&mut self, embeds: &[Embedded], by: &OrderBy) {
        match by {
            OrderBy::Expression(expression) => self.expression(expression),
            OrderBy::Embedded { embed, extra } => {
                if let Some(e) = embeds.get(*embed) {
                    self.put(format_args!("{}.o{extra}", e.alias));
                }
            }
            OrderBy::Spread { embed, column } => {
                if let Some(e) = embeds.get(*embed)
                    && let Some(spread) = e.spread.as_ref().and_then(|columns| columns.get(*column))
                {
                    self.spread_column(e, *column, spread, false);
                }
            }
        }
    }

    /// Hidden columns of the rows with this alias, named `?hN`. `embeds`: of the rows. `follow`: columns stand before them.
    pub(super) fn hidden_outputs(&mut self, alias: &str, embeds: &[Embedded], hidden: &[Hidden], follow: bool) {
        if !self.shows_hidden {
            return;
        }
        for (i, hidden) in hidden.iter().enumerate() {
            self.text(if follow || i > 0 { ", " } else { "" });
            match hidden {
                Hidden::Text(by) => {
                    self.text("CAST(");
                    self.ordered_by(embeds, by);
                    self.text(" AS pg_catalog.text)");
                }
                Hidden::Version(version) => self.row_version(version),
                Hidden::Changed(column) => {
                    self.text("restful.changed_second(");
                    self.column(column);
                    self.text(")");
                }
                Hidden::Written(number) => self.put(format_args!("{alias}.\"?h{number}\"")),
            }
            self.put(format_args!(" AS \"?h{i}\""));
        }
        self.statement.hidden = hidden.len();
    }

    fn row_version(&mut self, RowVersion { alias, columns }: &RowVersion) {
        let Some(columns) = columns else {
            return self.put(format_args!("restful.row_version({alias}.tableoid, {alias}.xmin, {alias}.ctid)"));
        };
        self.text("restful.row_digest(ROW(");
        self.list(columns.iter(), ", ", |w, column| w.put(format_args!("{alias}.{}", Ident(column))));
        self.text("))");
    }

    /// Tests of a row that is about to be changed.
    pub(super) fn row_conditions(&mut self, first: &str, conditions: &[RowCondition]) {
        for (i, condition) in conditions.iter().enumerate() {
            self.text(if i == 0 { first } else { " AND " });
            match condition {
                RowCondition::Version { version, tags, negated } => {
                    self.text(if *negated { "NOT " } else { "" });
                    self.row_version(version);
                    self.text(" = ANY (");
                    self.parameter(Parameter::Literal(*tags, Form::Array));
                    self.text(")");
                }
                RowCondition::Unmodified { column, since } => {
                    self.text("restful.not_changed_since(");
                    self.column(column);
                    self.text(", ");
                    self.parameter(Parameter::Literal(*since, Form::Text));
                    self.text(")");
                }
            }
        }
    }

    pub(super) fn page(&mut self, select: &Select) {
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

    pub(super) fn conditions(&mut self, first: &str, conditions: &[Predicate], embeds: &[Embedded]) {
        for (i, condition) in conditions.iter().enumerate() {
            self.text(if i == 0 { first } else { " AND " });
            self.predicate(condition, embeds);
        }
    }

    pub(super) fn predicate(&mut self, predicate: &Predicate, embeds: &[Embedded]) {
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
                let Some(e) = embeds.get(*embed) else { return };
                if self.counting {
                    self.text(if *is_null { "NOT " } else { "" });
                    self.exists(e);
                } else {
                    self.put(format_args!("{}.j IS {}NULL", e.alias, if *is_null { "" } else { "NOT " }));
                }
            }
            Predicate::Test { expression, negated, test, from_text } => {
                if *negated {
                    self.text("NOT ");
                }
                self.test(expression, test, from_text.as_deref());
            }
        }
    }

    pub(super) fn test(&mut self, expression: &Expression, test: &Test, from_text: Option<&QualifiedName>) {
        match test {
            Test::Binary { operator, quantifier, value } => {
                self.expression(expression);
                self.comparison(*operator, *quantifier, *value, from_text);
            }
            Test::In(value) => {
                self.expression(expression);
                self.text(" = ANY (");
                match from_text {
                    Some(function) => self.values_read(function, *value, Form::Array),
                    None => self.parameter(Parameter::Literal(*value, Form::Array)),
                }
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
                self.value_read(from_text, *value, Form::Text);
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
                self.full_text_query(*function, configuration, *value);
            }
        }
    }

    /// An operator and its right operand.
    fn comparison(
        &mut self,
        operator: Operator,
        quantifier: Option<Quantifier>,
        value: ValueId,
        from_text: Option<&QualifiedName>,
    ) {
        self.put(format_args!(" {} ", operator_sql(operator)));
        let (from_text, form) = match operator.operand() {
            Operand::Value => (from_text, Form::Text),
            // A pattern is not a value of the column's type.
            Operand::LikePattern => (None, Form::Pattern),
            Operand::RegularExpression => (None, Form::Text),
        };
        if let Some(quantifier) = quantifier {
            self.text(match quantifier {
                Quantifier::Any => "ANY (",
                Quantifier::All => "ALL (",
            });
        }
        match (from_text, quantifier) {
            (Some(function), Some(_)) => self.values_read(function, value, form),
            (function, _) => self.value_read(function, value, form),
        }
        if quantifier.is_some() {
            self.text(")");
        }
    }

    fn full_text_query(&mut self, function: FullText, configuration: &Option<String>, value: ValueId) {
        self.text(match function {
            FullText::Query => "pg_catalog.to_tsquery(",
            FullText::Plain => "pg_catalog.plainto_tsquery(",
            FullText::Phrase => "pg_catalog.phraseto_tsquery(",
            FullText::Websearch => "pg_catalog.websearch_to_tsquery(",
        });
        self.configuration(configuration);
        self.parameter(Parameter::Literal(value, Form::Text));
        self.text(")");
    }

    /// A value, converted by a function if there is one.
    pub(super) fn value_read(&mut self, from_text: Option<&QualifiedName>, value: ValueId, form: Form) {
        if let Some(function) = from_text {
            self.put(format_args!("{function}(CAST("));
        }
        self.parameter(Parameter::Literal(value, form));
        self.text(if from_text.is_some() { " AS pg_catalog.text))" } else { "" });
    }

    /// The array of a list's values, each converted by the function.
    fn values_read(&mut self, from_text: &QualifiedName, value: ValueId, form: Form) {
        self.put(format_args!("ARRAY(SELECT {from_text}(v) FROM pg_catalog.unnest(CAST("));
        self.parameter(Parameter::Literal(value, form));
        self.text(" AS pg_catalog.text[])) AS v)");
    }

    pub(super) fn configuration(&mut self, configuration: &Option<String>) {
        if let Some(configuration) = configuration {
            self.parameter(Parameter::Constant(configuration.clone()));
            self.text("::pg_catalog.regconfig, ");
        }
    }

    pub(super) fn expression(&mut self, e: &Expression) {
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
            // what a parent's count() counts of a spread relation
            None if e.aggregate.is_none() => self.text("1"),
            None => self.text("*"),
            Some(column) if e.to_jsonb => {
                self.text("pg_catalog.to_jsonb(");
                self.column(column);
                self.text(")");
            }
            Some(column) => match &e.to_json {
                Some(function) => {
                    self.put(format_args!("{function}("));
                    self.column(column);
                    self.text(")");
                }
                None => self.column(column),
            },
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

    pub(super) fn column(&mut self, reference: &ColumnReference) {
        match &reference.function {
            None => self.put(format_args!("{}.{}", reference.alias, Ident(&reference.column))),
            // The row is written with a star, because its name alone might be the name of a column.
            Some(function) => self.put(format_args!("{function}({}.*)", reference.alias)),
        }
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
