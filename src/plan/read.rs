//! Plans reads: resolves fields, conditions and order.

use super::columns::Columns;
use super::{
    ColumnReference, Embedded, Expression, OrderBy, Ordering, Output, Planner, Predicate, RowLimit, Select, Source,
    Test, embed,
};
use crate::catalog::{QualifiedName, Relation, TypeClass};
use crate::error::{Code, Error, Result};
use crate::query::{Aggregate, Condition, Field, IsValue, Operation, QueryNode, SelectField, SelectItem};
use crate::similar;
use crate::sqlstate::SqlState;
use std::collections::HashSet;
use std::rc::Rc;

impl Planner<'_> {
    /// Plans a read of a relation of the request's schema.
    ///
    /// # Errors
    /// A name in the query is unknown or ambiguous, or the query exceeds a limit.
    pub fn read(&mut self, relation: &Relation, node: &QueryNode) -> Result<Select> {
        let alias = self.alias('t');
        self.select(Source::Relation(relation.name.clone()), alias, Columns::Relation(relation), node, true)
    }

    /// Plans one level of a read.
    pub(super) fn select(
        &mut self,
        source: Source,
        alias: String,
        columns: Columns,
        node: &QueryNode,
        capped: bool,
    ) -> Result<Select> {
        let mut select = Select {
            source,
            alias,
            outputs: Vec::new(),
            conditions: Vec::new(),
            embeds: Vec::new(),
            order: Vec::new(),
            limit: RowLimit { value: node.limit, cap: self.settings.max_rows.filter(|_| capped) },
            offset: node.offset,
            grouped: false,
            listed: None,
            keyset: None,
            hidden: Vec::new(),
            cache_control: None,
        };
        // Relationships are resolved first, so that an unknown one is reported before an unknown column.
        let mut labels: Vec<&str> = Vec::new();
        for item in node.select.iter().flatten() {
            let SelectItem::Embed(embed) = item else { continue };
            let Some(relation) = columns.relation() else {
                return Err(self.no_relationship(columns.label(), &embed.name, &[]));
            };
            let embedded = self.embed(relation, &select.alias, embed)?;
            select.embeds.push(embedded);
            labels.push(embed.label());
        }
        self.outputs(&mut select, columns, node)?;
        refuse_repeated(&select, columns, &labels)?;
        if select.grouped {
            self.list_columns(&mut select, columns)?;
        } else if columns.relation().is_some_and(Relation::is_represented)
            && select.outputs.iter().any(|output| matches!(output, Output::All))
        {
            select.listed = Some(Rc::new(self.listed(&select.alias, columns)?));
        }
        for condition in &node.conditions {
            let predicate = self.predicate(&select.alias, columns, &labels, condition)?;
            select.conditions.push(predicate);
        }
        for term in &node.order {
            let by = match &term.relation {
                None => OrderBy::Expression(self.expression(&select.alias, columns, &term.field)?),
                Some(relation) => {
                    let Some(index) = labels.iter().position(|label| label == relation) else {
                        return Err(Error::new(
                            Code::NotEmbedded,
                            format!("'{relation}' is not an embedded resource in this request"),
                        )
                        .hint(format!("Verify that '{relation}' is included in the 'select' query parameter.")));
                    };
                    self.related_order(columns.label(), relation, select.embeds.get_mut(index), &term.field, index)?
                }
            };
            select.order.push(Ordering { by, descending: term.descending, nulls_first: term.nulls_first });
        }
        Ok(select)
    }

    /// The outputs of the level. Its embedded relations are planned already, in their order.
    fn outputs(&self, select: &mut Select, columns: Columns, node: &QueryNode) -> Result<()> {
        let Some(items) = &node.select else {
            select.outputs.push(Output::All);
            return Ok(());
        };
        let mut embeds = select.embeds.iter().enumerate();
        for item in items {
            match item {
                SelectItem::Star => {
                    let named = |name: &str| items.iter().any(|item| stands_for(item, name));
                    if columns.names().into_iter().any(named) {
                        let listed = self.listed(&select.alias, columns)?;
                        let is_left =
                            |output: &Output| !matches!(output, Output::Expression { name, .. } if named(name));
                        select.outputs.extend(listed.into_iter().filter(is_left));
                    } else {
                        select.outputs.push(Output::All);
                    }
                }
                SelectItem::Field(field) => {
                    let counted = self.count_column(columns, field)?;
                    let field = counted.as_ref().unwrap_or(field);
                    select.outputs.push(self.field_output(&select.alias, columns, field)?);
                    select.grouped |= field.aggregate.is_some();
                }
                SelectItem::Embed(embed) => {
                    let Some((index, embedded)) = embeds.next() else { continue };
                    if let Some(columns) = &embedded.spread {
                        select.grouped |= columns.iter().any(|column| column.aggregate.is_some());
                        if !columns.is_empty() {
                            select.outputs.push(Output::Spread { embed: index });
                        }
                    } else if !embedded.select.outputs.is_empty() {
                        select.outputs.push(Output::Embedded { embed: index, name: embed.label().to_owned() });
                    }
                }
            }
        }
        Ok(())
    }

    /// SQL's `table.count` written as `count`: it is `count()`, unless the relation has such a column.
    fn count_column(&self, columns: Columns, field: &SelectField) -> Result<Option<SelectField>> {
        let is_count = |f: &Field| f.name == "count" && f.path.is_empty();
        if !self.settings.aggregates
            || field.aggregate.is_some()
            || !field.field.as_ref().is_some_and(is_count)
            || self.column(columns, "count").is_ok()
        {
            return Ok(None);
        }
        Ok(Some(SelectField {
            field: None,
            alias: field.alias.clone(),
            cast: None,
            aggregate: Some(Aggregate::Count),
            aggregate_cast: field.cast.clone(),
        }))
    }

    /// Replaces `*` by the columns that it stands for, because grouping and spreading need single columns.
    pub(super) fn list_columns(&self, select: &mut Select, columns: Columns) -> Result<()> {
        for output in std::mem::take(&mut select.outputs) {
            match output {
                Output::All => select.outputs.extend(self.listed(&select.alias, columns)?),
                other => select.outputs.push(other),
            }
        }
        Ok(())
    }

    /// All columns, one by one.
    fn listed(&self, alias: &str, columns: Columns) -> Result<Vec<Output>> {
        let output = |name: &str| {
            let field = Field { name: name.to_owned(), path: Vec::new() };
            let mut expression = self.expression(alias, columns, &field)?;
            expression.to_json = columns.representation(name).and_then(|r| r.to_json.clone());
            Ok(Output::Expression { expression, name: field.name })
        };
        columns.names().into_iter().map(output).collect()
    }

    /// The relation of an embedded source.
    pub(super) fn source_relation(&self, source: &Source) -> Result<Option<Rc<Relation>>> {
        source.relation().map_or(Ok(None), |name| self.catalog.relation(&name.schema, &name.name))
    }

    fn related_order(
        &mut self,
        parent: &str,
        relation: &str,
        embedded: Option<&mut Embedded>,
        field: &Field,
        embed: usize,
    ) -> Result<OrderBy> {
        let refused = || {
            Error::new(Code::RelatedOrder, format!("A related order on '{relation}' is not possible"))
                .details(format!("'{parent}' and '{relation}' do not form a many-to-one or one-to-one relationship"))
        };
        let embedded = embedded.filter(|e| !e.to_many && !e.select.grouped).ok_or_else(refused)?;
        if let Some(column) = embed::handed_out(embedded, field) {
            return Ok(OrderBy::Spread { embed, column });
        }
        let target = self.source_relation(&embedded.select.source)?.ok_or_else(refused)?;
        let expression = self.expression(&embedded.select.alias, Columns::Relation(&target), field)?;
        embedded.extras.push(expression);
        Ok(OrderBy::Embedded { embed, extra: embedded.extras.len() - 1 })
    }

    fn field_output(&self, alias: &str, columns: Columns, item: &SelectField) -> Result<Output> {
        if item.aggregate.is_some() && !self.settings.aggregates {
            return Err(Error::new(Code::Aggregates, "Use of aggregate functions is not allowed")
                .hint("Set restful.aggregates_enabled to on to allow them."));
        }
        let mut expression = match &item.field {
            Some(field) => self.expression(alias, columns, field)?,
            None => Expression::of(None),
        };
        // A path leads into the stored value, and the stored value is what is aggregated.
        if let (Some(field), None) = (&item.field, item.aggregate)
            && field.path.is_empty()
        {
            expression.to_json = columns.representation(&field.name).and_then(|r| r.to_json.clone());
        }
        expression.cast = self.cast(item.cast.as_deref())?;
        expression.aggregate = item.aggregate;
        expression.aggregate_cast = self.cast(item.aggregate_cast.as_deref())?;
        let name = match (&item.alias, item.aggregate, &item.field) {
            (Some(alias), _, _) => alias.clone(),
            (None, Some(aggregate), _) => aggregate_name(aggregate).to_owned(),
            (None, None, Some(field)) => default_label(field),
            (None, None, None) => "count".to_owned(),
        };
        Ok(Output::Expression { expression, name })
    }

    /// The type of a cast.
    fn cast(&self, name: Option<&str>) -> Result<Option<Rc<str>>> {
        let Some(name) = name else { return Ok(None) };
        // the SQL standard's names of types that have another name in pg_catalog
        let spelled = match name.to_ascii_lowercase().as_str() {
            "int" | "integer" => "int4".to_owned(),
            "bigint" => "int8".to_owned(),
            "smallint" => "int2".to_owned(),
            "real" => "float4".to_owned(),
            "float" | "double precision" => "float8".to_owned(),
            "boolean" => "bool".to_owned(),
            "decimal" | "dec" => "numeric".to_owned(),
            "character varying" => "varchar".to_owned(),
            "character" | "char" => "bpchar".to_owned(),
            "timestamp with time zone" => "timestamptz".to_owned(),
            "timestamp without time zone" => "timestamp".to_owned(),
            "time with time zone" => "timetz".to_owned(),
            "time without time zone" => "time".to_owned(),
            "bit varying" => "varbit".to_owned(),
            _ => name.to_owned(),
        };
        match self.catalog.data_type(self.schema, &spelled)? {
            Some(data_type) => Ok(Some(data_type)),
            None => Err(Error::with_code(SqlState::UNDEFINED_OBJECT, 400, format!("type \"{name}\" does not exist"))
                .hint("Cast to a base type of PostgreSQL or a type of the schema.")),
        }
    }

    /// The class of a column's type, and the function that computes the column, if it is computed.
    pub(super) fn column(&self, columns: Columns, name: &str) -> Result<(Option<QualifiedName>, TypeClass)> {
        if let Some(class) = columns.class(name) {
            return Ok((None, class));
        }
        if let Some(row_type) = columns.row_type()
            && let Some(function) = self.row_function(row_type, columns.label(), name)?
            && function.is_column()
        {
            return Ok((Some(function.name), function.class));
        }
        Err(self.no_column(columns, name)?)
    }

    /// Whether a column has the name of an embedded relation. The function that computes the relation does not count.
    fn is_column_beside_embeds(&self, columns: Columns, name: &str) -> Result<bool> {
        if columns.class(name).is_some() {
            return Ok(true);
        }
        let Some(row_type) = columns.row_type() else { return Ok(false) };
        let function = self.row_function(row_type, columns.label(), name)?;
        Ok(function.is_some_and(|function| function.is_column() && function.relation.is_none()))
    }

    /// The error for an unknown column. It suggests a similar column that the role may read.
    pub(super) fn no_column(&self, columns: Columns, name: &str) -> Result<Error> {
        let error = Error::no_column(columns.label(), name);
        Ok(match self.similar_column(columns, name)? {
            Some(meant) => error.hint(format!("Perhaps you meant the column {}.{meant}", columns.label())),
            None => error,
        })
    }

    /// The column of a similar name that the role may read.
    pub(super) fn similar_column<'r>(&self, columns: Columns<'r>, name: &str) -> Result<Option<&'r str>> {
        let Some(meant) = similar::closest(name, columns.names()) else { return Ok(None) };
        let is_readable = match columns.relation() {
            Some(relation) => self.catalog.may_read_column(relation, meant)?,
            None => true,
        };
        Ok(Some(meant).filter(|_| is_readable))
    }

    pub(super) fn expression(&self, alias: &str, columns: Columns, field: &Field) -> Result<Expression> {
        let (function, class) = self.column(columns, &field.name)?;
        Ok(Expression {
            column: Some(ColumnReference { function, ..ColumnReference::new(alias, &field.name) }),
            to_jsonb: !field.path.is_empty() && class != TypeClass::Json,
            path: field.path.clone(),
            cast: None,
            aggregate: None,
            aggregate_cast: None,
            to_json: None,
        })
    }

    /// A condition. `labels`: the names of the relations embedded at this level.
    pub(super) fn predicate(
        &self,
        alias: &str,
        columns: Columns,
        labels: &[&str],
        condition: &Condition,
    ) -> Result<Predicate> {
        let filter = match condition {
            Condition::Tree { negated, connective, children } => {
                let children: Result<Vec<Predicate>> =
                    children.iter().map(|child| self.predicate(alias, columns, labels, child)).collect();
                return Ok(Predicate::Tree { negated: *negated, connective: *connective, children: children? });
            }
            Condition::Filter(filter) => filter,
        };
        let embed = labels.iter().position(|label| *label == filter.field.name);
        // If a column and an embedded relation share the name, only is.null and not.is.null test the relation.
        let is_null_test = matches!(filter.operation, Operation::Is(IsValue::Null));
        if let Some(embed) = embed
            && filter.field.path.is_empty()
            && (is_null_test || !self.is_column_beside_embeds(columns, &filter.field.name)?)
        {
            return match (&filter.operation, filter.negated) {
                (Operation::Is(IsValue::Null), negated) => Ok(Predicate::Embedded { embed, is_null: !negated }),
                (Operation::Is(IsValue::NotNull), negated) => Ok(Predicate::Embedded { embed, is_null: negated }),
                _ => Err(Error::new(
                    Code::EmbedFilter,
                    format!("Bad operator on the '{}' embedded resource", filter.field.name),
                )
                .details("Only is null or not is null filters are allowed on embedded resources")),
            };
        }
        let expression = self.expression(alias, columns, &filter.field)?;
        let test = match &filter.operation {
            Operation::Binary { operator, quantifier, value } => {
                Test::Binary { operator: *operator, quantifier: *quantifier, value: *value }
            }
            Operation::In(value) => Test::In(*value),
            Operation::Is(value) => Test::Is(*value),
            Operation::IsDistinct(value) => Test::IsDistinct(*value),
            Operation::FullText { function, configuration, value } => Test::FullText {
                function: *function,
                configuration: configuration.clone(),
                value: *value,
                convert: !filter.field.path.is_empty()
                    || self.column(columns, &filter.field.name)?.1 != TypeClass::Tsvector,
            },
        };
        let from_text = if filter.field.path.is_empty() {
            columns.representation(&filter.field.name).and_then(|r| r.from_text.clone())
        } else {
            None
        };
        Ok(Predicate::Test { expression, negated: filter.negated, test, from_text })
    }
}

/// Whether an item already outputs what `*` would add under the name of a column: the column, or the relation that it refers to.
fn stands_for(item: &SelectItem, column: &str) -> bool {
    match item {
        SelectItem::Star => false,
        SelectItem::Field(SelectField { field: Some(field), alias: None, aggregate: None, .. }) => {
            field.name == column && field.path.is_empty()
        }
        SelectItem::Field(_) => false,
        SelectItem::Embed(embed) => !embed.spread && embed.alias.is_none() && embed.name == column,
    }
}

/// Refuses a name that occurs twice in the result, because one of the two would be lost, and a name of several embedded relations,
/// because a filter would apply to only one of them.
fn refuse_repeated(select: &Select, columns: Columns, labels: &[&str]) -> Result<()> {
    let repeated = |name: &str, what: &str| {
        Err(Error::new(Code::QueryParameter, format!("'{name}' is given twice among the {what}"))
            .hint(format!("Give one of the two an alias of its own: select=alias:{name}")))
    };
    for (i, label) in labels.iter().enumerate() {
        if labels.iter().take(i).any(|known| known == label) {
            return repeated(label, "embedded relations");
        }
    }
    // A single output cannot repeat a name.
    if let [Output::All | Output::Expression { .. } | Output::Embedded { .. }] = select.outputs.as_slice() {
        return Ok(());
    }
    let mut names: Vec<&str> = Vec::new();
    for output in &select.outputs {
        match output {
            Output::All => names.extend(columns.names()),
            output => names.extend(select.names(output)),
        }
    }
    let mut seen = HashSet::with_capacity(names.len());
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(name) => repeated(name, "members of the result"),
        None => Ok(()),
    }
}

/// The name of a field without an alias in the result: the last key of its path that is not empty, or the column.
fn default_label(field: &Field) -> String {
    use crate::query::JsonKey;
    let key = field.path.iter().rev().find_map(|step| match &step.key {
        // SQL has no empty names
        JsonKey::Member(key) if !key.is_empty() => Some(key.clone()),
        JsonKey::Member(_) | JsonKey::Index(_) => None,
    });
    key.unwrap_or_else(|| field.name.clone())
}

/// The SQL name of an aggregate, which is also its name in the result.
pub fn aggregate_name(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Avg => "avg",
        Aggregate::Count => "count",
        Aggregate::Max => "max",
        Aggregate::Min => "min",
        Aggregate::Sum => "sum",
    }
}

#[cfg(test)]
mod tests {
    use crate::ask::PlanSettings;
    use crate::plan::fixture::*;
    use crate::plan::*;
    use crate::query::Aggregate;
    use crate::route::Verb;

    /// The names of the outputs.
    #[track_caller]
    fn labels(target: &str) -> Vec<String> {
        let outputs = read_with(target, &AGGREGATES).unwrap().outputs;
        let label = |output| match output {
            Output::All => "*".to_owned(),
            Output::Expression { name, .. } | Output::Embedded { name, .. } => name,
            Output::Spread { .. } => "...".to_owned(),
        };
        outputs.into_iter().map(label).collect()
    }

    #[test]
    fn unknown_columns_are_the_databases_error() {
        for target in [
            "books?select=nothing",
            "books?nothing=eq.1",
            "books?order=nothing",
            "books?or=(id.eq.1,nothing.eq.1)",
            "books?select=authors(nothing)",
            "books?select=authors(id)&authors.nothing=eq.1",
            "books?select=authors(id)&order=authors(nothing)",
        ] {
            assert_eq!(refusal(read(target)), ("42703".to_owned(), 400), "{target}");
        }
        let e = read("books?select=authors(nothing)").unwrap_err();
        assert_eq!(e.message, "column authors.nothing does not exist");
        assert_eq!(refusal(read("nothing")), ("PGRST205".to_owned(), 404));
    }

    #[test]
    fn a_filter_is_a_columns_where_one_has_the_name_of_the_embedded_relation() {
        let is_columns = |target: &str| {
            let select = read(target).unwrap();
            matches!(select.conditions.as_slice(), [Predicate::Test { .. }])
        };
        // a stored column, and a computed one
        for column in ["author_id=eq.1&select=author_id(name)", "label=eq.x&select=label:authors(name)"] {
            assert!(is_columns(&format!("books?{column}")), "{column}");
        }
        assert!(is_columns("books?author_id=is.not_null&select=author_id(name)"));
        assert!(is_columns("books?author_id=not.is.not_null&select=author_id(name)"));
        // the function that computes the relation does not count as a column beside it
        assert!(!is_columns("books?editions=is.not_null&select=editions(year)"));
        // is.null tests whether a row exists
        assert!(!is_columns("books?author_id=is.null&select=author_id(name)"));
        assert!(!is_columns("books?author_id=not.is.null&select=author_id(name)"));
        assert!(!is_columns("books?authors=is.not_null&select=authors(name)"));
        assert_eq!(refusal(read("books?authors=eq.1&select=authors(name)")).0, "PGRST120");
    }

    #[test]
    fn a_similar_column_is_suggested_if_the_role_may_read_it() {
        let hint = |target: &str| read(target).unwrap_err().hint.clone().map(|h| h.as_str().unwrap().to_owned());
        assert_eq!(hint("books?titles=eq.1").as_deref(), Some("Perhaps you meant the column books.title"));
        assert_eq!(hint("books?select=authors(nam)").as_deref(), Some("Perhaps you meant the column authors.name"));
        assert_eq!(hint("loans?order=du"), None);
        assert_eq!(hint("loans?select=dues"), None);
        let e = write(Verb::Create, "books", "", Some("titles")).unwrap_err();
        assert_eq!(
            (e.code.as_str(), e.hint.clone()),
            ("PGRST204", Some("Perhaps you meant the column books.title".into()))
        );
    }

    #[test]
    fn a_function_of_the_row_is_a_column() {
        let select = read("books?select=id,label,summary->a,l:label::int4&label=eq.x&order=label").unwrap();
        let functions: Vec<Option<&str>> = select
            .outputs
            .iter()
            .map(|output| match output {
                Output::Expression { expression, .. } => {
                    expression.column.as_ref()?.function.as_ref().map(|f| f.name.as_str())
                }
                _ => None,
            })
            .collect();
        assert_eq!(functions, [None, Some("label"), Some("summary"), Some("label")]);
        assert_eq!(labels("books?select=label,l:label"), ["label", "l"]);
        // the error names the functions that PostgreSQL could take the call for
        let e = read("books?select=rank").unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST203", 300));
        // a function that returns a set is not a column, nor is a function of another table
        assert_eq!(refusal(read("books?select=similar")).0, "42703");
        assert_eq!(refusal(read("authors?select=label")).0, "42703");
    }

    #[test]
    fn an_output_is_named_by_alias_or_last_key_or_column_or_aggregate() {
        assert_eq!(
            labels("authors?select=id,n:name,facts->a,facts->a->>b,facts->0,x:facts->a,name::text"),
            ["id", "n", "a", "b", "facts", "x", "name"]
        );
        assert_eq!(labels("authors?select=facts->a->0,facts->\"\""), ["a", "facts"]);
        assert_eq!(labels("books?select=price.sum(),s:price.sum(),count()"), ["sum", "s", "count"]);
        assert_eq!(labels("books?select=id.count()"), ["count"]);
        assert_eq!(
            labels("books?select=*,authors(*),a:authors(*),...publishers(publisher:name)"),
            ["*", "authors", "a", "..."]
        );
        // an embedded relation without columns filters, and has no output
        assert_eq!(labels("books?select=id,authors()"), ["id"]);
    }

    #[test]
    fn a_name_that_stands_twice_in_the_result_is_refused() {
        for target in [
            "books?select=id,id",
            "books?select=*,id:price",
            "books?select=price.sum(),id.sum()",
            "books?select=title,authors(id),authors(name)",
            "books?select=authors(),authors()",
            "books?select=name:title,...authors(name)",
            "books?select=...authors(name),...publishers(name)",
            "books?select=*,*",
            "books?select=*,author_id:authors(name)",
            "books?select=authors(id,id)",
            "books?select=title:id,title",
        ] {
            let e = read_with(target, &AGGREGATES).unwrap_err();
            assert_eq!((e.code.as_str(), e.status), ("PGRST100", 400), "{target}");
            assert!(e.hint.as_ref().is_some_and(|hint| hint.to_string().contains("alias")), "{target}");
        }
        // a named column is not repeated by `*`
        assert_eq!(labels("books?select=price,*"), ["price", "id", "title", "author_id", "publisher_id"]);
        assert_eq!(labels("books?select=*,id::text"), ["title", "price", "author_id", "publisher_id", "id"]);
        assert_eq!(labels("books?select=*,author_id(name)"), ["id", "title", "price", "publisher_id", "author_id"]);
        for target in ["books?select=*,a:id,...authors(name)", "books?select=a:authors(id),b:authors(id),...authors()"]
        {
            assert!(read(target).is_ok(), "{target}");
        }
    }

    #[test]
    fn aggregates_need_the_setting() {
        for target in ["books?select=price.sum()", "books?select=count()", "authors?select=books(count())"] {
            assert_eq!(refusal(read(target)), ("PGRST123".to_owned(), 400), "{target}");
            assert!(read_with(target, &AGGREGATES).is_ok(), "{target}");
        }
    }

    #[test]
    fn count_counts_rows_unless_it_is_a_column() {
        let select = read_with("books?select=count,n:count::text", &AGGREGATES).unwrap();
        assert!(select.grouped);
        for output in &select.outputs {
            let Output::Expression { expression, .. } = output else { panic!("{output:?}") };
            assert!(expression.column.is_none() && expression.aggregate == Some(Aggregate::Count), "{output:?}");
        }
        assert_eq!(labels("books?select=count,n:count::text"), ["count", "n"]);
        assert_eq!(refusal(read("books?select=count")).0, "42703");
        assert_eq!(refusal(read_with("books?select=count->a", &AGGREGATES)).0, "42703");
    }

    #[test]
    fn rows_are_ordered_by_to_one_relations_alone() {
        let select = read("books?select=id,authors(name)&order=authors(name).desc").unwrap();
        assert!(matches!(select.order[0].by, OrderBy::Embedded { embed: 0, extra: 0 }));
        assert_eq!(refusal(read("authors?select=id,books(id)&order=books(id)")), ("PGRST118".to_owned(), 400));
        assert_eq!(refusal(read("books?order=authors(name)")), ("PGRST108".to_owned(), 400));
    }

    #[test]
    fn an_embedded_relation_is_tested_for_null_alone() {
        let is_null = |target: &str| match read(target).unwrap().conditions.as_slice() {
            [Predicate::Embedded { embed: 0, is_null }] => *is_null,
            other => panic!("{other:?}"),
        };
        assert!(is_null("books?select=authors()&authors=is.null"));
        assert!(!is_null("books?select=authors()&authors=not.is.null"));
        assert!(!is_null("books?select=authors()&authors=is.not_null"));
        assert!(is_null("books?select=a:authors()&a=is.null"));
        assert_eq!(refusal(read("books?select=authors()&authors=eq.1")), ("PGRST120".to_owned(), 400));
        // a path always leads into a column
        assert_eq!(refusal(read("books?select=authors()&authors->a=is.null")).0, "42703");
    }

    #[test]
    fn casts_are_to_types_that_the_catalogue_knows() {
        let cast = |name: &str| match read(&format!("books?select=id::{name}")).map(|s| s.outputs) {
            Ok(outputs) => match outputs.as_slice() {
                [Output::Expression { expression, .. }] => expression.cast.as_deref().map(str::to_owned),
                other => panic!("{other:?}"),
            },
            Err(e) => Some(e.code.clone()),
        };
        for (name, expected) in [
            ("text", "pg_catalog.text"),
            ("int", "pg_catalog.int4"),
            ("INTEGER", "pg_catalog.int4"),
            ("timestamp with time zone", "pg_catalog.timestamptz"),
            ("mood", "lib.mood"),
            ("regclass", "42704"),
        ] {
            assert_eq!(cast(name).as_deref(), Some(expected), "{name}");
        }
    }

    #[test]
    fn every_level_is_capped() {
        let settings = PlanSettings { max_rows: Some(10), ..PlanSettings::default() };
        let select = read_with("authors?select=id,books(id,publishers(id))", &settings).unwrap();
        let books = &select.embeds[0].select;
        assert_eq!((select.limit.cap, books.limit.cap), (Some(10), Some(10)));
        // to-one: there is at most one row
        assert_eq!(books.embeds[0].select.limit.cap, None);
    }
}
