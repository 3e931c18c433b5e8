//! Renders how a page goes on after a row.

use super::render::Writer;
use super::{Form, Parameter, Statement};
use crate::plan::media::Representation;
use crate::plan::{KeyTest, Keyset, OrderBy, Plan, Select};
use crate::query::ValueId;

/// The statement that reads the rows of one region of a page, by its number from 0. The first is [`super::rendered`].
pub fn region(plan: &Plan, representation: &Representation, number: usize) -> Statement {
    super::render::rendered_region(plan, representation, number)
}

impl Writer {
    /// The keys of the rows, named `?kN`. `follow`: columns stand before them.
    pub(super) fn key_outputs(&mut self, select: &Select, follow: bool) {
        if select.keyset.is_none() || !self.shows_hidden {
            return;
        }
        for (i, term) in select.order.iter().enumerate() {
            self.text(if follow || i > 0 { ", " } else { "" });
            self.ordered_by(&select.embeds, &term.by);
            self.put(format_args!(" AS \"?k{i}\""));
        }
        self.statement.keys = select.order.len();
    }

    /// The conditions on the keys of the region. `first`: what stands before the first condition.
    pub(super) fn region(&mut self, first: &str, select: &Select) {
        let Some(keyset) = &select.keyset else { return };
        let tests = keyset.regions.get(self.region);
        for (i, test) in tests.into_iter().flatten().enumerate() {
            self.text(if i == 0 { first } else { " AND " });
            self.key_test(select, keyset, test);
        }
    }

    fn key_test(&mut self, select: &Select, keyset: &Keyset, test: &KeyTest) {
        match test {
            KeyTest::Equal(key) => {
                self.compared(select, keyset, *key);
                self.text(" = ");
                self.key_value(keyset, *key);
            }
            KeyTest::IsNull(key) => {
                self.key(select, *key);
                self.text(" IS NULL");
            }
            KeyTest::IsNotNull(key) => {
                self.key(select, *key);
                self.text(" IS NOT NULL");
            }
            KeyTest::Beyond { keys, descending } => {
                let is_row = keys.len() > 1;
                let (open, close) = if is_row { ("(", ")") } else { ("", "") };
                self.text(open);
                self.list(keys.clone(), ", ", |w, key| w.compared(select, keyset, key));
                self.text(close);
                self.text(if *descending { " < " } else { " > " });
                self.text(open);
                self.list(keys.clone(), ", ", |w, key| w.key_value(keyset, key));
                self.text(close);
            }
        }
    }

    /// A key that is compared with a value.
    fn compared(&mut self, select: &Select, keyset: &Keyset, key: usize) {
        match keyset.casts.get(key).and_then(Option::as_ref) {
            Some(cast) => {
                self.text("CAST(");
                self.key(select, key);
                self.put(format_args!(" AS {cast})"));
            }
            None => self.key(select, key),
        }
    }

    fn key(&mut self, select: &Select, key: usize) {
        if let Some(term) = select.order.get(key) {
            // Operators of JSON stand in it.
            let is_path = matches!(&term.by, OrderBy::Expression(e) if !e.path.is_empty());
            self.text(if is_path { "(" } else { "" });
            self.ordered_by(&select.embeds, &term.by);
            self.text(if is_path { ")" } else { "" });
        }
    }

    fn key_value(&mut self, keyset: &Keyset, key: usize) {
        let Some(Some(value)): Option<&Option<ValueId>> = keyset.values.get(key) else { return self.text("NULL") };
        match keyset.casts.get(key).and_then(Option::as_ref) {
            Some(cast) => {
                self.text("CAST(");
                self.parameter(Parameter::Literal(*value, Form::Text));
                self.put(format_args!(" AS {cast})"));
            }
            None => self.parameter(Parameter::Literal(*value, Form::Text)),
        }
    }
}
