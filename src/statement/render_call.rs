//! Renders function calls as SQL.

use super::render::Writer;
use super::render_write::Records;
use super::{Form, Ident, Parameter};
use crate::plan::*;

impl Writer {
    pub(super) fn call(&mut self, call: &Call) {
        match &call.result {
            CallResult::Row(select) | CallResult::Rows(select) => self.body(select),
            CallResult::Void | CallResult::Scalar | CallResult::ScalarSet(_) => {
                self.text(if call.sends { "SELECT restful.sent(" } else { "SELECT " });
                self.invocation(&call.invocation);
                self.text(if call.sends { ") AS value" } else { " AS value" });
                if !self.is_one_object && matches!(&call.invocation.arguments, Arguments::Body(a, _) if !a.is_empty()) {
                    self.text(" FROM ");
                    self.arguments_source(&call.invocation.arguments);
                }
                if let CallResult::ScalarSet(select) = &call.result {
                    self.page(select);
                }
            }
        }
    }

    /// Joins and conditions for a function whose rows are all counted, whatever is selected of them. PostgreSQL would not call the
    /// function if conditions contradict each other or an inner join finds nothing. So inner joins become conditions here, and all
    /// conditions follow the count within one expression, which PostgreSQL's planner does not take apart.
    pub(super) fn counted_rows(&mut self, select: &Select) {
        let embeds: Vec<Embedded> = select.embeds.iter().map(|e| Embedded { inner: false, ..e.clone() }).collect();
        self.joins(&embeds);
        let inner = select.embeds.iter().enumerate().filter(|(_, e)| e.inner);
        let inner = inner.map(|(embed, _)| Predicate::Embedded { embed, is_null: false });
        let conditions: Vec<Predicate> = select.conditions.iter().cloned().chain(inner).collect();
        self.put(format_args!(" WHERE coalesce(restful.count_row({}.* IS NULL)", select.alias));
        self.conditions(if conditions.is_empty() { "" } else { " AND " }, &conditions, &embeds);
        self.text(", false)");
    }

    pub(super) fn arguments_source(&mut self, arguments: &Arguments) {
        if let Arguments::Body(members, texts) = arguments
            && !members.is_empty()
        {
            let keys: Vec<(&str, &str)> = members.iter().map(|(n, t, _)| (n.as_str(), t.as_str())).collect();
            let mode = Records { texts: *texts, ..Records::default() };
            self.records(&keys, mode, &[]);
        }
    }

    pub(super) fn invocation(&mut self, invocation: &Invocation) {
        self.put(format_args!("{}(", invocation.function));
        // The variadic argument has to be the last one.
        for left_out in invocation.left_out.iter().filter(|p| !p.variadic) {
            self.left_out(left_out);
            self.text(", ");
        }
        match &invocation.arguments {
            Arguments::Query(arguments) => self.list(arguments, ", ", |w, (name, data_type, values, variadic)| {
                w.argument(name, *variadic);
                w.text("CAST(");
                match (variadic, values.as_slice()) {
                    (false, [value, ..]) => w.parameter(Parameter::Literal(*value, Form::Text)),
                    // if nothing states the element type, it is text
                    _ if matches!(data_type.as_str(), "anyarray" | "anycompatiblearray" | "\"any\"") => {
                        w.text("ARRAY[");
                        w.list(values, ", ", |w, value| w.parameter(Parameter::Literal(*value, Form::Text)));
                        w.text("]");
                    }
                    _ => w.parameter(Parameter::Items(values.clone())),
                }
                w.put(format_args!(" AS {data_type})"));
            }),
            Arguments::Body(members, _) => {
                self.list(members.iter().enumerate(), ", ", |w, (i, (name, data_type, variadic))| {
                    w.argument(name, *variadic);
                    if w.is_one_object {
                        w.text("CAST(");
                        w.parameter(Parameter::Member(i));
                        w.put(format_args!(" AS {data_type})"));
                    } else {
                        w.put(format_args!("r.c{}", i + 1));
                    }
                });
            }
            Arguments::WholeBody(data_type) if data_type == "bytea" => {
                // Without a type, PostgreSQL would prefer an overload that takes text.
                self.text("CAST(");
                self.parameter(Parameter::Body);
                self.text(" AS pg_catalog.bytea)");
            }
            Arguments::WholeBody(data_type) => {
                self.text("CAST(pg_catalog.convert_from(");
                self.parameter(Parameter::Body);
                self.put(format_args!(", 'UTF8') AS {data_type})"));
            }
        }
        for left_out in invocation.left_out.iter().filter(|p| p.variadic) {
            self.text(", ");
            self.left_out(left_out);
        }
        self.text(")");
    }

    fn left_out(&mut self, LeftOut { name, data_type, variadic, default }: &LeftOut) {
        self.argument(name, *variadic);
        self.put(format_args!("CAST({default} AS {data_type})"));
    }

    pub(super) fn argument(&mut self, name: &str, variadic: bool) {
        if variadic {
            self.text("VARIADIC ");
        }
        self.put(format_args!("{} => ", Ident(name)));
    }
}
