//! Calling a function: which of the overloads, with which arguments, and what it answers with.

use super::*;
use crate::catalog::{Function, ResultType};
use crate::plan::read::Columns;
use crate::query::Node;

/// The arguments that a request brings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Given {
    /// By GET: parameters of the query.
    Query,
    /// By POST: the keys of the body's object, in order.
    Object(Vec<String>),
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
        let result = match &function.result {
            ResultType::Void => CallResult::Void,
            ResultType::Scalar if function.returns_set => {
                let page = Node { limit: query.root.limit, offset: query.root.offset, ..Node::default() };
                let shape = Columns::Result { function: name, columns: &[] };
                let alias = self.alias('t');
                let select = self.select(Source::Function(invocation.clone()), alias, shape, &page, true)?;
                CallResult::ScalarSet(Box::new(select))
            }
            ResultType::Scalar => CallResult::Scalar,
            ResultType::Record => {
                return Err(Error::new(Code::NotImplemented, "Feature not implemented")
                    .details(format!("The function '{name}' returns record without telling its columns."))
                    .hint("Declare it RETURNS TABLE (...), or with OUT parameters."));
            }
            ResultType::Composite { relation, columns } => {
                let relation = match relation {
                    Some(relation) => self.catalog.relation(&relation.schema, &relation.name)?,
                    None => None,
                };
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
        Ok(Call { invocation, result })
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
            Given::Object(keys) => keys.iter().map(String::as_str).collect(),
            Given::Whole(_) => Vec::new(),
        };
        if let (Given::Object(_), Some(columns)) = (given, &query.columns) {
            names = columns.iter().map(String::as_str).collect();
        }
        let mut seen = Vec::with_capacity(names.len());
        names.retain(|name| {
            let is_first = !seen.contains(name);
            seen.push(*name);
            is_first
        });
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
                Given::Query => &[],
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
            [] => Err(self.no_function(name, &names, given)),
            several => {
                // The one that needs no default is the one that was meant, if there is just one.
                let exact: Vec<&&Function> = several.iter().filter(|f| f.parameters.len() == names.len()).collect();
                match exact.as_slice() {
                    [function] => Ok(function),
                    _ => Err(ambiguous(several)),
                }
            }
        }
    }

    fn no_function(&self, name: &str, names: &[&str], given: &Given) -> Error {
        let qualified = format!("{}.{name}", self.schema);
        let shown = if names.is_empty() { " without parameters".to_owned() } else { format!("({})", names.join(", ")) };
        let searched = match (names.len(), given) {
            (0, _) => " without parameters".to_owned(),
            (1, _) => format!(" with parameter {}", names.join(", ")),
            _ => format!(" with parameters {}", names.join(", ")),
        };
        let unnamed = match given {
            Given::Object(_) => " or with a single unnamed json/jsonb parameter",
            _ => "",
        };
        Error::new(
            Code::Function,
            format!("Could not find the function {qualified}{shown} in the schema cache"),
        )
        .details(format!(
            "Searched for the function {qualified}{searched}{unnamed}, but no matches were found in the schema cache."
        ))
    }
}

fn ambiguous(functions: &[&Function]) -> Error {
    let shown: Vec<String> = functions
        .iter()
        .map(|f| {
            let parameters: Vec<String> =
                f.parameters.iter().map(|p| format!("{} => {}", p.name, p.data_type)).collect();
            format!("{}.{}({})", f.name.schema, f.name.name, parameters.join(", "))
        })
        .collect();
    Error::new(
        Code::AmbiguousFunction,
        format!("Could not choose the best candidate function between: {}", shown.join(", ")),
    )
    .hint("Try renaming the parameters or the function itself in the database so function overloading can be resolved")
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
                    let given = query.arguments.iter().filter(|(name, _)| *name == p.name).map(|(_, value)| *value);
                    // Of a repeated argument the last counts; those of a variadic parameter are its items.
                    let values: Vec<ValueId> =
                        if p.variadic { given.collect() } else { given.last().into_iter().collect() };
                    (!values.is_empty()).then(|| (p.name.clone(), p.data_type.clone(), values, p.variadic))
                })
                .collect(),
        ),
        Given::Object(keys) => {
            let keys = query.columns.as_ref().unwrap_or(keys);
            Arguments::Body(
                function
                    .parameters
                    .iter()
                    .filter(|p| keys.contains(&p.name))
                    .map(|p| (p.name.clone(), p.data_type.clone(), p.variadic))
                    .collect(),
            )
        }
        Given::Whole(_) => Arguments::Body(Vec::new()),
    }
}
