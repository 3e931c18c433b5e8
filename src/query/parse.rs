//! Parameters to [`Query`].

use super::ast::*;
use super::cursor::{Cursor, Expected};
use crate::error::{Code, Error, Result};
use crate::http::range;
use crate::limits;
use std::borrow::Cow;

/// Reads the parameters of a request.
///
/// `function_arguments`: the request calls a function by GET, so a parameter whose value is not an operator expression is an
/// argument.
///
/// # Errors
/// PGRST100 (400) with the position of the syntax error, for a parameter without a value, and for a repeated parameter that may
/// occur once; PGRST108 for a parameter of a relation that is not embedded; REST431 beyond a limit.
pub fn parse(parameters: &[(Cow<str>, Option<Cow<str>>)], function_arguments: bool) -> Result<Query> {
    let mut parser = Parser { query: Query::default(), select_items: 0, embeds: 0, filters: 0, texts: Vec::new() };
    if let Some((name, None)) = parameters.iter().find(|(_, value)| value.is_none()) {
        let shown: String = name.chars().take(200).collect();
        return Err(Error::new(Code::QueryParameter, format!("The parameter '{shown}' has no value"))
            .hint("Write parameters as name=value, and filters as column=operator.value."));
    }
    let mut has_select = false;
    // Later parameters refer to the relations that `select` embeds, so it is read first.
    for (name, value) in parameters {
        if name == "select" {
            once(has_select, name)?;
            has_select = true;
        }
        if let ("select", Some(text)) = (name.as_ref(), value)
            // an empty `select` means all columns
            && !text.trim_ascii().is_empty()
        {
            let mut at = Cursor::new(text);
            let items = parser.select(&mut at, 0).and_then(|items| {
                at.expect_end("a field, ',' or end of input")?;
                Ok(items)
            });
            parser.query.root.select = Some(items.map_err(|why| why.into_error("select parameter", text))?);
        }
    }
    for (name, value) in parameters {
        if let Some(value) = value {
            parser.parameter(name, value, function_arguments)?;
        }
    }
    // These literals come last, because they are only used if a filter turns out to be an argument.
    for (i, text) in parser.texts.into_iter().enumerate() {
        let value = parser.query.add_value(Literal::Text(text));
        if let Some(filter) = parser.query.filter_texts.get_mut(i) {
            filter.value = value;
        }
    }
    Ok(parser.query)
}

/// Why a part of the grammar refuses: a syntax error with its position, or a limit.
enum Refusal {
    Expected(Expected),
    Limit(Error),
}

impl From<Expected> for Refusal {
    fn from(expected: Expected) -> Self {
        Refusal::Expected(expected)
    }
}

impl Refusal {
    fn into_error(self, what: &str, text: &str) -> Error {
        match self {
            Refusal::Expected(why) => Error::parse(what, text, why.column, why.sentence),
            Refusal::Limit(error) => error,
        }
    }
}

type Parsed<T> = std::result::Result<T, Refusal>;

fn limit(what: &str, most: usize) -> Refusal {
    Refusal::Limit(
        Error::new(Code::Limit, format!("The request has more than {most} {what}"))
            .hint("Ask for less at once, or write a function and call it under /rpc/."),
    )
}

struct Parser {
    query: Query,
    select_items: usize,
    embeds: usize,
    filters: usize,
    /// The values of [`Query::filter_texts`].
    texts: Vec<String>,
}

/// What a filter whose value does not begin with an operator probably meant; `None` if it does begin with one.
fn filter_hint(name: &str, value: &str) -> Option<String> {
    let word = value.split(['.', '(']).next().unwrap_or_default();
    let is_operator = Operator::parse(word).is_some()
        || FullText::parse(word).is_some()
        || matches!(word, "in" | "is" | "isdistinct")
        || (word == "not" && !value.eq_ignore_ascii_case("not.null"));
    if is_operator {
        return None;
    }
    let (name, shown): (String, String) = (name.chars().take(63).collect(), value.chars().take(63).collect());
    Some(match value.to_ascii_lowercase().as_str() {
        "null" | "true" | "false" | "unknown" => format!("Put an operator before the value: {name}=is.{shown}"),
        "not.null" | "not null" | "not_null" => format!("Put an operator before the value: {name}=not.is.null"),
        _ => format!("Put an operator before the value, as in {name}=eq.{shown}"),
    })
}

/// Refuses a repeated parameter.
fn once(is_known: bool, name: &str) -> Result<()> {
    if is_known {
        return Err(Error::new(Code::QueryParameter, format!("The parameter '{name}' is given twice"))
            .hint("Remove one, or merge their values: select=a,b"));
    }
    Ok(())
}

impl Parser {
    fn parameter(&mut self, name: &str, value: &str, function_arguments: bool) -> Result<()> {
        match name {
            "select" => return Ok(()),
            "columns" | "on_conflict" => {
                let mut at = Cursor::new(value);
                let columns = names(&mut at)
                    .map_err(|why| Refusal::Expected(why).into_error(&format!("{name} parameter"), value))?;
                let slot = if name == "columns" { &mut self.query.columns } else { &mut self.query.on_conflict };
                once(slot.is_some(), name)?;
                *slot = Some(columns);
                return Ok(());
            }
            _ => {}
        }
        let mut at = Cursor::new(name);
        let (mut path, field) =
            tree_path(&mut at).map_err(|why| Refusal::Expected(why).into_error("tree path", name))?;
        // a quoted name is always a column
        let reserved = if field.path.is_empty() && !name.ends_with('"') { field.name.as_str() } else { "" };
        match reserved {
            "order" => {
                let terms = order(value).map_err(|why| why.into_error("order", value))?;
                let node = self.node(&path)?;
                once(!node.order.is_empty(), name)?;
                node.order = terms;
            }
            "limit" | "offset" => {
                let number = range::row_number(name, value)?;
                let id = self.query.add_value(Literal::Number(number));
                let offset = reserved == "offset";
                let node = self.node(&path)?;
                let slot = if offset { &mut node.offset } else { &mut node.limit };
                once(slot.is_some(), name)?;
                *slot = Some(id);
            }
            "and" | "or" => {
                // A quoted name is always an embedded relation.
                let negated =
                    name.strip_suffix(reserved).is_some_and(|before| before == "not." || before.ends_with(".not."));
                if negated {
                    path.pop();
                }
                let connective = if reserved == "and" { Connective::And } else { Connective::Or };
                let children = self.logic_tree(value)?;
                self.node(&path)?.conditions.push(Condition::Tree { negated, connective, children });
            }
            // A filter has a dot, so a column of this name can still be filtered by. A function may have an argument of this name.
            "cursor" if path.is_empty() && !function_arguments && !value.contains('.') => {
                once(self.query.cursor.is_some(), name)?;
                self.query.cursor = Some(self.query.add_value(Literal::Text(value.to_owned())));
            }
            _ => self.filter_or_argument(name, value, &path, field, function_arguments)?,
        }
        Ok(())
    }

    /// The conditions of `and=(...)` or `or=(...)`.
    fn logic_tree(&mut self, value: &str) -> Result<Vec<Condition>> {
        let mut at = Cursor::new(value);
        let children = self.children(&mut at, 1).and_then(|children| {
            at.skip_blanks();
            at.expect_end("end of input")?;
            Ok(children)
        });
        children.map_err(|why| {
            why.into_error("logic tree", value).hint_if_none(|| {
                Some(
                    "Separate conditions by commas: (a.eq.1,b.is.null). Put a value that holds , ( ) { or } in double quotes: \
                     name.eq.\"a,b\""
                        .to_owned(),
                )
            })
        })
    }

    /// A filter on a column. With `function_arguments`, anything that is not a filter is an argument of the function.
    fn filter_or_argument(
        &mut self,
        name: &str,
        value: &str,
        path: &[String],
        field: Field,
        function_arguments: bool,
    ) -> Result<()> {
        let may_be_argument = function_arguments && path.is_empty() && field.path.is_empty();
        match self.operation(&mut Cursor::new(value), false) {
            Ok((negated, operation)) => {
                if may_be_argument {
                    self.note_filter(&field.name, value);
                }
                let filter = Filter { field, negated, operation };
                self.node(path)?.conditions.push(Condition::Filter(filter));
            }
            Err(Refusal::Expected(_)) if may_be_argument => {
                let id = self.query.add_value(Literal::Text(value.to_owned()));
                self.query.arguments.push((field.name, id));
            }
            Err(why) => return Err(why.into_error("filter", value).hint_if_none(|| filter_hint(name, value))),
        }
        Ok(())
    }

    /// Records that the next condition of the root came from this parameter.
    fn note_filter(&mut self, name: &str, value: &str) {
        let (condition, arguments) = (self.query.root.conditions.len(), self.query.arguments.len());
        self.query.filter_texts.push(FilterText { name: name.to_owned(), value: 0, condition, arguments });
        self.texts.push(value.to_owned());
    }

    /// The node that a path of embedded relations leads to.
    fn node(&mut self, path: &[String]) -> Result<&mut QueryNode> {
        let mut node = &mut self.query.root;
        for step in path {
            let embeds = node.select.iter().flatten().filter_map(|item| match item {
                SelectItem::Embed(embed) => Some(embed),
                _ => None,
            });
            let hidden = embeds.clone().find(|e| e.name == *step && e.alias.is_some()).and_then(|e| e.alias.clone());
            let position = node
                .select
                .iter()
                .flatten()
                .position(|item| matches!(item, SelectItem::Embed(embed) if embed.label() == step));
            // A relation with an alias can only be named by its alias. Otherwise two embeds of the same relation could not be told
            // apart.
            let found = position.and_then(|i| node.select.as_mut().and_then(|items| items.get_mut(i)));
            node = match found {
                Some(SelectItem::Embed(embed)) => &mut embed.node,
                _ => {
                    let error =
                        Error::new(Code::NotEmbedded, format!("'{step}' is not an embedded resource in this request"));
                    return Err(match hidden {
                        Some(alias) => error
                            .details("Target names are not allowed in filters if they have an alias")
                            .hint(format!("Change '{step}' to '{alias}' in filters, orders or limits.")),
                        None => {
                            error.hint(format!("Verify that '{step}' is included in the 'select' query parameter."))
                        }
                    });
                }
            };
        }
        Ok(node)
    }

    fn select(&mut self, at: &mut Cursor, depth: usize) -> Parsed<Vec<SelectItem>> {
        let mut items = Vec::new();
        at.skip_blanks();
        if at.is_at_end() || at.peek() == Some(')') {
            return Ok(items);
        }
        loop {
            at.skip_blanks();
            self.select_items += 1;
            if self.select_items > limits::SELECT_ITEMS {
                return Err(limit("selected fields", limits::SELECT_ITEMS));
            }
            items.push(self.select_item(at, depth)?);
            at.skip_blanks();
            if !at.take(",") {
                return Ok(items);
            }
        }
    }

    fn select_item(&mut self, at: &mut Cursor, depth: usize) -> Parsed<SelectItem> {
        if at.take("...") {
            let name = at.name()?;
            return self.embed(at, name, None, true, depth);
        }
        if at.take("*") {
            return Ok(SelectItem::Star);
        }
        let mut name = at.name()?;
        let mut alias = None;
        let mut ahead = *at;
        if ahead.take(":") && ahead.peek() != Some(':') {
            *at = ahead;
            at.skip_blanks();
            alias = Some(name);
            name = at.name()?;
        }
        // `count()` is an aggregate, also with blanks in the parentheses.
        let mut behind = *at;
        let is_count = name == "count" && behind.take("(") && {
            behind.skip_blanks();
            behind.take(")")
        };
        if !is_count && matches!(at.peek(), Some('(' | '!')) {
            return self.embed(at, name, alias, false, depth);
        }
        let mut item = SelectField { field: None, alias, cast: None, aggregate: None, aggregate_cast: None };
        if is_count {
            *at = behind;
            item.aggregate = Some(Aggregate::Count);
        } else {
            item.field = Some(Field { name, path: json_path(at)? });
            item.cast = cast(at)?;
            if at.take(".") {
                let function = at.take_while(|c| c.is_ascii_lowercase());
                item.aggregate = Some(match function {
                    "avg" => Aggregate::Avg,
                    "count" => Aggregate::Count,
                    "max" => Aggregate::Max,
                    "min" => Aggregate::Min,
                    "sum" => Aggregate::Sum,
                    _ => return Err(at.unexpected("an aggregate (avg, count, max, min, sum)").into()),
                });
                at.expect("()")?;
            }
        }
        if item.aggregate.is_some() {
            item.aggregate_cast = cast(at)?;
        }
        at.skip_blanks();
        match at.peek() {
            None | Some(',' | ')') => Ok(SelectItem::Field(item)),
            Some(_) => Err(at.unexpected("'->', '::', '.', '(', ')', ',' or end of input").into()),
        }
    }

    fn embed(
        &mut self,
        at: &mut Cursor,
        name: String,
        alias: Option<String>,
        spread: bool,
        depth: usize,
    ) -> Parsed<SelectItem> {
        self.embeds += 1;
        if self.embeds > limits::EMBEDS {
            return Err(limit("embedded relations", limits::EMBEDS));
        }
        if depth + 1 > limits::EMBED_DEPTH {
            return Err(limit("levels of embedded relations", limits::EMBED_DEPTH));
        }
        let (mut hints, mut join) = (Vec::new(), None);
        while at.take("!") {
            let before = *at;
            let is_quoted = at.peek() == Some('"');
            match at.name()?.as_str() {
                "inner" if !is_quoted && join.is_none() => join = Some(Join::Inner),
                "left" if !is_quoted && join.is_none() => join = Some(Join::Left),
                word @ ("inner" | "left") if !is_quoted => {
                    return Err(before.refused(format!("'!{word}' follows another '!inner' or '!left'")).into());
                }
                _ if hints.len() == limits::HINTS => return Err(limit("hints of one relationship", limits::HINTS)),
                hint => hints.push(hint.to_owned()),
            }
        }
        at.expect("(")?;
        let select = self.select(at, depth + 1)?;
        at.expect(")")?;
        let node = QueryNode { select: Some(select), ..QueryNode::default() };
        Ok(SelectItem::Embed(Embed { name, alias, hints, join, spread, node }))
    }

    /// The children of a logic tree, starting at its opening parenthesis.
    fn children(&mut self, at: &mut Cursor, depth: usize) -> Parsed<Vec<Condition>> {
        if depth > limits::LOGIC_DEPTH {
            return Err(limit("levels of and/or", limits::LOGIC_DEPTH));
        }
        at.skip_blanks();
        at.expect("(")?;
        let mut children = Vec::new();
        loop {
            at.skip_blanks();
            children.push(self.condition(at, depth)?);
            at.skip_blanks();
            if at.take(")") {
                return Ok(children);
            }
            if !at.take(",") {
                return Err(at.unexpected("',' or ')'").into());
            }
        }
    }

    fn condition(&mut self, at: &mut Cursor, depth: usize) -> Parsed<Condition> {
        let mut ahead = *at;
        let negated = ahead.take("not.");
        for (token, connective) in [("and", Connective::And), ("or", Connective::Or)] {
            let mut tree = ahead;
            if !tree.take(token) {
                continue;
            }
            tree.skip_blanks();
            if tree.peek() == Some('(') {
                *at = tree;
                let children = self.children(at, depth + 1)?;
                return Ok(Condition::Tree { negated, connective, children });
            }
        }
        let field = Field { name: at.name()?, path: json_path(at)? };
        at.expect(".")?;
        let (negated, operation) = self.operation(at, true)?;
        Ok(Condition::Filter(Filter { field, negated, operation }))
    }

    /// `not.operator.value`. `in_tree`: it is part of a logic tree, where a value ends at `,` or `)`.
    fn operation(&mut self, at: &mut Cursor, in_tree: bool) -> Parsed<(bool, Operation)> {
        const OPERATOR: &str = "\"not\" or operator (eq, gt, ...)";
        self.filters += 1;
        if self.filters > limits::FILTERS {
            return Err(limit("filters", limits::FILTERS));
        }
        let negated = at.take("not.");
        let start = *at;
        let token = at.take_while(|c| c.is_ascii_lowercase());
        let mut modifier = None;
        if at.peek() == Some('(') && token != "in" {
            at.next();
            modifier = Some(at.take_while(|c| c.is_alphanumeric() || c == '_' || c == '$'));
            at.expect(")")?;
        }
        if let Some(operator) = Operator::parse(token) {
            let quantifier = match modifier {
                None => None,
                Some(word) if operator.takes_quantifier() => {
                    Some(Quantifier::parse(word).ok_or_else(|| start.unexpected("operator (any) or (all)"))?)
                }
                Some(_) => return Err(start.unexpected(OPERATOR).into()),
            };
            if !at.take(".") {
                return Err(at.unexpected("delimiter (.)").into());
            }
            let value = self.single_value(at, in_tree)?;
            return Ok((negated, Operation::Binary { operator, quantifier, value }));
        }
        if let Some(function) = FullText::parse(token) {
            at.expect(".")?;
            let value = self.single_value(at, in_tree)?;
            if let Some(Literal::Text(text)) = self.query.values.get(value)
                && text.matches('(').count() > limits::FULL_TEXT_PARENTHESES
            {
                return Err(limit("parentheses in a full-text query", limits::FULL_TEXT_PARENTHESES));
            }
            let configuration = modifier.map(str::to_owned);
            return Ok((negated, Operation::FullText { function, configuration, value }));
        }
        if modifier.is_some() {
            return Err(start.unexpected(OPERATOR).into());
        }
        let operation = match token {
            "in" if at.take(".") => Operation::In(self.list(at, in_tree)?),
            "is" if at.take(".") => {
                let before = *at;
                let word = at.take_while(|c| c.is_ascii_alphabetic() || c == '_').to_ascii_lowercase();
                let value = IsValue::parse(&word)
                    .ok_or_else(|| before.unexpected("isVal: (null, not_null, true, false, unknown)"))?;
                if !in_tree {
                    at.expect_end("end of input")?;
                }
                Operation::Is(value)
            }
            "isdistinct" if at.take(".") => Operation::IsDistinct(self.single_value(at, in_tree)?),
            _ => return Err(start.unexpected(OPERATOR).into()),
        };
        Ok((negated, operation))
    }

    fn single_value(&mut self, at: &mut Cursor, in_tree: bool) -> Parsed<ValueId> {
        let text = if in_tree { tree_value(at) } else { at.take_while(|_| true).to_owned() };
        Ok(self.query.add_value(Literal::Text(text)))
    }

    fn list(&mut self, at: &mut Cursor, in_tree: bool) -> Parsed<ValueId> {
        at.skip_blanks();
        at.expect("(")?;
        at.skip_blanks();
        let mut items = Vec::new();
        // `in.()` is the empty list, `in.("")` a list with one empty string
        if at.peek() != Some(')') {
            loop {
                if items.len() == limits::LIST_ITEMS {
                    return Err(limit("items in a list", limits::LIST_ITEMS));
                }
                items.push(list_item(at));
                if !at.take(",") {
                    break;
                }
            }
        }
        at.expect(")")?;
        if !in_tree {
            at.skip_blanks();
            at.expect_end("end of input")?;
        }
        Ok(self.query.add_value(Literal::List(items)))
    }
}

/// A quoted text, if the character behind it can follow a value.
fn quoted_value(at: &mut Cursor) -> Option<String> {
    let mut ahead = *at;
    let text = ahead.quoted().ok()?;
    matches!(ahead.peek(), None | Some(',' | ')')).then(|| {
        *at = ahead;
        text
    })
}

fn list_item(at: &mut Cursor) -> String {
    quoted_value(at).unwrap_or_else(|| at.take_while(|c| c != ',' && c != ')').to_owned())
}

/// A value in a logic tree: quoted, an array in braces, or up to `,` or `)`.
fn tree_value(at: &mut Cursor) -> String {
    if let Some(text) = quoted_value(at) {
        return text;
    }
    let mut ahead = *at;
    if ahead.take("{") {
        let inner = ahead.take_while(|c| c != '{' && c != '}');
        if ahead.take("}") {
            *at = ahead;
            return format!("{{{inner}}}");
        }
    }
    at.take_while(|c| c != ',' && c != ')').to_owned()
}

/// `relation.relation.field->key`, as the relations and the field.
fn tree_path(at: &mut Cursor) -> std::result::Result<(Vec<String>, Field), Expected> {
    let mut path = Vec::new();
    let mut name = at.name()?;
    while at.take(".") {
        path.push(std::mem::replace(&mut name, at.name()?));
    }
    let steps = json_path(at)?;
    at.expect_end("'.', '->' or end of input")?;
    Ok((path, Field { name, path: steps }))
}

fn json_path(at: &mut Cursor) -> std::result::Result<Vec<JsonStep>, Expected> {
    let mut steps = Vec::new();
    loop {
        let as_text = if at.take("->>") {
            true
        } else if at.take("->") {
            false
        } else {
            return Ok(steps);
        };
        if steps.len() == limits::JSON_PATH_STEPS {
            return Err(at.refused(format!("a JSON path has at most {} steps", limits::JSON_PATH_STEPS)));
        }
        steps.push(JsonStep { as_text, key: json_key(at)? });
    }
}

fn json_key(at: &mut Cursor) -> std::result::Result<JsonKey, Expected> {
    let mut ahead = *at;
    let negative = ahead.take("-");
    let digits = ahead.take_while(|c| c.is_ascii_digit());
    let ends = ahead.is_at_end() || ["->", "::", ".", ",", ")"].iter().any(|t| ahead.rest().starts_with(t));
    if !digits.is_empty() && ends {
        let index: Option<i32> = digits.parse().ok();
        let index = index.ok_or_else(|| at.unexpected("an array index from -2147483647 to 2147483647"))?;
        *at = ahead;
        return Ok(JsonKey::Index(if negative { -index } else { index }));
    }
    if negative {
        return Err(ahead.unexpected("digit"));
    }
    if at.peek() == Some('"') {
        return at.quoted().map(JsonKey::Member);
    }
    let mut key = String::new();
    loop {
        key.push_str(at.take_while(|c| !"(-:.,>)".contains(c)));
        let mut ahead = *at;
        if key.is_empty() || !ahead.take("-") || ahead.peek() == Some('>') {
            break;
        }
        key.push('-');
        *at = ahead;
    }
    let key = key.trim();
    if key.is_empty() {
        return Err(at.unexpected("\"-\", digit or any non reserved character different from: .,>()"));
    }
    Ok(JsonKey::Member(key.to_owned()))
}

fn cast(at: &mut Cursor) -> std::result::Result<Option<String>, Expected> {
    if !at.take("::") {
        return Ok(None);
    }
    let name = at.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ' ')).trim();
    if name.is_empty() {
        return Err(at.unexpected("the name of a type"));
    }
    Ok(Some(name.to_owned()))
}

fn names(at: &mut Cursor) -> std::result::Result<Vec<String>, Expected> {
    let mut names: Vec<String> = Vec::new();
    loop {
        at.skip_blanks();
        let name = at.name()?;
        if !names.contains(&name) {
            names.push(name);
        }
        at.skip_blanks();
        if !at.take(",") {
            at.expect_end("',' or end of input")?;
            return Ok(names);
        }
        if names.len() == limits::SELECT_ITEMS {
            return Err(at.refused(format!("more than {} names", limits::SELECT_ITEMS)));
        }
    }
}

fn order(text: &str) -> Parsed<Vec<OrderTerm>> {
    let at = &mut Cursor::new(text);
    let mut terms = Vec::new();
    loop {
        if terms.len() == limits::ORDER_TERMS {
            return Err(limit("order terms", limits::ORDER_TERMS));
        }
        at.skip_blanks();
        let name = at.name()?;
        let (relation, field) = if at.take("(") {
            let field = Field { name: at.name()?, path: json_path(at)? };
            at.expect(")")?;
            (Some(name), field)
        } else {
            (None, Field { name, path: json_path(at)? })
        };
        let mut term = OrderTerm { relation, field, descending: None, nulls_first: None };
        while at.take(".") {
            let before = *at;
            match at.take_while(|c| c.is_ascii_lowercase()) {
                "asc" if term.descending.is_none() && term.nulls_first.is_none() => term.descending = Some(false),
                "desc" if term.descending.is_none() && term.nulls_first.is_none() => term.descending = Some(true),
                "nullsfirst" if term.nulls_first.is_none() => term.nulls_first = Some(true),
                "nullslast" if term.nulls_first.is_none() => term.nulls_first = Some(false),
                _ => return Err(before.unexpected("asc, desc, nullsfirst or nullslast").into()),
            }
        }
        terms.push(term);
        at.skip_blanks();
        if !at.take(",") {
            at.expect_end("',' or end of input")?;
            return Ok(terms);
        }
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
