//! Plans writes: creating, replacing, updating and deleting rows.

use super::each::no_report;
use super::{
    BodyColumn, Change, Chosen, Conflict, Each, KeyColumn, OrderBy, Ordering, Patched, Planner, Returning, Select,
    Source, Write, absent,
};
use crate::admit;
use crate::catalog::{QualifiedName, Relation};
use crate::error::{Code, Error, Result};
use crate::http::prefer::{Missing, Resolution, Return, WritePreferences};
use crate::payload::{BodyKeys, Length, PatchOf};
use crate::plan::columns::Columns;
use crate::query::{Condition, Field, Filter, Operation, Operator, Query, QueryNode, SelectItem, ValueId};
use crate::route::Verb;

impl Planner<'_> {
    /// Plans a write.
    ///
    /// `body`: the keys of the body; empty for DELETE.
    ///
    /// # Errors
    /// A name in the query or the body is unknown or ambiguous, or the query does not fit the method.
    pub fn write(
        &mut self,
        verb: Verb,
        relation: &Relation,
        query: &Query,
        preferences: &WritePreferences,
        body: Option<&BodyKeys>,
    ) -> Result<Write> {
        self.check_method(verb, relation, query)?;
        if relation.settings.require_idempotency_key && !self.settings.keyed {
            return Err(admit::missing());
        }
        let alias = self.alias('t');
        let list = body.and_then(|body| Some((body, body.list?)));
        let named = match list {
            Some((body, list)) => self.named(verb, relation, query, preferences, body, list)?,
            None => None,
        };
        let is_empty = list.is_some_and(|(_, list)| list.length == Length::None);
        if preferences.representation == Some(Return::Report) && named.is_none() && !is_empty {
            return Err(no_report());
        }
        let mut columns = match body {
            Some(body) if named.is_none() && verb != Verb::Delete => {
                self.body_columns(relation, query, preferences, body)?
            }
            _ => Vec::new(),
        };
        let is_each = named.is_some();
        let aliases = self.aliases;
        let absent = absent::take(verb, relation, &mut columns, body.map_or(&[], |body| &body.absent));
        let change = match (verb, named) {
            (_, Some(columns)) => Change::Each(Box::new(Each {
                columns,
                keys: relation.primary_key.len(),
                deletes: verb == Verb::Delete,
                bare: list.is_some_and(|(_, list)| list.bare),
                chosen: self.chosen(&alias, relation, &query.root)?,
            })),
            (Verb::Create, _) => Change::Insert {
                columns,
                // Without `columns`, only the keys of the first object are used, and a key of another object would be lost.
                uniform: query.columns.is_none(),
                key: Vec::new(),
                conflict: self.conflict(relation, query, preferences, body, &absent)?,
            },
            (Verb::Replace, _) => self.replace(relation, query, columns)?,
            (Verb::Update, _) => {
                let patch = body.and_then(|body| body.patch.as_ref()).map(|patch| self.patched(relation, query, patch));
                let patch = patch.transpose()?;
                Change::Update { columns, patch, chosen: Box::new(self.chosen(&alias, relation, &query.root)?) }
            }
            _ => Change::Delete { chosen: Box::new(self.chosen(&alias, relation, &query.root)?) },
        };
        // Planned even if nothing is returned, so that errors do not depend on that. It has a scope and aliases of its own.
        self.aliases = aliases;
        let mut written = self.written(verb, &alias, relation, &query.root)?;
        if is_each && preferences.representation == Some(Return::Representation) {
            self.in_order_of_body(&mut written, &alias, relation)?;
        }
        let is_returned = preferences.representation == Some(Return::Representation);
        let is_shaped = query.root.select.is_some() || !query.root.order.is_empty();
        let unreturned = (is_shaped && !is_returned)
            .then(|| Box::new(Select { source: Source::Relation(relation.name.clone()), ..written.clone() }));
        let counts = is_returned && !is_each && (written.restricts() || written.is_paged());
        let returning = match preferences.representation {
            Some(Return::Representation) => Returning::Rows(Box::new(written)),
            Some(Return::HeadersOnly) if verb == Verb::Create && !relation.primary_key.is_empty() => {
                Returning::Key(key_for_location(relation))
            }
            _ => Returning::Nothing,
        };
        Ok(Write {
            relation: relation.name.clone(),
            relation_oid: relation.oid,
            alias,
            change,
            returning,
            unreturned,
            counts,
            is_item: query.item.is_some(),
            hidden: Vec::new(),
            framing: body.map(|body| body.framing).unwrap_or_default(),
            conditions: Vec::new(),
        })
    }

    /// The columns that a patch looks at.
    fn patched(&self, relation: &Relation, query: &Query, patch: &PatchOf) -> Result<Patched> {
        if query.columns.is_some() {
            return Err(Error::new(Code::QueryParameter, "The parameter 'columns' does not go with a patch")
                .hint("Leave it out: the patch says which columns it sets."));
        }
        // Also refuses columns that do not exist.
        let keys = BodyKeys { keys: patch.reads.clone(), ..BodyKeys::default() };
        let columns = self.body_columns(relation, query, &WritePreferences::default(), &keys)?;
        let document = columns.into_iter().map(|column| {
            let representation = relation.column(&column.column).and_then(|c| c.representation.as_ref());
            (column.column, representation.and_then(|r| r.to_json.clone()))
        });
        Ok(Patched { is_merge: patch.is_merge, document: document.collect() })
    }

    /// The rows that PATCH and DELETE change. They are planned as a read, so that filters mean the same for both.
    fn chosen(&mut self, alias: &str, relation: &Relation, root: &QueryNode) -> Result<Chosen> {
        let embeds = root.select.iter().flatten().filter(|item| matches!(item, SelectItem::Embed(_)));
        let node = QueryNode { select: Some(embeds.cloned().collect()), ..root.clone() };
        let source = Source::Relation(relation.name.clone());
        let mut select = self.select(source, alias.to_owned(), Columns::Relation(relation), &node, false)?;
        // An inner join by itself only affects what is returned. With a filter in it, it selects rows.
        let filters = node.select.iter().flatten().filter_map(|item| match item {
            SelectItem::Embed(embed) => Some(embed.node.filters()),
            _ => None,
        });
        for (embedded, filters) in select.embeds.iter_mut().zip(filters) {
            embedded.inner &= filters;
        }
        if root.limit.is_none() && root.offset.is_none() {
            return Ok(Chosen { select, key: Vec::new() });
        }
        if relation.primary_key.is_empty() {
            return Err(Error::new(
                Code::QueryParameter,
                format!("limit and offset need a primary key, and '{}' does not have one", relation.name.name),
            )
            .hint("Filter the rows instead, or send Prefer: handling=strict, max-affected=N."));
        }
        // The key orders rows that the requested order leaves equal.
        for column in &relation.primary_key {
            let field = Field { name: column.clone(), path: Vec::new() };
            let by = OrderBy::Expression(self.expression(alias, Columns::Relation(relation), &field)?);
            select.order.push(Ordering { by, descending: None, nulls_first: None });
        }
        Ok(Chosen { select, key: relation.primary_key.clone() })
    }

    /// The returned rows: all written rows, even if an inner join finds nothing. Only a POST has a page.
    fn written(&mut self, verb: Verb, alias: &str, relation: &Relation, root: &QueryNode) -> Result<Select> {
        let mut node = QueryNode { conditions: Vec::new(), ..root.clone() };
        if verb != Verb::Create {
            (node.limit, node.offset) = (None, None);
        }
        let columns = Columns::Relation(relation);
        let mut select = self.select(Source::Written, alias.to_owned(), columns, &node, false)?;
        for embedded in &mut select.embeds {
            embedded.inner = false;
        }
        if select.computes() || select.restricts() || select.is_paged() {
            self.list_columns(&mut select, columns)?;
        }
        Ok(select)
    }

    pub(super) fn body_columns(
        &self,
        relation: &Relation,
        query: &Query,
        preferences: &WritePreferences,
        body: &BodyKeys,
    ) -> Result<Vec<BodyColumn>> {
        let keys = query.columns.as_ref().unwrap_or(&body.keys);
        keys.iter()
            .map(|key| {
                let Some(column) = relation.column(key) else {
                    let error = Error::new(
                        Code::Column,
                        format!("Could not find the '{key}' column of '{}' in the schema cache", relation.name.name),
                    );
                    return Err(match self.similar_column(Columns::Relation(relation), key)? {
                        Some(meant) => {
                            error.hint(format!("Perhaps you meant the column {}.{meant}", relation.name.name))
                        }
                        None => error,
                    });
                };
                let default = match preferences.missing {
                    Some(Missing::Default) => self.catalog.default_of(relation, &column.name)?,
                    _ => None,
                };
                let from_json = column.representation.as_ref().and_then(|r| r.from_json.clone());
                Ok(BodyColumn {
                    column: column.name.clone(),
                    data_type: match from_json {
                        Some(_) => "pg_catalog.json".to_owned(),
                        None => column.data_type.clone(),
                    },
                    is_text: body.texts,
                    from_json,
                    default,
                    keeps: false,
                })
            })
            .collect()
    }

    fn conflict(
        &self,
        relation: &Relation,
        query: &Query,
        preferences: &WritePreferences,
        body: Option<&BodyKeys>,
        absent: &[String],
    ) -> Result<Option<Conflict>> {
        let Some(resolution) = preferences.resolution else { return Ok(None) };
        let columns = query.on_conflict.clone().unwrap_or_else(|| relation.primary_key.clone());
        for column in &columns {
            if relation.column(column).is_none() {
                return Err(self.no_column(Columns::Relation(relation), column)?);
            }
        }
        if columns.is_empty() {
            return Ok(None);
        }
        let resets = absent::resets(self.catalog, relation, absent.iter())?;
        let kept = absent::kept(relation, body.map_or(&[], |body| &body.partial));
        Ok(Some(Conflict { columns, update: resolution == Resolution::MergeDuplicates, resets, kept }))
    }

    /// PUT: the filters name exactly the primary key, and the body has one row.
    fn replace(&self, relation: &Relation, query: &Query, columns: Vec<BodyColumn>) -> Result<Change> {
        if query.root.limit.is_some() || query.root.offset.is_some() {
            return Err(Error::new(Code::PutLimit, "limit/offset querystring parameters are not allowed for PUT"));
        }
        let refused = || {
            let message = "Filters must include all and only primary key columns with 'eq' operators";
            Ok::<_, Error>(Error::new(Code::PutFilters, message).header("allow", self.allow(relation, false)?))
        };
        let mut key = Vec::new();
        for condition in &query.root.conditions {
            let Condition::Filter(Filter {
                field,
                negated: false,
                operation: Operation::Binary { operator: Operator::Equal, quantifier: None, value },
            }) = condition
            else {
                return Err(refused()?);
            };
            let known = key.iter().any(|(k, _): &(KeyColumn, ValueId)| k.column == field.name);
            if known || !field.path.is_empty() || !relation.primary_key.contains(&field.name) {
                return Err(refused()?);
            }
            let in_body = columns.iter().position(|c| c.column == field.name);
            let representation = relation.column(&field.name).and_then(|c| c.representation.as_ref());
            let from_text = representation.and_then(|r| r.from_text.clone());
            key.push((KeyColumn { column: field.name.clone(), in_body, from_text }, *value));
        }
        if key.len() != relation.primary_key.len() || key.is_empty() {
            return Err(refused()?);
        }
        let allowed = self.catalog.may_update(relation)?;
        let others = relation.columns.iter().map(|c| &c.name).filter(|name| allowed.contains(name));
        let others = others.filter(|name| !columns.iter().any(|c| c.column == **name));
        let resets = absent::resets(self.catalog, relation, others)?;
        let conflict = Some(Conflict { columns: relation.primary_key.clone(), update: true, resets, kept: Vec::new() });
        Ok(Change::Insert { columns, uniform: false, key, conflict })
    }

    /// Refuses a method that the relation does not support, and filters of a POST.
    fn check_method(&self, verb: Verb, relation: &Relation, query: &Query) -> Result<()> {
        let supported = match verb {
            Verb::Create => relation.insertable,
            // without a key, the filters are refused
            Verb::Replace => {
                relation.is_replaceable()
                    || relation.primary_key.is_empty() && relation.insertable && relation.updatable
            }
            Verb::Update => relation.updatable,
            _ => relation.deletable,
        };
        if !supported {
            let allow = self.allow(relation, query.item.is_some())?;
            return Err(Error::new(
                Code::Allow,
                format!("'{}' does not support this method: rows of it cannot be written this way", relation.name.name),
            )
            .hint(format!("It allows {allow}."))
            .header("allow", allow));
        }
        if verb == Verb::Create && !query.root.conditions.is_empty() {
            return Err(Error::new(Code::QueryParameter, "POST does not accept filters")
                .hint("Leave them out, or send PATCH to change the rows that they choose."));
        }
        Ok(())
    }
}

/// The primary key, as Location names it: a column whose representation filters can read is given in it.
fn key_for_location(relation: &Relation) -> Vec<(String, Option<Box<QualifiedName>>)> {
    let column = |name: &String| {
        let representation = relation.column(name).and_then(|c| c.representation.as_ref());
        (name.clone(), representation.filter(|r| r.from_text.is_some()).and_then(|r| r.to_json.clone()))
    };
    relation.primary_key.iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Predicate;
    use crate::plan::fixture::*;

    fn insert(target: &str, prefer: &str, keys: &str) -> (Vec<BodyColumn>, Option<Conflict>, bool) {
        match write(Verb::Create, target, prefer, Some(keys)).unwrap().change {
            Change::Insert { columns, conflict, uniform, .. } => (columns, conflict, uniform),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_bodys_keys_are_columns_with_their_types() {
        let (columns, conflict, uniform) = insert("books", "", "title price");
        let shown: Vec<(&str, &str)> = columns.iter().map(|c| (c.column.as_str(), c.data_type.as_str())).collect();
        assert_eq!(shown, [("title", "text"), ("price", "numeric(10,2)")]);
        assert!(columns.iter().all(|c| c.default.is_none()));
        assert!(conflict.is_none() && uniform);
        let e = write(Verb::Create, "books", "", Some("title nothing")).unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST204", 400));
        assert_eq!(e.message, "Could not find the 'nothing' column of 'books' in the schema cache");
    }

    #[test]
    fn columns_choose_among_the_bodys_keys() {
        let (columns, _, uniform) = insert("books?columns=title", "", "title nothing");
        assert_eq!(columns.len(), 1);
        assert!(!uniform);
        assert_eq!(refusal(write(Verb::Create, "books?columns=nothing", "", Some("title"))).0, "PGRST204");
    }

    #[test]
    fn missing_keys_get_defaults_when_asked_for() {
        let (columns, _, uniform) = insert("books?columns=title,price", "missing=default", "title price");
        assert_eq!(columns[0].default, None);
        assert_eq!(columns[1].default.as_deref(), Some("0"));
        assert!(!uniform);
        // without `columns`, only the keys of the first object are used
        assert!(insert("books", "missing=default", "title price").2);
    }

    #[test]
    fn conflicts_are_on_the_key_or_on_what_is_named() {
        let conflict = |target: &str, prefer: &str| {
            insert(target, prefer, "book_id number").1.map(|c| (c.columns.join(","), c.update))
        };
        let key = "book_id,number".to_owned();
        assert_eq!(conflict("editions", "resolution=merge-duplicates"), Some((key.clone(), true)));
        assert_eq!(conflict("editions", "resolution=ignore-duplicates"), Some((key, false)));
        assert_eq!(
            conflict("editions?on_conflict=year", "resolution=merge-duplicates"),
            Some(("year".to_owned(), true))
        );
        assert_eq!(conflict("editions?on_conflict=year", ""), None);
        let unknown = write(Verb::Create, "editions?on_conflict=x", "resolution=merge-duplicates", Some("year"));
        assert_eq!(refusal(unknown), ("42703".to_owned(), 400));
    }

    #[test]
    fn put_names_the_whole_key_and_nothing_else() {
        let put = |target: &str| write(Verb::Replace, target, "", Some("book_id year"));
        let Change::Insert { key, conflict, .. } = put("editions?book_id=eq.1&number=eq.2").unwrap().change else {
            panic!("no insert")
        };
        let key: Vec<(&str, Option<usize>)> = key.iter().map(|(k, _)| (k.column.as_str(), k.in_body)).collect();
        assert_eq!(key, [("book_id", Some(0)), ("number", None)]);
        assert!(conflict.unwrap().update);
        for target in [
            "editions",
            "editions?book_id=eq.1",
            "editions?book_id=eq.1&number=gt.2",
            "editions?book_id=eq.1&number=not.eq.2",
            "editions?book_id=eq.1&number=eq(any).{2}",
            "editions?book_id=eq.1&book_id=eq.1",
            "editions?book_id=eq.1&number=eq.2&year=eq.3",
            "editions?and=(book_id.eq.1,number.eq.2)",
        ] {
            assert_eq!(refusal(put(target)), ("PGRST105".to_owned(), 405), "{target}");
        }
        assert_eq!(refusal(put("editions?book_id=eq.1&number=eq.2&limit=1")), ("PGRST114".to_owned(), 400));
    }

    #[test]
    fn what_comes_back_is_what_was_preferred() {
        let returning = |prefer: &str| write(Verb::Create, "books?select=id", prefer, Some("id")).unwrap().returning;
        assert!(matches!(returning(""), Returning::Nothing));
        assert!(matches!(returning("return=minimal"), Returning::Nothing));
        assert!(matches!(returning("return=headers-only"), Returning::Key(key) if key == [("id".to_owned(), None)]));
        assert!(matches!(returning("return=representation"), Returning::Rows(_)));
    }

    /// The rows that PATCH and DELETE change, and the returned rows.
    #[track_caller]
    fn chosen(target: &str) -> (Chosen, Select) {
        let of = |verb, keys| {
            let write = write(verb, target, "return=representation", keys).unwrap();
            let (Change::Update { chosen, .. } | Change::Delete { chosen }) = write.change else { panic!("no choice") };
            let Returning::Rows(written) = write.returning else { panic!("no rows") };
            (*chosen, *written)
        };
        let (patch, delete) = (of(Verb::Update, Some("")), of(Verb::Delete, None));
        assert_eq!(format!("{patch:?}"), format!("{delete:?}"));
        patch
    }

    #[test]
    fn every_filter_chooses_rows_to_write_and_none_among_the_written() {
        let (chosen, written) = chosen("books?id=eq.1&select=id,authors()&authors=not.is.null");
        assert!(matches!(
            chosen.select.conditions.as_slice(),
            [Predicate::Test { .. }, Predicate::Embedded { is_null: false, .. }]
        ));
        assert!(written.conditions.is_empty());
    }

    #[test]
    fn a_filter_on_a_column_that_an_embedded_relation_is_named_by_is_the_columns() {
        for target in
            ["books?author_id=eq.1&select=id,author_id(name)", "books?price=gt.1&select=id,price:authors(name)"]
        {
            let (chosen, _) = chosen(target);
            assert!(matches!(chosen.select.conditions.as_slice(), [Predicate::Test { .. }]), "{target}");
        }
    }

    #[test]
    fn what_comes_back_is_every_row_that_was_written() {
        let (_, written) = chosen("books?select=id,authors!inner(name)&authors.name=eq.x");
        assert!(!written.restricts() && written.embeds.iter().all(|e| !e.inner && e.select.conditions.len() == 1));
    }

    #[test]
    fn an_inner_join_chooses_rows_to_write_if_it_is_filtered() {
        let inner = |target: &str| chosen(target).0.select.embeds.iter().map(|e| e.inner).collect::<Vec<bool>>();
        assert_eq!(inner("books?select=id,authors!inner(name)"), [false]);
        assert_eq!(inner("books?select=id,authors!inner(name)&authors.name=eq.x"), [true]);
        assert_eq!(inner("books?select=id,authors(name)&authors.name=eq.x"), [false]);
        assert_eq!(inner("authors?select=id,books!inner(id,covers!inner(colour))&books.covers.colour=eq.1"), [true]);
        assert_eq!(inner("authors?select=id,books!inner(id,covers(colour))&books.covers.colour=eq.1"), [false]);
    }

    #[test]
    fn a_page_is_chosen_by_the_order_and_the_key() {
        let (chosen, written) = chosen("editions?order=year.desc&limit=1&offset=2");
        assert_eq!((chosen.key.join(","), chosen.select.order.len()), ("book_id,number".to_owned(), 3));
        assert!(!written.limit.is_set() && written.offset.is_none());
        assert_eq!(refusal(write(Verb::Delete, "pair_list?limit=1", "", None)), ("PGRST100".to_owned(), 400));
    }

    #[test]
    fn the_same_is_refused_whatever_comes_back() {
        for target in [
            "books?select=nothing(id)&nothing.id=eq.1",
            "books?select=reviews(id,people(id))",
            "books?select=nothing",
            "books?select=id,authors(nothing)",
            "books?order=nothing",
            "books?select=id,id",
        ] {
            for (verb, keys) in [(Verb::Create, Some("id")), (Verb::Update, Some("id")), (Verb::Delete, None)] {
                let refused = |prefer: &str| refusal(write(verb, target, prefer, keys));
                let expected = refused("return=representation");
                for prefer in ["", "return=minimal", "return=headers-only"] {
                    assert_eq!(refused(prefer), expected, "{verb:?} {target} {prefer}");
                }
            }
        }
    }

    #[test]
    fn filters_of_a_post_are_refused() {
        for target in ["books?id=eq.1", "books?or=(id.eq.1,id.eq.2)", "books?select=authors()&authors=is.null"] {
            assert_eq!(refusal(write(Verb::Create, target, "", Some("id"))), ("PGRST100".to_owned(), 400), "{target}");
        }
    }

    #[test]
    fn views_that_cannot_be_written_say_what_they_allow() {
        for verb in [Verb::Create, Verb::Replace, Verb::Update, Verb::Delete] {
            let e = write(verb, "shelf_list", "", Some("title")).unwrap_err();
            assert_eq!((e.code.as_str(), e.status), ("REST405", 405));
            assert_eq!(e.headers, [("allow".to_owned(), "OPTIONS,GET,HEAD,QUERY".to_owned())]);
        }
    }
}
