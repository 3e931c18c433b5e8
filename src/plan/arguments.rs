//! Arguments of a call by GET that look like filters.

use super::Planner;
use super::columns::Columns;
use crate::catalog::{Function, Parameter, ResultType};
use crate::error::Result;
use crate::query::{FilterText, Query, ValueId};

impl Planner<'_> {
    /// The query in which some filters have become arguments, because they cannot be filters: the result does not have the column,
    /// or the function cannot be called without the parameter. `None` if there are no such filters.
    ///
    /// `meant`: the function that the query calls as it is written, if there is one.
    pub(super) fn arguments_among_filters(
        &self,
        functions: &[Function],
        query: &Query,
        meant: Option<&Function>,
    ) -> Result<Option<Query>> {
        let callable = functions.iter().filter(|f| f.callable);
        let candidates: Vec<&Function> = match meant {
            Some(function) => vec![function],
            None => callable.filter(|f| lacks_filters_alone(f, query)).collect(),
        };
        let mut found: Vec<Query> = Vec::new();
        for function in candidates {
            let mut taken: Vec<&FilterText> = Vec::new();
            for filter in &query.filter_texts {
                let Some(parameter) = function.parameters.iter().find(|p| p.name == filter.name) else { continue };
                let is_given = query.arguments.iter().any(|(name, _)| *name == filter.name);
                let is_needed = parameter.required && !is_given;
                if is_needed || !self.has_column(function, &filter.name)? {
                    taken.push(filter);
                }
            }
            let query = with_arguments(query, &taken);
            if !taken.is_empty() && !found.contains(&query) {
                found.push(query);
            }
        }
        // If several readings fit, none is chosen.
        Ok(if found.len() == 1 { found.pop() } else { None })
    }

    /// Whether rows of the function can be filtered by a column of this name.
    fn has_column(&self, function: &Function, name: &str) -> Result<bool> {
        let ResultType::Composite { relation, columns, row_type } = &function.result else { return Ok(false) };
        let relation = match relation {
            Some(relation) => self.catalog.relation(&relation.schema, &relation.name)?,
            None => None,
        };
        let shape = match &relation {
            Some(relation) => Columns::Relation(relation),
            None => Columns::Result { function: &function.name.name, columns, row_type: *row_type },
        };
        Ok(self.column(shape, name).is_ok())
    }
}

/// Whether every missing parameter has the name of a filter.
fn lacks_filters_alone(function: &Function, query: &Query) -> bool {
    let is_argument = |name: &str| query.arguments.iter().any(|(argument, _)| argument == name);
    let is_filter = |name: &str| query.filter_texts.iter().any(|filter| filter.name == name);
    let is_known = |(name, _): &(String, ValueId)| function.parameters.iter().any(|p| p.name == *name);
    let is_there = |p: &Parameter| !p.required || is_argument(&p.name) || is_filter(&p.name);
    query.arguments.iter().all(is_known) && function.parameters.iter().all(is_there)
}

/// The query with these filters as arguments, in their original place among the others.
fn with_arguments(query: &Query, filters: &[&FilterText]) -> Query {
    let mut query = query.clone();
    for filter in filters.iter().rev() {
        if filter.condition < query.root.conditions.len() && filter.arguments <= query.arguments.len() {
            query.root.conditions.remove(filter.condition);
            query.arguments.insert(filter.arguments, (filter.name.clone(), filter.value));
        }
    }
    query
}

#[cfg(test)]
mod tests {
    use crate::payload::CallArguments;
    use crate::plan::fixture::*;
    use crate::plan::*;
    use crate::query::ValueId;

    /// Names of the arguments with the number of their values, and the number of remaining filters.
    #[track_caller]
    fn read(target: &str) -> (Vec<String>, usize) {
        let call = call(target, &CallArguments::Query).unwrap_or_else(|e| panic!("{target}: {e:?}"));
        let Arguments::Query(arguments) = call.invocation.arguments else { panic!("no query") };
        let filters = match &call.result {
            CallResult::Row(select) | CallResult::Rows(select) => select.conditions.len(),
            _ => 0,
        };
        let shown = |(name, _, values, _): &(String, String, Vec<ValueId>, bool)| format!("{name} {}", values.len());
        (arguments.iter().map(shown).collect(), filters)
    }

    #[test]
    fn what_can_be_no_filter_is_an_argument() {
        let arguments = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<String>>();
        // a scalar has no columns
        assert_eq!(read("add?a=eq.1&b=2"), (arguments(&["a 1", "b 1"]), 0));
        assert_eq!(read("sum_all?numbers=1&numbers=in.(2)&numbers=3"), (arguments(&["numbers 3"]), 0));
        // the row type does not have this column
        assert_eq!(read("books_of?author=eq.1&price=gt.2"), (arguments(&["author 1"]), 1));
        // without it the function cannot be called; with it, it is a filter
        assert_eq!(read("titled?title=like.x"), (arguments(&["title 1"]), 0));
        assert_eq!(read("titled?title=x&title=like.x"), (arguments(&["title 1"]), 1));
        assert_eq!(read("priced?price=gt.2"), (arguments(&[]), 1));
    }

    #[test]
    fn a_call_that_fails_says_what_was_taken_for_a_filter() {
        let e = call("add?a=eq.1", &CallArguments::Query).unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST202", 404));
        let e = call("books_of?price=gt.2", &CallArguments::Query).unwrap_err();
        assert_eq!(e.message, "Could not find the function lib.books_of without parameters in the schema cache");
    }
}
