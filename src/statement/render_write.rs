//! Renders writes as SQL.

use super::render::{WRITTEN, Writer};
use super::{Form, Ident, Parameter, Statement, array_literal};
use crate::json::Framing;
use crate::plan::*;

/// The column of [`WRITTEN`] that holds the whole row, for functions that take it.
const WRITTEN_ROW: &str = "?row";

/// Bit of the argument `mode` of `restful.record_source`: every object must have exactly the listed keys.
pub const RECORDS_UNIFORM: i32 = 1;
/// Bit of `mode`: the strings are texts that come from CSV or a form.
pub const RECORDS_TEXTS: i32 = 2;
/// Bit of `mode`: the objects have no keys.
pub const RECORDS_KEYLESS: i32 = 4;

/// Bit of `mode`: the body is lines, each of which is an element.
pub const RECORDS_LINES: i32 = 8;
/// Bit of `mode`: the elements are values of the first key, and not objects.
pub const RECORDS_BARE: i32 = 16;
/// `mode` divided by this is how many of the keys, from the first, every object must have.
pub const RECORDS_REQUIRED: i32 = 256;

/// How the objects of the body become rows.
#[derive(Default)]
pub(super) struct Records {
    /// All objects must have the same keys.
    pub(super) uniform: bool,
    /// The strings are texts that come from CSV or a form.
    pub(super) texts: bool,
    /// Other bits of the mode.
    pub(super) others: i32,
    /// A last column `n` numbers the rows, from 1.
    pub(super) numbered: bool,
    /// The numbers of the columns in which text that is not JSON becomes a JSON string.
    pub(super) lenient: Vec<usize>,
}

/// The statement that reads the values which an update takes from its body, whether or not there is a row to change. `None` if it takes
/// none.
pub fn given(write: &Write) -> Option<Statement> {
    // A patch was read before.
    let Change::Update { columns, patch: None, .. } = &write.change else { return None };
    if columns.is_empty() {
        return None;
    }
    let mut w = Writer { is_lines: write.framing == Framing::Lines, ..Writer::default() };
    w.text("SELECT pg_catalog.count(ROW(");
    w.list(0..columns.len(), ", ", |w, i| w.fed_value(i, columns));
    w.text(")) FROM ");
    w.record_source(columns, false);
    Some(w.statement)
}

/// A SELECT over written rows for which RETURNING has already computed all computed columns.
fn as_returned(select: &Select) -> Select {
    let mut select = select.clone();
    let returned = |expression: &mut Expression| {
        if let Some(column) = &mut expression.column {
            column.function = None;
        }
    };
    for output in &mut select.outputs {
        if let Output::Expression { expression, .. } = output {
            returned(expression);
        }
    }
    for term in &mut select.order {
        if let OrderBy::Expression(expression) = &mut term.by {
            returned(expression);
        }
    }
    for embed in &mut select.embeds {
        if let Source::Computed { row, .. } = &mut embed.select.source {
            *row = Row::In(ColumnReference::new(&select.alias, WRITTEN_ROW));
        }
    }
    select
}

impl Writer {
    pub(super) fn write(&mut self, write: &Write) {
        self.is_lines = write.framing == Framing::Lines;
        if let Change::Update { columns, .. } = &write.change
            && columns.is_empty()
        {
            return self.unchanged(write);
        }
        if let Change::Each(each) = &write.change {
            return self.each(write, each);
        }
        let wrapped = match &write.returning {
            Returning::Rows(select) if self.handler.is_some() => Some(&**select),
            _ => write.returned_by_select(),
        };
        if wrapped.is_some() {
            self.put(format_args!("WITH {WRITTEN} AS ("));
        }
        match &write.change {
            Change::Insert { columns, uniform, key, conflict } => {
                self.insert(write, columns, *uniform, key, conflict.as_ref());
            }
            Change::Update { columns, patch: Some(patch), chosen } => self.patch(write, columns, patch, chosen),
            Change::Update { columns, patch: None, chosen } => self.update(write, columns, chosen),
            Change::Delete { chosen } => {
                self.put(format_args!("DELETE FROM {} AS {}", write.relation, write.alias));
                self.chosen(chosen, &write.conditions);
            }
            Change::Each(_) => {}
        }
        match (&write.returning, wrapped) {
            (Returning::Nothing, _) if self.shows_hidden && !write.hidden.is_empty() => {
                self.text(" RETURNING ");
                self.hidden_of_written(write, false);
            }
            (Returning::Nothing, _) => {}
            (Returning::Key(columns), _) => {
                self.text(" RETURNING ");
                self.list(columns, ", ", |w, (column, to_json)| match to_json {
                    Some(function) => w.put(format_args!("{function}({}.{}) AS {1}", write.alias, Ident(column))),
                    None => w.put(format_args!("{}.{}", write.alias, Ident(column))),
                });
                self.hidden_of_written(write, true);
            }
            (Returning::Rows(select), None) => {
                self.text(" RETURNING ");
                self.outputs(select);
                self.hidden_of_written(write, !select.outputs.is_empty());
            }
            (Returning::Rows(select), Some(_)) => {
                self.text(" RETURNING ");
                self.returned_columns(write, select);
                // Called once per changed row, whatever is shown of the row.
                self.text(if write.counts { ", restful.count_row(true) AS \"?changed\"" } else { "" });
                self.hidden_of_written(write, true);
                self.text(") ");
                self.body_of_written(write, select);
            }
        }
    }

    /// The body, made of the rows of [`WRITTEN`].
    pub(super) fn body_of_written(&mut self, write: &Write, select: &Select) {
        let mut select = if select.computes() { as_returned(select) } else { select.clone() };
        select.hidden = (0..write.hidden.len()).map(Hidden::Written).collect();
        self.body(&select);
    }

    /// The hidden columns of the changed rows. `follow`: columns stand before them.
    pub(super) fn hidden_of_written(&mut self, write: &Write, follow: bool) {
        self.hidden_outputs(&write.alias, &[], &write.hidden, follow);
    }

    /// An update by an empty object. It changes nothing, and returns nothing except the row that the path names.
    pub(super) fn unchanged(&mut self, write: &Write) {
        if let (Change::Update { chosen, .. }, true) = (&write.change, write.is_item) {
            let rows = match &write.returning {
                Returning::Rows(select) => Some(select),
                _ => None,
            };
            // The row is unchanged; return what an update would return.
            self.text(if rows.is_some() { "WITH written AS (SELECT " } else { "SELECT " });
            if let Some(select) = rows {
                self.returned_columns(write, select);
                self.text(if write.counts { ", restful.count_row(true) AS \"?changed\"" } else { "" });
            }
            self.hidden_of_written(write, rows.is_some());
            self.put(format_args!(" FROM {} AS {}", write.relation, write.alias));
            self.chosen(chosen, &write.conditions);
            if let Some(select) = rows {
                self.text(") ");
                self.body_of_written(write, select);
            }
            return;
        }
        self.text("SELECT ");
        if let Returning::Rows(select) = &write.returning {
            self.outputs(&Select { embeds: Vec::new(), outputs: vec![Output::All], ..(**select).clone() });
        }
        self.put(format_args!(" FROM {} AS {} WHERE false", write.relation, write.alias));
    }

    /// Returns only the columns of the written rows that the SELECT over them needs, because the role may not be allowed to read
    /// the others. Computed columns are computed here, where the rows still have the type of the relation.
    pub(super) fn returned_columns(&mut self, write: &Write, select: &Select) {
        if select.outputs.iter().any(|o| matches!(o, Output::All)) {
            self.put(format_args!("{}.*", select.alias));
            return;
        }
        let mut columns: Vec<&ColumnReference> = Vec::new();
        let outputs = select.outputs.iter().filter_map(|o| match o {
            Output::Expression { expression, .. } => expression.column.as_ref(),
            _ => None,
        });
        let orders = select.order.iter().filter_map(|o| match &o.by {
            OrderBy::Expression(e) => e.column.as_ref(),
            OrderBy::Embedded { .. } | OrderBy::Spread { .. } => None,
        });
        let joins = select.embeds.iter().flat_map(|e| e.on.iter().flat_map(|(a, b)| [a, b]));
        for reference in outputs.chain(orders).chain(joins) {
            if reference.alias == select.alias && reference.column != ELEMENT && !columns.contains(&reference) {
                columns.push(reference);
            }
        }
        let needs_row = select.embeds.iter().any(|e| matches!(e.select.source, Source::Computed { .. }));
        if columns.is_empty() && !needs_row {
            self.text("1 AS \"?\"");
            return;
        }
        self.list(&columns, ", ", |w, column| {
            w.column(column);
            if column.function.is_some() {
                w.put(format_args!(" AS {}", Ident(&column.column)));
            }
        });
        if needs_row {
            self.text(if columns.is_empty() { "" } else { ", " });
            self.put(format_args!("CAST({}.* AS {}) AS {}", select.alias, write.relation, Ident(WRITTEN_ROW)));
        }
    }

    pub(super) fn insert(
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
        if self.is_one_object {
            self.text(" VALUES (");
            self.body_values(columns);
            self.text(")");
            return self.on_conflict(write, columns, conflict);
        }
        self.text(" SELECT ");
        self.body_values(columns);
        for (i, (k, value)) in from_url.iter().enumerate() {
            if i > 0 || !columns.is_empty() {
                self.text(", ");
            }
            self.value_read(k.from_text.as_deref(), *value, Form::Text);
        }
        self.text(" FROM ");
        self.record_source(columns, uniform);
        let mut first = true;
        for (k, value) in key {
            if let Some(position) = k.in_body {
                self.text(if first { " WHERE " } else { " AND " });
                first = false;
                self.fed_value(position, columns);
                self.text(" = ");
                self.value_read(k.from_text.as_deref(), *value, Form::Text);
            }
        }
        self.on_conflict(write, columns, conflict);
    }

    fn on_conflict(&mut self, write: &Write, columns: &[BodyColumn], conflict: Option<&Conflict>) {
        if let Some(conflict) = conflict {
            self.text(" ON CONFLICT (");
            self.list(&conflict.columns, ", ", |w, c| w.put(Ident(c)));
            if !conflict.update {
                return self.text(") DO NOTHING");
            }
            // The key does not change, so it must not need the right to update it; unless the update has nothing else to set.
            let is_key = |name: &String| conflict.columns.contains(name) || conflict.kept.contains(name);
            let others = columns.iter().map(|c| &c.column).filter(|name| !is_key(name));
            let resets = conflict.resets.iter().filter(|reset| !is_key(&reset.column));
            let mut updated: Vec<(&String, Option<&Reset>)> = others.map(|name| (name, None)).collect();
            updated.extend(resets.map(|reset| (&reset.column, Some(reset))));
            if updated.is_empty() {
                updated.extend(conflict.columns.iter().map(|name| (name, None)));
            }
            self.text(") DO UPDATE SET ");
            self.list(updated, ", ", |w, (name, reset)| match reset.map(|reset| &reset.default) {
                None => w.put(format_args!("{0} = excluded.{0}", Ident(name))),
                Some(None) => w.put(format_args!("{} = DEFAULT", Ident(name))),
                Some(Some(default)) => w.put(format_args!("{} = ({default})", Ident(name))),
            });
            self.text(" WHERE ");
            self.row_conditions("", &write.conditions);
            // Last, so that only rows that are updated are counted.
            self.text(if write.conditions.is_empty() {
                "restful.count_update()"
            } else {
                " AND restful.count_update()"
            });
        }
    }

    pub(super) fn update(&mut self, write: &Write, columns: &[BodyColumn], chosen: &Chosen) {
        self.put(format_args!("UPDATE {} AS {} SET ", write.relation, write.alias));
        for (i, c) in columns.iter().enumerate() {
            self.text(if i == 0 { "" } else { ", " });
            self.put(format_args!("{} = ", Ident(&c.column)));
            self.body_value(i, columns);
        }
        if !self.is_one_object {
            self.text(" FROM ");
            self.record_source(columns, false);
        }
        self.chosen(chosen, &write.conditions);
    }

    /// The WHERE clause of an update or delete.
    pub(super) fn chosen(&mut self, chosen: &Chosen, tests: &[RowCondition]) {
        let Chosen { select, key } = chosen;
        // The conditions are repeated beside the page, so that they are tested again on a row that another transaction has just
        // changed.
        self.counting = true;
        let has_where = self.restrictions(select);
        self.counting = false;
        self.row_conditions(if has_where { " AND " } else { " WHERE " }, tests);
        let has_where = has_where || !tests.is_empty();
        if key.is_empty() {
            return;
        }
        let columns: Vec<ColumnReference> = key.iter().map(|c| ColumnReference::new(&select.alias, c)).collect();
        self.text(if has_where { " AND (" } else { " WHERE (" });
        self.list(&columns, ", ", |w, c| w.column(c));
        self.text(") IN (SELECT ");
        self.list(&columns, ", ", |w, c| w.column(c));
        self.text(" FROM ");
        self.source(select);
        let is_by_relation = |term: &Ordering| !matches!(term.by, OrderBy::Expression(_));
        if select.order.iter().any(is_by_relation) {
            self.joins(&select.embeds);
            self.conditions(" WHERE ", &select.conditions, &select.embeds);
        } else {
            self.counting = true;
            self.restrictions(select);
            self.counting = false;
        }
        self.order_by(select);
        self.page(select);
        self.text(")");
    }

    pub(super) fn body_values(&mut self, columns: &[BodyColumn]) {
        self.list(0..columns.len(), ", ", |w, i| w.body_value(i, columns));
    }

    /// The value of a column: from the body, or its default if the body does not have it.
    pub(super) fn body_value(&mut self, i: usize, columns: &[BodyColumn]) {
        match columns.get(i).and_then(|c| c.default.as_ref()) {
            Some(default) => {
                self.put(format_args!("CASE WHEN r.p{} THEN ", i + 1));
                self.fed_value(i, columns);
                self.put(format_args!(" ELSE ({default}) END"));
            }
            None => self.fed_value(i, columns),
        }
    }

    /// The value of a column from the body.
    pub(super) fn fed_value(&mut self, i: usize, columns: &[BodyColumn]) {
        match columns.get(i).and_then(|c| c.from_json.as_ref()) {
            _ if self.is_one_object => self.parameter(Parameter::Member(i)),
            Some(function) => self.put(format_args!("{function}(r.c{})", i + 1)),
            None => self.put(format_args!("r.c{}", i + 1)),
        }
    }

    pub(super) fn record_source(&mut self, columns: &[BodyColumn], uniform: bool) {
        self.record_source_with(columns, Records { uniform, ..Records::default() });
    }

    /// The same in another mode. Whether the values are texts and the body is lines follows from the columns and the body.
    pub(super) fn record_source_with(&mut self, columns: &[BodyColumn], mode: Records) {
        let keys: Vec<(&str, &str)> = columns.iter().map(|c| (c.column.as_str(), c.data_type.as_str())).collect();
        let presence: Vec<usize> =
            columns.iter().enumerate().filter(|(_, c)| c.default.is_some() || c.keeps).map(|(i, _)| i + 1).collect();
        let numbers = |is: fn(&BodyColumn) -> bool| {
            columns.iter().enumerate().filter(move |(_, c)| is(c)).map(|(i, _)| i + 1).collect::<Vec<usize>>()
        };
        let mode = Records {
            texts: columns.iter().any(|c| c.is_text),
            lenient: numbers(|c| c.is_text && c.from_json.is_some()),
            others: mode.others | if self.is_lines { RECORDS_LINES } else { 0 },
            ..mode
        };
        self.records(&keys, mode, &presence);
    }

    /// The objects of the body as rows `r`. Column `cN` is the Nth key, and `pN` tells whether the object has it.
    pub(super) fn records(&mut self, keys: &[(&str, &str)], mode: Records, presence: &[usize]) {
        let is_numbered = mode.numbered;
        self.text(if is_numbered { "ROWS FROM(restful.record_source(" } else { "restful.record_source(" });
        match &self.patch {
            Some(patch) => self.patched_row(&patch.clone()),
            None => self.parameter(Parameter::Body),
        }
        self.text(", ");
        // A row needs at least one column, so objects without keys get a column that stays empty.
        let names = if keys.is_empty() { array_literal([""]) } else { array_literal(keys.iter().map(|(key, _)| key)) };
        self.parameter(Parameter::Constant(names));
        let same_keys = match (mode.uniform, keys.is_empty()) {
            (false, _) => 0,
            (true, false) => RECORDS_UNIFORM,
            (true, true) => RECORDS_KEYLESS,
        };
        let texts = if mode.texts { RECORDS_TEXTS } else { 0 };
        self.put(format_args!(", {}, ", same_keys | texts | mode.others));
        self.parameter(Parameter::Constant(array_literal(presence.iter().map(usize::to_string))));
        if !mode.lenient.is_empty() {
            self.text(", ");
            self.parameter(Parameter::Constant(array_literal(mode.lenient.iter().map(usize::to_string))));
        }
        self.text(if is_numbered { ") AS (" } else { ") AS r(" });
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
        self.text(if is_numbered { ")) WITH ORDINALITY AS r(" } else { ")" });
        if is_numbered {
            self.list(0..keys.len(), ", ", |w, i| w.put(format_args!("c{}", i + 1)));
            self.list(presence, "", |w, p| w.put(format_args!(", p{p}")));
            self.text(", n)");
        }
    }
}
