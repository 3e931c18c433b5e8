//! Plans pages that begin beside a row: what orders the rows so that no two are equal, and how to go on after a row.

use super::{Keyset, OrderBy, Ordering, Planner, Select};
use crate::catalog::{Column, Comparison, Relation, TypeClass};
use crate::error::{Code, Error, Result};
use crate::keyset::{self, Seek};
use crate::plan::columns::Columns;
use crate::query::{Field, OrderTerm, QueryNode};
use std::ops::Range;

/// A term that tells rows apart, in the direction in which the rows are read.
#[derive(Clone, Debug)]
struct Key {
    by: OrderBy,
    /// The column's name, or what stands for the term. It is part of the identity of the order.
    name: String,
    /// It is a column of the relation itself.
    is_column: bool,
    /// The type of the column.
    data_type: Option<String>,
    /// The type that it is compared as. Without one, PostgreSQL infers the type of what it is compared with.
    cast: Option<String>,
    is_nullable: bool,
    descending: bool,
    nulls_first: bool,
}

/// A condition on one key or several, by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyTest {
    /// The key equals that of the row that the page lies beside.
    Equal(usize),
    IsNull(usize),
    IsNotNull(usize),
    /// The keys come after those of the row, compared as a row. `descending`: in descending order.
    Beyond {
        keys: Range<usize>,
        descending: bool,
    },
}

impl Planner<'_> {
    /// Makes of a read one whose page begins where it is asked to: its rows are ordered by the terms of the request and by the primary key,
    /// or another unique key.
    ///
    /// # Errors
    /// REST461 if the rows cannot be told apart, or a term has no value to come back to; REST460 if the order is not the one that the cursor
    /// was made for.
    pub(super) fn keyset(&self, select: &mut Select, relation: &Relation, node: &QueryNode, seek: &Seek) -> Result<()> {
        if select.grouped {
            return Err(Error::new(Code::CursorOrder, "Aggregated rows have no cursors")
                .hint("Ask for pages of them with 'limit' and 'offset'."));
        }
        let mut keys = Vec::with_capacity(node.order.len() + 1);
        for (term, ordering) in node.order.iter().zip(std::mem::take(&mut select.order)) {
            keys.push(self.key(select, relation, term, ordering)?);
        }
        // In the direction of the last term, one scan of an index of all of them goes on from the row.
        let descending = keys.last().is_some_and(|key| key.descending);
        for column in self.unique_key(relation)? {
            if keys.iter().any(|key| key.is_column && key.name == column.name) {
                continue;
            }
            let field = Field { name: column.name.clone(), path: Vec::new() };
            let term = OrderTerm { relation: None, field, descending: None, nulls_first: None };
            let by = OrderBy::Expression(self.expression(&select.alias, Columns::Relation(relation), &term.field)?);
            let ordering = Ordering { by, descending: Some(descending), nulls_first: None };
            keys.push(self.key(select, relation, &term, ordering)?);
        }
        let order = keyset::order_identity(keys.iter().map(Key::identity));
        if seek.backward {
            for key in &mut keys {
                (key.descending, key.nulls_first) = (!key.descending, !key.nulls_first);
            }
        }
        let values = match &seek.beside {
            Some(beside) if beside.order != order || beside.keys.len() != keys.len() => {
                return Err(Error::new(Code::Cursor, "The rows are not ordered as they were when the cursor was made")
                    .details("The type of a column, or the key of the table, has changed.")
                    .hint(format!("Start again with cursor={}.", keyset::FIRST)));
            }
            Some(beside) => beside.keys.clone(),
            None => Vec::new(),
        };
        let is_null: Vec<bool> = values.iter().map(Option::is_none).collect();
        let regions = if values.is_empty() { vec![Vec::new()] } else { regions(&keys, &is_null) };
        select.limit.cap = select.limit.cap.map(keyset::one_more);
        let casts = keys.iter().map(|key| key.cast.clone()).collect();
        select.order = keys.into_iter().map(Key::into_ordering).collect();
        select.keyset = Some(Box::new(Keyset { backward: seek.backward, order, values, casts, regions }));
        Ok(())
    }

    /// The columns of a key that no two rows share: the primary key, or another one.
    fn unique_key<'r>(&self, relation: &'r Relation) -> Result<Vec<&'r Column>> {
        let key = match relation.primary_key.as_slice() {
            [] => self.catalog.unique_key(relation)?,
            key => key.to_vec(),
        };
        let columns: Vec<&Column> = key.iter().filter_map(|name| relation.column(name)).collect();
        if !columns.is_empty() && columns.len() == key.len() {
            return Ok(columns);
        }
        let name = &relation.name.name;
        let error = Error::new(Code::CursorOrder, format!("The rows of '{name}' have no key to tell them apart by"));
        Err(error.hint(if relation.is_view {
            "Let the view show the primary key of its table, or ask for pages with 'limit' and 'offset'."
        } else {
            "Give the table a primary key, or a unique key of columns that are NOT NULL; or ask for pages with 'limit' and 'offset'."
        }))
    }

    /// The key of a term of the order.
    fn key(&self, select: &Select, relation: &Relation, term: &OrderTerm, ordering: Ordering) -> Result<Key> {
        let descending = ordering.descending.unwrap_or(false);
        let embedded = match &ordering.by {
            OrderBy::Embedded { embed, .. } | OrderBy::Spread { embed, .. } => select.embeds.get(*embed),
            OrderBy::Expression(_) => None,
        };
        let related = match embedded {
            Some(embedded) => self.source_relation(&embedded.select.source)?,
            None => None,
        };
        let name = &term.field.name;
        let is_plain = term.field.path.is_empty();
        let column = related.as_deref().unwrap_or(relation).column(name).filter(|_| is_plain);
        if is_plain
            && column.is_none()
            && let Some(function) =
                self.row_function(related.as_deref().unwrap_or(relation).oid, &relation.name.name, name)?
            && (function.is_volatile || function.class == TypeClass::Structured)
        {
            return Err(Error::new(
                Code::CursorOrder,
                format!("Rows ordered by the computed column '{name}' have no cursors"),
            )
            .details(if function.is_volatile {
                "Its function is VOLATILE, so a row may have another value each time."
            } else {
                "Its value is an array or a composite."
            })
            .hint("Order by another column, or ask for pages with 'limit' and 'offset'."));
        }
        if column.is_some_and(|column| column.comparison == Comparison::Impossible) {
            return Err(Error::new(
                Code::CursorOrder,
                format!("Rows ordered by the composite column '{name}' have no cursors"),
            )
            .hint("Order by another column, or ask for pages with 'limit' and 'offset'."));
        }
        let is_column = term.relation.is_none() && column.is_some();
        Ok(Key {
            by: ordering.by,
            name: if is_column { name.clone() } else { format!("{:?}", (&term.relation, &term.field)) },
            is_column,
            data_type: column.map(|column| column.data_type.clone()),
            cast: column.and_then(|column| match &column.comparison {
                Comparison::As(data_type) => Some(data_type.clone()),
                Comparison::Inferred | Comparison::Impossible => None,
            }),
            is_nullable: !(is_column && column.is_some_and(|column| column.not_null)),
            descending,
            nulls_first: ordering.nulls_first.unwrap_or(descending),
        })
    }
}

impl Key {
    fn identity(&self) -> String {
        let data_type = self.data_type.as_deref().unwrap_or_default();
        format!("{}\0{}\0{data_type}\0{}\0{}", self.is_column, self.name, self.descending, self.nulls_first)
    }

    fn into_ordering(self) -> Ordering {
        Ordering { by: self.by, descending: Some(self.descending), nulls_first: Some(self.nulls_first) }
    }

    /// Whether there may be nulls, and they come after all values.
    fn ends_in_nulls(&self) -> bool {
        self.is_nullable && !self.nulls_first
    }
}

/// The rows that come after a row, as regions in their order. Within each, an index of the keys leads to the first row and goes on from
/// there: all keys before some place are those of the row, and the keys from there on come after it. Together, and only together, they
/// have exactly the rows after it.
///
/// `is_null`: which keys of the row are null.
fn regions(keys: &[Key], is_null: &[bool]) -> Vec<Vec<KeyTest>> {
    // Keys that are compared as a row: of one direction, and without nulls after their values, as a comparison with null is never true.
    // For the nulls after the values of the first one there is a region of its own.
    let mut runs: Vec<Range<usize>> = Vec::new();
    let is_null = |i: usize| is_null.get(i).copied().unwrap_or_default();
    for (i, key) in keys.iter().enumerate() {
        let continues = |run: &&mut Range<usize>| {
            let same_way = keys.get(run.start).is_some_and(|first| first.descending == key.descending);
            same_way && !is_null(run.start) && !is_null(i) && !key.ends_in_nulls()
        };
        match runs.last_mut().filter(continues) {
            Some(run) => run.end = i + 1,
            None => runs.push(i..i + 1),
        }
    }
    let mut regions = Vec::new();
    for run in runs.iter().rev() {
        let Some(first) = keys.get(run.start) else { continue };
        let equal = (0..run.start).map(|i| if is_null(i) { KeyTest::IsNull(i) } else { KeyTest::Equal(i) });
        let mut add = |test| regions.push(equal.clone().chain([test]).collect());
        if is_null(run.start) {
            if first.nulls_first {
                add(KeyTest::IsNotNull(run.start));
            }
            continue;
        }
        add(KeyTest::Beyond { keys: run.clone(), descending: first.descending });
        if first.ends_in_nulls() {
            add(KeyTest::IsNull(run.start));
        }
    }
    if regions.is_empty() {
        // No row comes after nulls that come last.
        regions.push(vec![KeyTest::IsNull(0), KeyTest::IsNotNull(0)]);
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::{Ask, Settings};
    use crate::http::{Headers, Request};
    use crate::keyset::Beside;
    use crate::plan::action::{self, ActionPlan};
    use crate::plan::fixture::{Library, SCHEMA, UNKEYED};
    use crate::plan::{ColumnReference, Expression, Plan};
    use crate::query::Literal;
    use crate::query::random::Random;
    use crate::route::{Route, Surface, route};
    use crate::statement;
    use std::cmp::Ordering::{self as Compared, Equal, Greater, Less};
    use std::rc::Rc;

    type Row = Vec<Option<u8>>;

    fn key(is_nullable: bool, descending: bool, nulls_first: bool) -> Key {
        let expression = Expression::of(Some(ColumnReference::new("t0", "a")));
        let (by, name) = (OrderBy::Expression(expression), "a".to_owned());
        Key { by, name, is_column: true, data_type: None, cast: None, is_nullable, descending, nulls_first }
    }

    fn compare(keys: &[Key], a: &Row, b: &Row) -> Compared {
        let of_key = |((key, a), b): ((&Key, &Option<u8>), &Option<u8>)| match (a, b) {
            (None, None) => Equal,
            (None, _) => {
                if key.nulls_first {
                    Less
                } else {
                    Greater
                }
            }
            (_, None) => {
                if key.nulls_first {
                    Greater
                } else {
                    Less
                }
            }
            (Some(a), Some(b)) => {
                if key.descending {
                    b.cmp(a)
                } else {
                    a.cmp(b)
                }
            }
        };
        keys.iter().zip(a).zip(b).map(of_key).find(|compared| *compared != Equal).unwrap_or(Equal)
    }

    /// Whether SQL's condition is true.
    fn holds(test: &KeyTest, row: &Row, beside: &Row) -> bool {
        match test {
            KeyTest::Equal(i) => row[*i].is_some() && row[*i] == beside[*i],
            KeyTest::IsNull(i) => row[*i].is_none(),
            KeyTest::IsNotNull(i) => row[*i].is_some(),
            KeyTest::Beyond { keys, descending } => {
                for i in keys.clone() {
                    match (row[i], beside[i]) {
                        (Some(a), Some(b)) if a == b => {}
                        (Some(a), Some(b)) => return (a > b) != *descending,
                        _ => return false,
                    }
                }
                false
            }
        }
    }

    #[test]
    fn the_regions_are_the_rows_after_a_row_in_their_order() {
        let mut random = Random::new(20_261_130);
        for _ in 0..20_000 {
            let count = 1 + random.below(4);
            let keys: Vec<Key> =
                (0..count).map(|_| key(random.one_in(2), random.one_in(2), random.one_in(2))).collect();
            let mut row = |_| -> Row {
                keys.iter()
                    .map(|key| Some(random.below(3) as u8).filter(|value| !key.is_nullable || *value > 0))
                    .collect()
            };
            let mut rows: Vec<Row> = (0..12).map(&mut row).collect();
            let beside = row(0);
            rows.sort_by(|a, b| compare(&keys, a, b));
            let is_null: Vec<bool> = beside.iter().map(Option::is_none).collect();
            let mut read: Vec<&Row> = Vec::new();
            for region in regions(&keys, &is_null) {
                read.extend(rows.iter().filter(|row| region.iter().all(|test| holds(test, row, &beside))));
            }
            let expected: Vec<&Row> = rows.iter().filter(|row| compare(&keys, row, &beside) == Greater).collect();
            assert_eq!(read, expected, "{keys:?} {beside:?}");
        }
    }

    #[test]
    fn one_comparison_goes_on_where_the_order_is_of_one_direction() {
        let of = |keys: &[Key]| regions(keys, &vec![false; keys.len()]).len();
        assert_eq!(of(&[key(false, true, true), key(false, true, true)]), 1);
        // nulls that come first are not after a value
        assert_eq!(of(&[key(true, true, true), key(false, true, true)]), 1);
        assert_eq!(of(&[key(true, false, false), key(false, false, false)]), 2);
        assert_eq!(of(&[key(false, true, true), key(false, false, false)]), 2);
    }

    fn planned(target: &str) -> Result<Select> {
        let headers = Headers::default();
        let request = Request::parse("GET", target, &headers, None)?;
        let surface = Surface { schemas: Rc::new([SCHEMA.into()]), ..Surface::default() };
        let Route::Action(action) = route(&request, &surface)? else { panic!("{target} is an endpoint") };
        let mut settings = Settings::default();
        settings.plan.aggregates = true;
        let mut ask = Ask::read(&request, action, &settings)?;
        let first = match action::plan(&ask.shape, &Library::default())? {
            ActionPlan::Statement(plan, _) => match *plan {
                Plan::Read(select) => select,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        let Some(keyset) = &first.keyset else { panic!("{target} has no cursor") };
        let values = first.order.iter().map(|_| {
            ask.literals.push(Literal::Text("1".to_owned()));
            Some(ask.literals.len() - 1)
        });
        let beside = Some(Beside { order: keyset.order, keys: values.collect() });
        let mut shape = (*ask.shape).clone();
        shape.seek = Some(Seek { backward: keyset.backward, beside });
        match action::plan(&shape, &Library::default())? {
            ActionPlan::Statement(plan, _) => match *plan {
                Plan::Read(select) => Ok(select),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    /// What follows FROM in the statements of the regions.
    fn statements(target: &str) -> Vec<String> {
        let select = planned(target).unwrap();
        let count = select.keyset.as_ref().unwrap().regions.len();
        let sql = |i| statement::region(&Plan::Read(select.clone()), &Default::default(), i).sql;
        (0..count).map(sql).map(|sql| sql.split_once(" WHERE ").unwrap().1.replace('"', "")).collect()
    }

    #[test]
    fn the_primary_key_ends_the_order_in_its_direction() {
        assert_eq!(statements("/books?cursor=first&limit=5"), ["t0.id > $1 ORDER BY t0.id ASC NULLS LAST LIMIT $2"]);
        assert_eq!(
            statements("/books?cursor=first&limit=5&order=id.desc&title=eq.x"),
            ["t0.title = $1 AND t0.id < $2 ORDER BY t0.id DESC NULLS FIRST LIMIT $3"]
        );
        assert_eq!(
            statements("/books?cursor=first&limit=5&order=price.desc"),
            ["(t0.price, t0.id) < ($1, $2) ORDER BY t0.price DESC NULLS FIRST, t0.id DESC NULLS FIRST LIMIT $3"]
        );
        assert_eq!(
            statements("/books?cursor=last&limit=5&order=price"),
            ["(t0.price, t0.id) < ($1, $2) ORDER BY t0.price DESC NULLS FIRST, t0.id DESC NULLS FIRST LIMIT $3"]
        );
        let order = "ORDER BY t0.price ASC NULLS LAST, t0.id ASC NULLS LAST";
        assert_eq!(
            statements("/books?cursor=first&limit=5&order=price"),
            [format!("(t0.price, t0.id) > ($1, $2) {order} LIMIT $3"), format!("t0.price IS NULL {order} LIMIT $1")]
        );
    }

    #[test]
    fn other_keys_serve_and_relations_without_one_are_refused() {
        assert_eq!(
            statements(&format!("/{UNKEYED}?cursor=first&limit=5&order=label")),
            ["(t0.label, t0.edition) > ($1, $2) ORDER BY t0.label ASC NULLS LAST, t0.edition ASC NULLS LAST LIMIT $3",]
        );
        for target in ["/shelf_list?cursor=first&limit=5", "/books?select=count()&cursor=first&limit=5"] {
            assert_eq!(planned(target).unwrap_err().code, "REST461", "{target}");
        }
    }

    #[test]
    fn a_cursor_of_another_order_is_refused() {
        let select = planned("/books?cursor=first&limit=5").unwrap();
        let other = planned("/books?cursor=first&limit=5&order=price").unwrap();
        assert_ne!(select.keyset.unwrap().order, other.keyset.unwrap().order);
    }
}
