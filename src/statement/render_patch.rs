//! Renders updates by patches.

use super::render::Writer;
use super::{Ident, Parameter};
use crate::plan::*;

impl Writer {
    /// Sets columns to what the patch makes of the row. If another transaction has just changed the row, PostgreSQL computes this again,
    /// of the new row.
    pub(super) fn patch(&mut self, write: &Write, columns: &[BodyColumn], patch: &Patched, chosen: &Chosen) {
        self.put(format_args!("UPDATE {} AS {} SET (", write.relation, write.alias));
        self.list(columns, ", ", |w, column| w.put(Ident(&column.column)));
        self.text(") = (SELECT ");
        self.body_values(columns);
        self.text(" FROM ");
        self.patch = Some((write.alias.clone(), patch.clone()));
        self.record_source(columns, false);
        self.patch = None;
        self.text(")");
        self.chosen(chosen, &write.conditions);
    }

    /// The patched columns of a row as a JSON object.
    pub(super) fn patched_row(&mut self, (alias, patch): &(String, Patched)) {
        self.text("restful.patched(");
        self.parameter(Parameter::Body);
        self.put(format_args!(", {}, restful.embedded_object(", patch.is_merge));
        let names: Vec<&str> = patch.document.iter().map(|(name, _)| name.as_str()).collect();
        self.parameter(Parameter::Constant(serde_json::Value::from(names).to_string()));
        for (name, to_json) in &patch.document {
            match to_json {
                Some(function) => self.put(format_args!(", {function}({alias}.{})", Ident(name))),
                None => self.put(format_args!(", {alias}.{}", Ident(name))),
            }
        }
        self.text("))");
    }
}
