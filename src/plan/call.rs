//! Plans a function call: which overload, which arguments, and what it returns.

use super::{Arguments, Call, CallResult, Invocation, LeftOut, Planner, Source};
use crate::catalog::{Function, Parameter, ResultType, Signature};
use crate::error::{Code, Error, Result};
use crate::payload::{CallArguments, JSON_TYPES};
use crate::plan::columns::Columns;
use crate::query::{Query, QueryNode, ValueId};
use crate::route::Verb;
use crate::similar;
use std::collections::HashSet;

impl Planner<'_> {
    /// Plans a call. With [`Verb::CallSafe`] the function cannot write.
    ///
    /// # Errors
    /// No function has this name and these arguments, several do, or the query does not fit the function.
    pub fn call(&mut self, verb: Verb, name: &str, query: &Query, given: &CallArguments) -> Result<Call> {
        let functions = self.catalog.functions(self.schema, name)?;
        let mut called = self.overload(name, &functions, query, given);
        let mut filtered = None;
        if *given == CallArguments::Query && !query.filter_texts.is_empty() {
            let meant = called.as_ref().ok().copied();
            filtered = self.arguments_among_filters(&functions, query, meant)?;
            if let Some(query) = &filtered {
                called = self.overload(name, &functions, query, given);
            }
        }
        let query = filtered.as_ref().unwrap_or(query);
        let function = called.map_err(|error| with_filter_hint(error, &functions, query))?;
        let may_write = verb == Verb::Call && function.volatile;
        let arguments = arguments(function, query, given);
        let left_out = left_out(function, &names(query, given));
        let invocation = Invocation { function: function.name.clone(), arguments, left_out };
        let (mut rows, mut counts) = (None, false);
        let sends = function.result == ResultType::Response && !function.returns_set;
        let result = match &function.result {
            ResultType::Void => CallResult::Void,
            ResultType::Response if sends => CallResult::Scalar,
            // The columns of a record are only known from its value, so it is not taken apart.
            ResultType::Scalar | ResultType::Record | ResultType::Response if function.returns_set => {
                let page = QueryNode { limit: query.root.limit, offset: query.root.offset, ..QueryNode::default() };
                let shape = Columns::Result { function: name, columns: &[], row_type: None };
                let alias = self.alias('t');
                let select = self.select(Source::Function(invocation.clone()), alias, shape, &page, true)?;
                CallResult::ScalarSet(Box::new(select))
            }
            ResultType::Scalar | ResultType::Record | ResultType::Response => CallResult::Scalar,
            ResultType::Composite { relation, columns, row_type } => {
                let relation = match relation {
                    Some(relation) => self.catalog.relation(&relation.schema, &relation.name)?,
                    None => None,
                };
                rows = relation.as_ref().map(|relation| relation.name.clone());
                let alias = self.alias('t');
                let source = Source::Function(invocation.clone());
                let shape = match &relation {
                    Some(relation) => Columns::Relation(relation),
                    None => Columns::Result { function: name, columns, row_type: *row_type },
                };
                let select = Box::new(self.select(source, alias, shape, &query.root, function.returns_set)?);
                counts = may_write && select.restricts();
                if function.returns_set { CallResult::Rows(select) } else { CallResult::Row(select) }
            }
        };
        match result {
            CallResult::Row(_) | CallResult::Rows(_) => {}
            CallResult::ScalarSet(_) => self.refuse_row_parameters(name, &query.root, true)?,
            CallResult::Void | CallResult::Scalar => self.refuse_row_parameters(name, &query.root, false)?,
        }
        // Its fields say which media type it has.
        let media =
            if sends { Some("*/*".to_owned()) } else { function.media.clone().filter(|_| !function.returns_set) };
        Ok(Call { invocation, result, media, rows, may_write, counts, sends })
    }

    /// Refuses select, filters and order for a function that returns a value, and a page unless it returns a set of values.
    fn refuse_row_parameters(&self, name: &str, node: &QueryNode, is_set: bool) -> Result<()> {
        let has_page = node.limit.is_some() || node.offset.is_some();
        if node.conditions.is_empty() && node.order.is_empty() && node.select.is_none() && (is_set || !has_page) {
            return Ok(());
        }
        let page = if is_set { "" } else { ", and no pages" };
        Err(Error::new(
            Code::QueryParameter,
            format!("The result of '{name}' has no columns to select, filter or order by{page}"),
        )
        .hint("Call it without these parameters, or let it return a table."))
    }

    fn overload<'f>(
        &self,
        name: &str,
        functions: &'f [Function],
        query: &Query,
        given: &CallArguments,
    ) -> Result<&'f Function> {
        let names = names(query, given);
        let callable = || functions.iter().filter(|f| f.callable);
        let mut fitting: Vec<&Function> = match given {
            CallArguments::Whole(_) => Vec::new(),
            _ => callable().filter(|f| takes(f, &names)).collect(),
        };
        let by_name = !fitting.is_empty();
        if fitting.is_empty() {
            let types: &[&str] = match given {
                CallArguments::Query | CallArguments::Fields(_) => &[],
                CallArguments::Object(_) => JSON_TYPES,
                CallArguments::Whole(types) => types,
            };
            fitting = callable()
                .filter(|f| {
                    matches!(f.parameters.as_slice(), [only] if only.name.is_empty() && types.contains(&only.data_type.as_str()))
                })
                .collect();
        }
        if fitting.is_empty() {
            return Err(self.no_function(name, &names, given)?);
        }
        // If exactly one function fits without using defaults, it was meant.
        let exact: Vec<&Function> = fitting.iter().filter(|f| f.parameters.len() == names.len()).copied().collect();
        let (([meant], _) | (_, [meant])) = (fitting.as_slice(), exact.as_slice()) else {
            return Err(self.ambiguous(&fitting)?);
        };
        // PostgreSQL must be able to choose it, too.
        let passed = if by_name { Some(names.as_slice()) } else { None };
        let is_meant = |f: &&Function| std::ptr::eq(*f, *meant);
        let alike: Vec<&Function> = functions.iter().filter(|f| is_meant(f) || is_alike(meant, passed, f)).collect();
        if alike.len() > 1 {
            return Err(self.ambiguous(&alike)?);
        }
        refuse_pseudo(meant, &names, given)?;
        Ok(meant)
    }

    /// The error for an ambiguous call. It names the functions that the role may call.
    fn ambiguous(&self, functions: &[&Function]) -> Result<Error> {
        let mut shown = Vec::new();
        for function in functions {
            if self.catalog.may_call(function)? {
                let parameters = function.parameters.iter().map(|p| format!("{} => {}", p.name, p.data_type));
                let parameters: Vec<String> = parameters.collect();
                shown.push(format!("{}.{}({})", function.name.schema, function.name.name, parameters.join(", ")));
            }
        }
        let between = if shown.is_empty() { String::new() } else { format!(" between: {}", shown.join(", ")) };
        Ok(Error::new(Code::AmbiguousFunction, format!("Could not choose the best candidate function{between}")).hint(
            "Try renaming the parameters or the function itself in the database so function overloading can be resolved",
        ))
    }

    fn no_function(&self, name: &str, names: &[&str], given: &CallArguments) -> Result<Error> {
        let qualified = format!("{}.{name}", self.schema);
        let shown = match given {
            CallArguments::Whole(_) => String::new(),
            _ if names.is_empty() => " without parameters".to_owned(),
            _ => format!("({})", names.join(", ")),
        };
        let searched = match (names.len(), given) {
            (_, CallArguments::Whole(types)) => format!(" with a single unnamed {} parameter", types.join("/")),
            (0, _) => " without parameters".to_owned(),
            (1, _) => format!(" with parameter {}", names.join(", ")),
            _ => format!(" with parameters {}", names.join(", ")),
        };
        let unnamed = match given {
            CallArguments::Object(_) => " or with a single unnamed json/jsonb parameter",
            _ => "",
        };
        let error = Error::new(
            Code::Function,
            format!("Could not find the function {qualified}{shown} in the schema cache"),
        )
        .details(format!(
            "Searched for the function {qualified}{searched}{unnamed}, but no matches were found in the schema cache."
        ));
        if matches!(given, CallArguments::Whole(_)) {
            return Ok(error);
        }
        let candidates = self.catalog.similar_functions(self.schema, name)?;
        Ok(match suggestion(name, names, &candidates) {
            Some(meant) => error.hint(format!("Perhaps you meant to call the function {}.{meant}", self.schema)),
            None => error,
        })
    }
}

/// What a call of `name` with the arguments `names` probably meant: the function of that name with the most similar parameters, or
/// a function with a similar name.
fn suggestion(name: &str, names: &[&str], candidates: &[Signature]) -> Option<String> {
    let asked = names.join(", ");
    let mut best: Option<(usize, f64, String)> = None;
    let mut is_known = false;
    for candidate in candidates.iter().filter(|c| c.name == name) {
        is_known = true;
        if candidate.parameters.iter().any(String::is_empty) {
            continue;
        }
        let shared = candidate.parameters.iter().filter(|p| names.contains(&p.as_str())).count();
        let shown = candidate.parameters.join(", ");
        let alike = similar::similarity(&asked, &shown);
        if (shared > 0 || alike >= 0.5)
            && best.as_ref().is_none_or(|(most, likest, _)| (shared, alike) > (*most, *likest))
        {
            best = Some((shared, alike, shown));
        }
    }
    match best {
        Some((_, _, parameters)) => Some(format!("{name}({parameters})")),
        None if is_known => None,
        None => similar::closest(name, candidates.iter().map(|c| c.name.as_str())).map(str::to_owned),
    }
}

/// Adds a hint about the parameter that was read as a filter.
fn with_filter_hint(error: Error, functions: &[Function], query: &Query) -> Error {
    let is_parameter = |name: &String| functions.iter().any(|f| f.parameters.iter().any(|p| p.name == *name));
    match query.filter_texts.iter().map(|filter| &filter.name).find(|name| is_parameter(name)) {
        Some(name) if error.hint.is_none() => error.hint(format!(
            "'{name}' looks like a filter. Send a POST to pass a value that looks like an operator, such as eq.1."
        )),
        _ => error,
    }
}

/// The names of the arguments, without repetition.
fn names<'a>(query: &'a Query, given: &'a CallArguments) -> Vec<&'a str> {
    let mut names: Vec<&str> = match (given, &query.columns) {
        (CallArguments::Query, _) => query.arguments.iter().map(|(name, _)| name.as_str()).collect(),
        (CallArguments::Whole(_), _) => Vec::new(),
        (CallArguments::Object(_) | CallArguments::Fields(_), Some(columns)) => {
            columns.iter().map(String::as_str).collect()
        }
        (CallArguments::Object(keys) | CallArguments::Fields(keys), None) => keys.iter().map(String::as_str).collect(),
    };
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(*name));
    names
}

/// Whether a function can be called with these arguments.
fn takes(function: &Function, names: &[&str]) -> bool {
    let parameters = &function.parameters;
    let is_by_name = |p: &Parameter| !p.name.is_empty();
    let is_variadic = parameters.iter().any(|p| p.variadic);
    names.iter().all(|name| parameters.iter().any(|p| p.name == *name))
        && (names.is_empty() || !is_variadic || parameters.iter().all(is_by_name))
        && parameters.iter().all(|p| !p.required || !p.name.is_empty() && names.contains(&p.name.as_str()))
}

/// Whether PostgreSQL could read a call of one function as a call of the other: both take arguments of the same types, and have
/// defaults for the rest (PostgreSQL docs, 10.3, 1c). `passed`: the names of the arguments; `None` for a single argument without a
/// name.
fn is_alike(called: &Function, passed: Option<&[&str]>, other: &Function) -> bool {
    let Some(names) = passed else {
        let type_of_first = |f: &Function| f.parameters.first().map(|p| p.data_type.clone());
        return type_of_first(called) == type_of_first(other) && other.parameters.iter().skip(1).all(|p| !p.required);
    };
    // A variadic function takes named arguments only if one of them is marked as variadic.
    let is_variadic = |f: &Function| f.parameters.iter().any(|p| p.variadic);
    if !names.is_empty() && is_variadic(other) && !is_variadic(called) {
        return false;
    }
    let of = |f: &Function, name: &str| f.parameters.iter().find(|p| p.name == name).map(|p| p.data_type.clone());
    let left_out = left_out(called, names);
    let passed: Vec<&str> = names.iter().copied().chain(left_out.iter().map(|l| l.name.as_str())).collect();
    takes(other, &passed) && passed.iter().all(|name| of(called, name) == of(other, name))
}

/// The parameters of a variadic function that must be passed their defaults.
fn left_out(function: &Function, names: &[&str]) -> Vec<LeftOut> {
    if names.is_empty() || !function.parameters.iter().any(|p| p.variadic) {
        return Vec::new();
    }
    let left_out = function.parameters.iter().filter(|p| !names.contains(&p.name.as_str()));
    left_out
        .filter_map(|p| {
            let (name, data_type, default) = (p.name.clone(), p.data_type.clone(), p.default.clone()?);
            Some(LeftOut { name, data_type, variadic: p.variadic, default })
        })
        .collect()
}

/// Refuses arguments of pseudo-types: they take the type of what is passed, and what a request passes has no type.
fn refuse_pseudo(function: &Function, names: &[&str], given: &CallArguments) -> Result<()> {
    // PostgreSQL reads a text without a type as text for these.
    let is_text = |p: &Parameter| {
        *given == CallArguments::Query
            && (matches!(p.data_type.as_str(), "anycompatible" | "anycompatiblenonarray")
                || p.variadic && matches!(p.data_type.as_str(), "anyarray" | "anycompatiblearray"))
    };
    let refused = |p: &&Parameter| p.is_pseudo && names.contains(&p.name.as_str()) && !is_text(p);
    match function.parameters.iter().find(refused) {
        None => Ok(()),
        Some(p) => Err(Error::with_code(
            "42804",
            400,
            format!(
                "The argument '{}' of '{}' has the polymorphic type {}, which a request cannot supply",
                p.name, function.name.name, p.data_type
            ),
        )
        .hint("Write a wrapper function whose parameter has a concrete type.")),
    }
}

fn arguments(function: &Function, query: &Query, given: &CallArguments) -> Arguments {
    if let [only] = function.parameters.as_slice()
        && only.name.is_empty()
        && !matches!(given, CallArguments::Query)
    {
        return Arguments::WholeBody(only.data_type.clone());
    }
    match given {
        CallArguments::Query => Arguments::Query(
            function
                .parameters
                .iter()
                .filter_map(|p| {
                    let mut given = query.arguments.iter().filter(|(name, _)| *name == p.name).map(|(_, value)| *value);
                    // If an argument is repeated, the last one counts. For a variadic parameter, all are items.
                    let values: Vec<ValueId> =
                        if p.variadic { given.collect() } else { given.next_back().into_iter().collect() };
                    (!values.is_empty()).then(|| (p.name.clone(), p.data_type.clone(), values, p.variadic))
                })
                .collect(),
        ),
        CallArguments::Object(keys) | CallArguments::Fields(keys) => {
            let keys = query.columns.as_ref().unwrap_or(keys);
            Arguments::Body(
                function
                    .parameters
                    .iter()
                    .filter(|p| keys.contains(&p.name))
                    .map(|p| (p.name.clone(), p.data_type.clone(), p.variadic))
                    .collect(),
                matches!(given, CallArguments::Fields(_)),
            )
        }
        CallArguments::Whole(_) => Arguments::Body(Vec::new(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::*;

    /// The arguments as `name type`, in the order of the function's parameters.
    #[track_caller]
    fn arguments(target: &str, given: &CallArguments) -> Vec<String> {
        match call(target, given).unwrap().invocation.arguments {
            Arguments::Query(all) => all.into_iter().map(|(n, t, _, _)| format!("{n} {t}")).collect(),
            Arguments::Body(all, _) => all.into_iter().map(|(n, t, _)| format!("{n} {t}")).collect(),
            Arguments::WholeBody(data_type) => vec![data_type],
        }
    }

    #[test]
    fn arguments_are_named_in_any_order() {
        assert_eq!(arguments("add?b=1&a=2", &CallArguments::Query), ["a int4", "b int4"]);
        assert_eq!(arguments("add", &object("b a")), ["a int4", "b int4"]);
        // a key that `columns` does not list is not an argument
        assert_eq!(arguments("pad?columns=a", &object("a nothing")), ["a int4"]);
    }

    #[test]
    fn of_a_repeated_argument_the_last_counts() {
        let Arguments::Query(all) = call("add?a=1&b=2&a=3", &CallArguments::Query).unwrap().invocation.arguments else {
            panic!("no query")
        };
        let values: Vec<ValueId> = all.iter().flat_map(|(_, _, values, _)| values.clone()).collect();
        assert_eq!(values, [2, 1]);
        // for choosing an overload it counts as one argument: this overload returns no set
        let plan = call("area?a=1&b=2&a=3", &CallArguments::Query).unwrap();
        assert!(matches!(plan.result, CallResult::Scalar));
    }

    #[test]
    fn the_overload_without_defaults_is_meant() {
        assert_eq!(arguments("pad?a=1", &CallArguments::Query), ["a int4"]);
        assert_eq!(arguments("total?a=1&b=2", &CallArguments::Query), ["a int4", "b int4"]);
        assert_eq!(arguments("total", &object("a b")), ["a int4", "b int4"]);
    }

    #[test]
    fn what_postgresql_cannot_tell_apart_is_ambiguous() {
        for (target, given, expected) in [
            ("total?a=1", &CallArguments::Query, "lib.total(a => int4), lib.total(a => int4, b => int4)"),
            ("total", &object("a"), "lib.total(a => int4), lib.total(a => int4, b => int4)"),
            ("now", &CallArguments::Query, "lib.now(), lib.now(zone => text)"),
            // procedures are listed too
            ("lend?a=1", &CallArguments::Query, "lib.lend(a => int4), lib.lend(a => int4, days => int4)"),
            ("load", &CallArguments::Whole(JSON_TYPES), "lib.load( => json), lib.load(doc => json, strict => bool)"),
        ] {
            let e = call(target, given).unwrap_err();
            assert_eq!((e.code.as_str(), e.status), ("PGRST203", 300), "{target}");
            assert_eq!(e.message, format!("Could not choose the best candidate function between: {expected}"));
        }
        assert_eq!(arguments("load", &object("doc")), ["doc json"]);
        assert_eq!(arguments("now?zone=a", &CallArguments::Query), ["zone text"]);
    }

    #[test]
    fn a_variadic_parameter_is_given_unless_it_has_a_default() {
        assert_eq!(refusal(call("sum_all", &CallArguments::Query)), ("PGRST202".to_owned(), 404));
        assert_eq!(refusal(call("sum_all", &object(""))), ("PGRST202".to_owned(), 404));
        let left_out = |target: &str, given: &CallArguments| {
            let left_out = call(target, given).unwrap().invocation.left_out;
            left_out.into_iter().map(|p| p.name).collect::<Vec<String>>()
        };
        // with named arguments PostgreSQL requires all parameters of a variadic function
        assert_eq!(left_out("tally?a=1", &CallArguments::Query), ["b", "rest"]);
        assert_eq!(left_out("tally", &object("a b")), ["rest"]);
        assert_eq!(left_out("tally?a=1&rest=2", &CallArguments::Query), ["b"]);
        assert!(left_out("total?a=1&b=2", &CallArguments::Query).is_empty());
    }

    #[test]
    fn an_argument_without_a_type_is_named() {
        for (target, given) in [("first?a=1", &CallArguments::Query), ("first", &object("a"))] {
            let e = call(target, given).unwrap_err();
            assert_eq!((e.code.as_str(), e.status), ("42804", 400));
            assert!(e.message.starts_with("The argument 'a' of 'first'"), "{}", e.message);
        }
    }

    #[test]
    fn overloads_that_differ_in_types_alone_are_ambiguous() {
        let e = call("pick?a=1", &CallArguments::Query).unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST203", 300));
        assert_eq!(
            e.message,
            "Could not choose the best candidate function between: lib.pick(a => int4), lib.pick(a => text)"
        );
    }

    #[test]
    fn the_details_tell_what_was_searched_for() {
        let e = call("add?a=1", &CallArguments::Query).unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST202", 404));
        assert_eq!(e.message, "Could not find the function lib.add(a) in the schema cache");
        assert_eq!(
            e.details.clone().unwrap(),
            "Searched for the function lib.add with parameter a, but no matches were found in the schema cache."
        );
        let e = call("add", &object("a b c")).unwrap_err();
        assert_eq!(
            e.details.clone().unwrap(),
            "Searched for the function lib.add with parameters a, b, c or with a single unnamed json/jsonb parameter, \
             but no matches were found in the schema cache."
        );
        let e = call("add", &CallArguments::Whole(&["text"])).unwrap_err();
        assert_eq!(e.message, "Could not find the function lib.add in the schema cache");
        assert_eq!(
            e.details.clone().unwrap(),
            "Searched for the function lib.add with a single unnamed text parameter, but no matches were found in the schema cache."
        );
        let e = call("nothing", &CallArguments::Query).unwrap_err();
        assert_eq!(e.message, "Could not find the function lib.nothing without parameters in the schema cache");
    }

    #[test]
    fn a_function_of_similar_name_or_parameters_is_suggested() {
        let hint = |name: &str, given: &CallArguments| call(name, given).unwrap_err().hint.clone();
        let meant = |what: &str| Some(format!("Perhaps you meant to call the function lib.{what}").into());
        assert_eq!(hint("serie?n=1", &CallArguments::Query), meant("series"));
        assert_eq!(hint("add?a=1&b=2&c=3", &CallArguments::Query), meant("add(a, b)"));
        assert_eq!(hint("area", &object("a b c d")), meant("area(a, b, c)"));
        assert_eq!(hint("add", &object("left right")), None);
        assert_eq!(hint("xyz", &CallArguments::Query), None);
        assert_eq!(hint("notee", &CallArguments::Whole(&["text"])), None);
    }

    #[test]
    fn a_whole_body_goes_to_the_one_unnamed_parameter_of_its_type() {
        assert_eq!(arguments("import", &object("any keys")), ["jsonb"]);
        assert_eq!(arguments("import", &CallArguments::Whole(JSON_TYPES)), ["jsonb"]);
        assert_eq!(arguments("upload", &CallArguments::Whole(&["bytea"])), ["bytea"]);
        assert_eq!(arguments("note", &CallArguments::Whole(&["text"])), ["text"]);
        assert_eq!(refusal(call("note", &CallArguments::Whole(JSON_TYPES))), ("PGRST202".to_owned(), 404));
        assert_eq!(refusal(call("note", &CallArguments::Query)), ("PGRST202".to_owned(), 404));
    }

    #[test]
    fn what_a_function_answers_follows_its_result() {
        let result = |target: &str, given: &CallArguments| call(target, given).unwrap().result;
        assert!(matches!(result("add?a=1&b=2", &CallArguments::Query), CallResult::Scalar));
        assert!(matches!(result("series?n=3", &CallArguments::Query), CallResult::ScalarSet(_)));
        assert!(matches!(result("import", &object("")), CallResult::Void));
        assert!(matches!(result("newest_book", &CallArguments::Query), CallResult::Row(s) if s.limit.cap.is_none()));
        let CallResult::Rows(select) = result("books_of?author=1&select=id,authors(name)", &CallArguments::Query)
        else {
            panic!("no rows")
        };
        assert_eq!((select.limit.cap, select.embeds.len()), (Some(100), 1));
        assert!(matches!(result("stats?select=n&label=eq.x", &CallArguments::Query), CallResult::Rows(_)));
        assert_eq!(refusal(call("stats?select=nothing", &CallArguments::Query)), ("42703".to_owned(), 400));
        assert_eq!(refusal(call("stats?select=authors(*)", &CallArguments::Query)), ("PGRST200".to_owned(), 400));
        // a record is not taken apart
        assert!(matches!(result("anything", &CallArguments::Query), CallResult::ScalarSet(_)));
        assert_eq!(refusal(call("anything?select=a", &CallArguments::Query)), ("PGRST100".to_owned(), 400));
    }

    #[test]
    fn a_value_has_no_columns_to_choose_from() {
        for parameter in ["select=a", "order=a", "x=eq.1"] {
            let target = format!("series?n=3&{parameter}");
            assert_eq!(refusal(call(&target, &CallArguments::Query)), ("PGRST100".to_owned(), 400), "{target}");
        }
        // a set of values has pages, a single value does not
        assert!(call("series?n=3&limit=1&offset=1", &CallArguments::Query).is_ok());
        for target in ["add?a=1&b=2&limit=1", "add?a=1&b=2&offset=0"] {
            assert_eq!(refusal(call(target, &CallArguments::Query)), ("PGRST100".to_owned(), 400), "{target}");
        }
    }
}
