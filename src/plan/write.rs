//! Creating, replacing, updating and deleting rows.

use super::*;
use crate::catalog::Relation;
use crate::http::Preferences;
use crate::http::prefer::{Missing, Resolution, Return};
use crate::plan::read::Columns;
use crate::query::{Condition, Filter, Operation};
use crate::route::Verb;

/// What the planner needs to know of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BodyKeys {
    /// The keys of its first object, in order.
    pub keys: Vec<String>,
    /// Its values are texts: it is CSV or a form.
    pub texts: bool,
    /// Those of `columns` that none of its objects has, where what is missing stands for its default.
    pub absent: Vec<String>,
    /// Those that some of them have, and others not.
    pub partial: Vec<String>,
}

impl Planner<'_> {
    /// Plans a write.
    ///
    /// `body`: the keys of the body; DELETE has none.
    /// `item`: the request names one row by its key, whose filters are in `query` already.
    pub fn write(
        &mut self,
        verb: Verb,
        relation: &Relation,
        query: &Query,
        preferences: &Preferences,
        body: Option<&BodyKeys>,
    ) -> Result<Write> {
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
            return Err(Error::new(
                Code::Allow,
                format!("'{}' does not support this method: rows of it cannot be written this way", relation.name.name),
            )
            .hint(format!("It allows {}.", relation.allow()))
            .header("allow", relation.allow()));
        }
        let alias = self.alias('t');
        let mut columns = match body {
            Some(body) => self.body_columns(relation, query, preferences, body)?,
            None => Vec::new(),
        };
        let absent = absent::take(verb, relation, &mut columns, body.map_or(&[], |body| &body.absent));
        let change = match verb {
            Verb::Create => Change::Insert {
                columns,
                // Without `columns` the first object's keys are all there are: another one's would be lost.
                uniform: query.columns.is_none(),
                key: Vec::new(),
                conflict: self.conflict(relation, query, preferences, body, &absent)?,
            },
            Verb::Replace => self.replace(relation, query, columns)?,
            Verb::Update => Change::Update { columns, conditions: self.root_conditions(&alias, relation, query)? },
            _ => Change::Delete { conditions: self.root_conditions(&alias, relation, query)? },
        };
        let returning = match preferences.representation {
            Some(Return::Representation) => {
                let mut node = query.root.clone();
                // The conditions chose the rows to write; those on embedded relations still hold.
                node.conditions.retain(|c| self.is_on_embed(c, query));
                if verb == Verb::Replace {
                    node.conditions.clear();
                }
                let columns = Columns::Relation(relation);
                let mut select = self.select(Source::Written, alias.clone(), columns, &node, false)?;
                if select.computes() {
                    self.list_columns(&mut select, columns)?;
                }
                Returning::Rows(Box::new(select))
            }
            Some(Return::HeadersOnly) if verb == Verb::Create && !relation.primary_key.is_empty() => {
                let column = |name: &String| {
                    let representation = relation.column(name).and_then(|c| c.representation.as_ref());
                    (name.clone(), representation.filter(|r| r.from_text.is_some()).and_then(|r| r.to_json.clone()))
                };
                Returning::Key(relation.primary_key.iter().map(column).collect())
            }
            _ => {
                if matches!(verb, Verb::Update | Verb::Delete)
                    && (query.root.limit.is_some() || query.root.offset.is_some())
                {
                    return Err(Error::new(
                        Code::QueryParameter,
                        "limit and offset do not limit what PATCH and DELETE change",
                    )
                    .hint("Filter by the key, or send Prefer: handling=strict, max-affected=N."));
                }
                Returning::Nothing
            }
        };
        let is_item = query.is_item;
        Ok(Write { relation: relation.name.clone(), relation_oid: relation.oid, alias, change, returning, is_item })
    }

    fn is_on_embed(&self, condition: &Condition, query: &Query) -> bool {
        match condition {
            Condition::Tree { .. } => false,
            Condition::Filter(filter) => is_label(query, &filter.field.name),
        }
    }

    /// The conditions that choose the rows to write.
    fn root_conditions(&self, alias: &str, relation: &Relation, query: &Query) -> Result<Vec<Predicate>> {
        let on_table = query.root.conditions.iter().filter(|c| !self.is_on_embed(c, query));
        on_table.map(|c| self.predicate(alias, Columns::Relation(relation), &[], c)).collect()
    }

    fn body_columns(
        &self,
        relation: &Relation,
        query: &Query,
        preferences: &Preferences,
        body: &BodyKeys,
    ) -> Result<Vec<BodyColumn>> {
        let keys = query.columns.as_ref().unwrap_or(&body.keys);
        keys.iter()
            .map(|key| {
                let column = relation.column(key).ok_or_else(|| {
                    Error::new(
                        Code::Column,
                        format!("Could not find the '{key}' column of '{}' in the schema cache", relation.name.name),
                    )
                })?;
                let from_json = column.representation.as_ref().and_then(|r| r.from_json.clone());
                Ok(BodyColumn {
                    column: column.name.clone(),
                    data_type: match from_json {
                        Some(_) => "pg_catalog.json".to_owned(),
                        None => column.data_type.clone(),
                    },
                    is_text: body.texts,
                    from_json,
                    default: column.default.clone().filter(|_| preferences.missing == Some(Missing::Default)),
                })
            })
            .collect()
    }

    fn conflict(
        &self,
        relation: &Relation,
        query: &Query,
        preferences: &Preferences,
        body: Option<&BodyKeys>,
        absent: &[String],
    ) -> Result<Option<Conflict>> {
        let Some(resolution) = preferences.resolution else { return Ok(None) };
        let columns = query.on_conflict.clone().unwrap_or_else(|| relation.primary_key.clone());
        for column in &columns {
            if relation.column(column).is_none() {
                return Err(Error::no_column(&relation.name.name, column));
            }
        }
        if columns.is_empty() {
            return Ok(None);
        }
        let resets = absent::resets(relation, absent.iter());
        let kept = absent::kept(relation, body.map_or(&[], |body| &body.partial));
        Ok(Some(Conflict { columns, update: resolution == Resolution::MergeDuplicates, resets, kept }))
    }

    /// PUT: the URL names exactly the primary key, and the one row of the body has it.
    fn replace(&self, relation: &Relation, query: &Query, columns: Vec<BodyColumn>) -> Result<Change> {
        if query.root.limit.is_some() || query.root.offset.is_some() {
            return Err(Error::new(Code::PutLimit, "limit/offset querystring parameters are not allowed for PUT"));
        }
        let refused = || {
            Error::new(Code::PutFilters, "Filters must include all and only primary key columns with 'eq' operators")
                .header("allow", relation.allow())
        };
        let mut key = Vec::new();
        for condition in &query.root.conditions {
            let Condition::Filter(Filter {
                field,
                negated: false,
                operation: Operation::Binary { operator: Operator::Equal, quantifier: None, value },
            }) = condition
            else {
                return Err(refused());
            };
            let known = key.iter().any(|(k, _): &(KeyColumn, ValueId)| k.column == field.name);
            if known || !field.path.is_empty() || !relation.primary_key.contains(&field.name) {
                return Err(refused());
            }
            let in_body = columns.iter().position(|c| c.column == field.name);
            let representation = relation.column(&field.name).and_then(|c| c.representation.as_ref());
            let from_text = representation.and_then(|r| r.from_text.clone());
            key.push((KeyColumn { column: field.name.clone(), in_body, from_text }, *value));
        }
        if key.len() != relation.primary_key.len() || key.is_empty() {
            return Err(refused());
        }
        let allowed = self.catalog.may_update(relation)?;
        let others = relation.columns.iter().map(|c| &c.name).filter(|name| allowed.contains(name));
        let others = others.filter(|name| !columns.iter().any(|c| c.column == **name));
        let resets = absent::resets(relation, others);
        let conflict = Some(Conflict { columns: relation.primary_key.clone(), update: true, resets, kept: Vec::new() });
        Ok(Change::Insert { columns, uniform: false, key, conflict })
    }
}

fn is_label(query: &Query, name: &str) -> bool {
    use crate::query::SelectItem;
    query.root.select.iter().flatten().any(|item| matches!(item, SelectItem::Embed(e) if e.label() == name))
}

#[cfg(test)]
mod tests {
    use super::*;
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
        // without `columns`, the first object's keys are all there are
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
    fn limits_do_not_choose_what_is_changed() {
        for verb in [Verb::Update, Verb::Delete] {
            let keys = Some("title").filter(|_| verb == Verb::Update);
            assert_eq!(refusal(write(verb, "books?id=gt.1&limit=1", "", keys)), ("PGRST100".to_owned(), 400));
            assert_eq!(refusal(write(verb, "books?offset=1", "", keys)).0, "PGRST100");
        }
    }

    #[test]
    fn what_comes_back_is_what_was_preferred() {
        let returning = |prefer: &str| write(Verb::Create, "books?select=id", prefer, Some("id")).unwrap().returning;
        assert!(matches!(returning(""), Returning::Nothing));
        assert!(matches!(returning("return=minimal"), Returning::Nothing));
        assert!(matches!(returning("return=headers-only"), Returning::Key(key) if key == [("id".to_owned(), None)]));
        assert!(matches!(returning("return=representation"), Returning::Rows(_)));
    }

    #[test]
    fn what_chose_the_rows_to_write_does_not_choose_among_the_written() {
        let write = write(
            Verb::Update,
            "books?id=eq.1&select=id,authors()&authors=not.is.null",
            "return=representation",
            Some("id"),
        )
        .unwrap();
        let Change::Update { conditions, .. } = &write.change else { panic!("no update") };
        assert!(matches!(conditions.as_slice(), [Predicate::Test { .. }]));
        let Returning::Rows(select) = &write.returning else { panic!("no rows") };
        assert!(matches!(select.conditions.as_slice(), [Predicate::Embedded { .. }]));
    }

    #[test]
    fn views_that_cannot_be_written_say_what_they_allow() {
        for verb in [Verb::Create, Verb::Replace, Verb::Update, Verb::Delete] {
            let e = write(verb, "shelf_list", "", Some("title")).unwrap_err();
            assert_eq!((e.code.as_str(), e.status), ("REST405", 405));
            assert_eq!(e.headers, [("allow".to_owned(), "OPTIONS,GET,HEAD".to_owned())]);
        }
    }
}
