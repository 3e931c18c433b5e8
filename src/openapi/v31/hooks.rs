//! What hooks answer: an operation that one takes may have other responses than its own.

use crate::hooks::{Event, Hook, Returns};
use crate::http::Method;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Tells of the hooks that may answer operations, or change their answers.
/// `groups`: those of routes.
pub fn tell(paths: &mut Map<String, Value>, groups: &HashMap<(String, Method), String>, hooks: &[Hook]) {
    let answering: Vec<&Hook> =
        hooks.iter().filter(|hook| hook.returns == Returns::Response || hook.event == Event::Before).collect();
    if answering.is_empty() {
        return;
    }
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let Ok(method) = Method::parse(&method.to_ascii_uppercase()) else { continue };
            let group = groups.get(&(path.clone(), method)).map(String::as_str);
            let is_taken = answering.iter().any(|hook| hook.scope.may_take(method, path, group));
            let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
            if let (true, Some(responses)) = (is_taken, responses) {
                let described = json!({ "description": "What a function that runs before or after the request answers, or an error." });
                responses.insert("default".to_owned(), described);
            }
        }
    }
}
