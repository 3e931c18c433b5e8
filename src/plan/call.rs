//! Calling a function: which of the overloads, with which arguments, and what it answers with.

use super::*;
use crate::catalog::{Function, ResultType, Signature};
use crate::plan::read::Columns;
use crate::query::Node;
use std::collections::HashSet;

/// The arguments that a request brings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Given {
    /// By GET: parameters of the query.
    Query,
    /// By POST: the keys of the body's object, in order.
    Object(Vec<String>),
    /// By POST of CSV: the names of the header line. They are arguments, and never passed as a whole.
    Fields(Vec<String>),
    /// By POST: a body that is not an object of arguments; its media type's SQL types in order of preference.
    Whole(&'static [&'static str]),
}

/// The types that a JSON body can be passed as.
pub const JSON_TYPES: &[&str] = &["json", "jsonb"];

impl Planner<'_> {
    /// Plans a call.
    pub fn call(&mut self, name: &str, query: &Query, given: &Given) -> Result<Call> {
        let functions = self.catalog.functions(self.schema, name)?;
        let function = self.overload(name, &functions, query, given)?;
        let arguments = arguments(function, query, given);
        let invocation = Invocation { function: function.name.clone(), arguments };
        let mut rows = None;
        let result = match &function.result {
            ResultType::Void => CallResult::Void,
            // Only the value itself tells the columns of a record: it is not taken apart.
            ResultType::Scalar | ResultType::Record if function.returns_set => {
                let page = Node { limit: query.root.limit, offset: query.root.offset, ..Node::default() };
                let shape = Columns::Result { function: name, columns: &[] };
                let alias = self.alias('t');
                let select = self.select(Source::Function(invocation.clone()), alias, shape, &page, true)?;
                CallResult::ScalarSet(Box::new(select))
            }
            ResultType::Scalar | ResultType::Record => CallResult::Scalar,
            ResultType::Composite { relation, columns } => {
                let relation = match relation {
                    Some(relation) => self.catalog.relation(&relation.schema, &relation.name)?,
                    None => None,
                };
                rows = relation.as_ref().map(|relation| relation.name.clone());
                let alias = self.alias('t');
                let source = Source::Function(invocation.clone());
                let shape = match &relation {
                    Some(relation) => Columns::Relation(relation),
                    None => Columns::Result { function: name, columns },
                };
                let select = Box::new(self.select(source, alias, shape, &query.root, function.returns_set)?);
                if function.returns_set { CallResult::Rows(select) } else { CallResult::Row(select) }
            }
        };
        if !matches!(result, CallResult::Row(_) | CallResult::Rows(_)) {
            self.refuse_row_parameters(name, &query.root)?;
        }
        let media = function.media.clone().filter(|_| !function.returns_set);
        Ok(Call { invocation, result, media, rows })
    }

    /// A value has no columns to select, filter or order by.
    fn refuse_row_parameters(&self, name: &str, node: &Node) -> Result<()> {
        if node.conditions.is_empty() && node.order.is_empty() && node.select.is_none() {
            return Ok(());
        }
        Err(Error::new(
            Code::QueryParameter,
            format!("The result of '{name}' has no columns to select, filter or order by"),
        )
        .hint("Call it without these parameters, or let it return a table."))
    }

    fn overload<'f>(
        &self,
        name: &str,
        functions: &'f [Function],
        query: &Query,
        given: &Given,
    ) -> Result<&'f Function> {
        let mut names: Vec<&str> = match given {
            Given::Query => query.arguments.iter().map(|(name, _)| name.as_str()).collect(),
            Given::Object(keys) | Given::Fields(keys) => keys.iter().map(String::as_str).collect(),
            Given::Whole(_) => Vec::new(),
        };
        if let (Given::Object(_) | Given::Fields(_), Some(columns)) = (given, &query.columns) {
            names = columns.iter().map(String::as_str).collect();
        }
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(*name));
        let by_name = |f: &&Function| {
            let named = |n: &&str| f.parameters.iter().any(|p| p.name == *n);
            let given = |n: &str| names.contains(&n);
            names.iter().all(named)
                && f.parameters.iter().all(|p| given(&p.name) || !p.required || p.variadic)
                && f.parameters.iter().all(|p| !p.name.is_empty() || !p.required)
        };
        let mut fitting: Vec<&Function> = match given {
            Given::Whole(_) => Vec::new(),
            _ => functions.iter().filter(by_name).collect(),
        };
        if fitting.is_empty() {
            let types: &[&str] = match given {
                Given::Query | Given::Fields(_) => &[],
                Given::Object(_) => JSON_TYPES,
                Given::Whole(types) => types,
            };
            fitting = functions
                .iter()
                .filter(|f| {
                    matches!(f.parameters.as_slice(), [only] if only.name.is_empty() && types.contains(&only.data_type.as_str()))
                })
                .collect();
        }
        match fitting.as_slice() {
            [function] => Ok(function),
            [] => Err(self.no_function(name, &names, given)?),
            several => {
                // The one that needs no default is the one that was meant, if there is just one.
                let exact: Vec<&&Function> = several.iter().filter(|f| f.parameters.len() == names.len()).collect();
                match exact.as_slice() {
                    [function] => Ok(function),
                    _ => Err(self.ambiguous(several)?),
                }
            }
        }
    }

    /// The refusal to choose among these functions. It names those that the role may call.
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

    fn no_function(&self, name: &str, names: &[&str], given: &Given) -> Result<Error> {
        let qualified = format!("{}.{name}", self.schema);
        let shown = match given {
            Given::Whole(_) => String::new(),
            _ if names.is_empty() => " without parameters".to_owned(),
            _ => format!("({})", names.join(", ")),
        };
        let searched = match (names.len(), given) {
            (_, Given::Whole(types)) => format!(" with a single unnamed {} parameter", types.join("/")),
            (0, _) => " without parameters".to_owned(),
            (1, _) => format!(" with parameter {}", names.join(", ")),
            _ => format!(" with parameters {}", names.join(", ")),
        };
        let unnamed = match given {
            Given::Object(_) => " or with a single unnamed json/jsonb parameter",
            _ => "",
        };
        let error = Error::new(
            Code::Function,
            format!("Could not find the function {qualified}{shown} in the schema cache"),
        )
        .details(format!(
            "Searched for the function {qualified}{searched}{unnamed}, but no matches were found in the schema cache."
        ));
        if matches!(given, Given::Whole(_)) {
            return Ok(error);
        }
        let candidates = self.catalog.similar_functions(self.schema, name)?;
        Ok(match suggestion(name, names, &candidates) {
            Some(meant) => error.hint(format!("Perhaps you meant to call the function {}.{meant}", self.schema)),
            None => error,
        })
    }
}

/// What was probably meant by a call of `name` with the arguments `names`: the function of that name with the most similar
/// parameters, or one of a similar name.
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

fn arguments(function: &Function, query: &Query, given: &Given) -> Arguments {
    if let [only] = function.parameters.as_slice()
        && only.name.is_empty()
        && !matches!(given, Given::Query)
    {
        return Arguments::WholeBody(only.data_type.clone());
    }
    match given {
        Given::Query => Arguments::Query(
            function
                .parameters
                .iter()
                .filter_map(|p| {
                    let mut given = query.arguments.iter().filter(|(name, _)| *name == p.name).map(|(_, value)| *value);
                    // Of a repeated argument the last counts; those of a variadic parameter are its items.
                    let values: Vec<ValueId> =
                        if p.variadic { given.collect() } else { given.next_back().into_iter().collect() };
                    (!values.is_empty()).then(|| (p.name.clone(), p.data_type.clone(), values, p.variadic))
                })
                .collect(),
        ),
        Given::Object(keys) | Given::Fields(keys) => {
            let keys = query.columns.as_ref().unwrap_or(keys);
            Arguments::Body(
                function
                    .parameters
                    .iter()
                    .filter(|p| keys.contains(&p.name))
                    .map(|p| BodyArgument {
                        name: p.name.clone(),
                        data_type: p.data_type.clone(),
                        variadic: p.variadic,
                        is_json_text: p.is_json && matches!(given, Given::Fields(_)),
                    })
                    .collect(),
            )
        }
        Given::Whole(_) => Arguments::Body(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::*;

    /// The arguments as `name type`, in the order of the function's parameters.
    #[track_caller]
    fn arguments(target: &str, given: &Given) -> Vec<String> {
        match call(target, given).unwrap().invocation.arguments {
            Arguments::Query(all) => all.into_iter().map(|(n, t, _, _)| format!("{n} {t}")).collect(),
            Arguments::Body(all) => all.into_iter().map(|a| format!("{} {}", a.name, a.data_type)).collect(),
            Arguments::WholeBody(data_type) => vec![data_type],
        }
    }

    #[test]
    fn arguments_are_named_in_any_order() {
        assert_eq!(arguments("add?b=1&a=2", &Given::Query), ["a int4", "b int4"]);
        assert_eq!(arguments("add", &object("b a")), ["a int4", "b int4"]);
        // what is not named among the columns is no argument
        assert_eq!(arguments("total?columns=a", &object("a nothing")), ["a int4"]);
    }

    #[test]
    fn of_a_repeated_argument_the_last_counts() {
        let Arguments::Query(all) = call("add?a=1&b=2&a=3", &Given::Query).unwrap().invocation.arguments else {
            panic!("no query")
        };
        let values: Vec<ValueId> = all.iter().flat_map(|(_, _, values, _)| values.clone()).collect();
        assert_eq!(values, [2, 1]);
        // and it is one argument when overloads are told apart: this one returns no set
        let plan = call("area?a=1&b=2&a=3", &Given::Query).unwrap();
        assert!(matches!(plan.result, CallResult::Scalar));
    }

    #[test]
    fn the_overload_without_defaults_is_meant() {
        assert_eq!(arguments("total?a=1", &Given::Query), ["a int4"]);
        assert_eq!(arguments("total?a=1&b=2", &Given::Query), ["a int4", "b int4"]);
        assert_eq!(arguments("total", &object("a b")), ["a int4", "b int4"]);
    }

    #[test]
    fn overloads_that_differ_in_types_alone_are_ambiguous() {
        let e = call("pick?a=1", &Given::Query).unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST203", 300));
        assert_eq!(
            e.message,
            "Could not choose the best candidate function between: lib.pick(a => int4), lib.pick(a => text)"
        );
    }

    #[test]
    fn the_details_tell_what_was_searched_for() {
        let e = call("add?a=1", &Given::Query).unwrap_err();
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
        let e = call("add", &Given::Whole(&["text"])).unwrap_err();
        assert_eq!(e.message, "Could not find the function lib.add in the schema cache");
        assert_eq!(
            e.details.clone().unwrap(),
            "Searched for the function lib.add with a single unnamed text parameter, but no matches were found in the schema cache."
        );
        let e = call("nothing", &Given::Query).unwrap_err();
        assert_eq!(e.message, "Could not find the function lib.nothing without parameters in the schema cache");
    }

    #[test]
    fn a_function_of_similar_name_or_parameters_is_suggested() {
        let hint = |name: &str, given: &Given| call(name, given).unwrap_err().hint.clone();
        let meant = |what: &str| Some(format!("Perhaps you meant to call the function lib.{what}").into());
        assert_eq!(hint("serie?n=1", &Given::Query), meant("series"));
        assert_eq!(hint("add?a=1&b=2&c=3", &Given::Query), meant("add(a, b)"));
        assert_eq!(hint("area", &object("a b c d")), meant("area(a, b, c)"));
        assert_eq!(hint("add", &object("left right")), None);
        assert_eq!(hint("xyz", &Given::Query), None);
        assert_eq!(hint("notee", &Given::Whole(&["text"])), None);
    }

    #[test]
    fn a_whole_body_goes_to_the_one_unnamed_parameter_of_its_type() {
        assert_eq!(arguments("import", &object("any keys")), ["jsonb"]);
        assert_eq!(arguments("import", &Given::Whole(JSON_TYPES)), ["jsonb"]);
        assert_eq!(arguments("upload", &Given::Whole(&["bytea"])), ["bytea"]);
        assert_eq!(arguments("note", &Given::Whole(&["text"])), ["text"]);
        assert_eq!(refusal(call("note", &Given::Whole(JSON_TYPES))), ("PGRST202".to_owned(), 404));
        assert_eq!(refusal(call("note", &Given::Query)), ("PGRST202".to_owned(), 404));
    }

    #[test]
    fn what_a_function_answers_follows_its_result() {
        let result = |target: &str, given: &Given| call(target, given).unwrap().result;
        assert!(matches!(result("add?a=1&b=2", &Given::Query), CallResult::Scalar));
        assert!(matches!(result("series?n=3", &Given::Query), CallResult::ScalarSet(_)));
        assert!(matches!(result("import", &object("")), CallResult::Void));
        assert!(matches!(result("newest_book", &Given::Query), CallResult::Row(s) if s.limit.cap.is_none()));
        let CallResult::Rows(select) = result("books_of?author=1&select=id,authors(name)", &Given::Query) else {
            panic!("no rows")
        };
        assert_eq!((select.limit.cap, select.embeds.len()), (Some(100), 1));
        assert!(matches!(result("stats?select=n&label=eq.x", &Given::Query), CallResult::Rows(_)));
        assert_eq!(refusal(call("stats?select=nothing", &Given::Query)), ("42703".to_owned(), 400));
        assert_eq!(refusal(call("stats?select=authors(*)", &Given::Query)), ("PGRST200".to_owned(), 400));
        // a record is not taken apart
        assert!(matches!(result("anything", &Given::Query), CallResult::ScalarSet(_)));
        assert_eq!(refusal(call("anything?select=a", &Given::Query)), ("PGRST100".to_owned(), 400));
    }

    #[test]
    fn a_value_has_no_columns_to_choose_from() {
        for parameter in ["select=a", "order=a", "x=eq.1"] {
            let target = format!("series?n=3&{parameter}");
            assert_eq!(refusal(call(&target, &Given::Query)), ("PGRST100".to_owned(), 400), "{target}");
        }
    }
}
