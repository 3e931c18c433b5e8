//! The routes of a database, as a tree of segments: finding one takes as many steps as its path has segments, however many there are. Pure.

use super::pattern::{Converter, Pattern, Segment};
use crate::http::Method;
use std::collections::HashMap;

/// Routes, each with something that it leads to.
#[derive(Debug)]
pub struct Table<T> {
    root: Node,
    routes: Vec<(Vec<String>, T)>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { root: Node::default(), routes: Vec::new() }
    }
}

#[derive(Debug, Default)]
struct Node {
    literals: HashMap<String, Node>,
    /// In the order of precedence.
    parameters: Vec<(Converter, Node)>,
    /// The routes that end here, by their methods.
    ends: Vec<(Method, usize)>,
}

/// A route that takes a path.
#[derive(Debug, PartialEq, Eq)]
pub struct Found<'t, 'p, T> {
    pub to: &'t T,
    /// The parameters of the path in order: their names and values.
    pub captured: Vec<(&'t str, Captured<'p>)>,
}

/// The value of a parameter: segments, joined by slashes.
pub type Captured<'p> = std::borrow::Cow<'p, str>;

/// What is known of a path.
#[derive(Debug, PartialEq, Eq)]
pub enum Match<'t, 'p, T> {
    Found(Found<'t, 'p, T>),
    /// Routes take the path, but not this method. They take these.
    OtherMethods(Vec<Method>),
    None,
}

impl<T> Table<T> {
    /// Adds a route. Returns the one that takes the same requests, and leaves it, if there is one.
    pub fn add(&mut self, pattern: &Pattern, to: T) -> Option<&T> {
        let mut node = &mut self.root;
        let mut names = Vec::new();
        for segment in &pattern.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::Parameter(name, converter) => {
                    names.push(name.clone());
                    let at = match node.parameters.binary_search_by_key(converter, |(known, _)| *known) {
                        Ok(at) => at,
                        Err(at) => {
                            node.parameters.insert(at, (*converter, Node::default()));
                            at
                        }
                    };
                    match node.parameters.get_mut(at) {
                        Some((_, node)) => node,
                        None => return None,
                    }
                }
            };
        }
        if let Some((_, known)) = node.ends.iter().find(|(method, _)| *method == pattern.method) {
            return self.routes.get(*known).map(|(_, to)| to);
        }
        node.ends.push((pattern.method, self.routes.len()));
        self.routes.push((names, to));
        None
    }

    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// What the routes lead to.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.routes.iter().map(|(_, to)| to)
    }

    /// The route that takes a path: at each segment, a literal comes before a parameter, and a narrower parameter before a wider one. HEAD
    /// and QUERY take the routes of GET.
    pub fn find<'t, 'p>(&'t self, method: Method, segments: &'p [std::borrow::Cow<'p, str>]) -> Match<'t, 'p, T> {
        let method = if matches!(method, Method::Head | Method::Query) { Method::Get } else { method };
        let mut search = Search { method, captured: Vec::new(), others: Vec::new() };
        let Some(route) = search.walk(&self.root, segments) else {
            return if search.others.is_empty() { Match::None } else { Match::OtherMethods(search.others) };
        };
        match self.routes.get(route) {
            Some((names, to)) => {
                Match::Found(Found { to, captured: names.iter().map(String::as_str).zip(search.captured).collect() })
            }
            None => Match::None,
        }
    }
}

struct Search<'p> {
    method: Method,
    captured: Vec<Captured<'p>>,
    others: Vec<Method>,
}

impl<'p> Search<'p> {
    fn walk(&mut self, node: &Node, segments: &'p [std::borrow::Cow<'p, str>]) -> Option<usize> {
        let Some((segment, rest)) = segments.split_first() else {
            let found = node.ends.iter().find(|(method, _)| *method == self.method).map(|(_, route)| *route);
            if found.is_none() {
                let others = node.ends.iter().map(|(method, _)| *method);
                self.others.extend(others.filter(|method| !self.others.contains(method)).collect::<Vec<_>>());
            }
            return found;
        };
        if let Some(found) = node.literals.get(segment.as_ref()).and_then(|next| self.walk(next, rest)) {
            return Some(found);
        }
        for (converter, next) in &node.parameters {
            let (value, rest): (Captured<'p>, _) = match converter {
                Converter::Path => (segments.join("/").into(), &[][..]),
                _ if converter.takes(segment) => (segment.as_ref().into(), rest),
                _ => continue,
            };
            self.captured.push(value);
            if let Some(found) = self.walk(next, rest) {
                return Some(found);
            }
            self.captured.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::target::Target;

    fn table(patterns: &[&str]) -> Table<String> {
        let mut table = Table::default();
        for pattern in patterns {
            let parsed = Pattern::parse(pattern, |_| Some("text".to_owned())).unwrap();
            assert_eq!(table.add(&parsed, (*pattern).to_owned()), None);
        }
        table
    }

    fn find(table: &Table<String>, method: Method, path: &str) -> String {
        let target = Target::parse(path).unwrap();
        match table.find(method, &target.segments) {
            Match::Found(found) => {
                let captured: Vec<String> = found.captured.iter().map(|(n, v)| format!("{n}={v}")).collect();
                format!("{} {}", found.to, captured.join(" ")).trim_end().to_owned()
            }
            Match::OtherMethods(methods) => format!("{methods:?}"),
            Match::None => "none".to_owned(),
        }
    }

    #[test]
    fn the_most_specific_route_is_found() {
        let table = table(&[
            "GET /orders/{id:int}",
            "GET /orders/recent",
            "GET /orders/{name:text}",
            "POST /orders/{id:int}/cancel",
            "GET /files/{rest:path}",
            "GET /orders/{id:int}/{what}",
            "DELETE /orders/{id:int}",
        ]);
        for (method, path, found) in [
            (Method::Get, "/orders/recent", "GET /orders/recent"),
            (Method::Head, "/orders/7", "GET /orders/{id:int} id=7"),
            (Method::Get, "/orders/x%2Fy", "GET /orders/{name:text} name=x/y"),
            (Method::Post, "/orders/7/cancel", "POST /orders/{id:int}/cancel id=7"),
            (Method::Get, "/orders/7/cancel", "GET /orders/{id:int}/{what} id=7 what=cancel"),
            (Method::Post, "/orders/x/cancel", "none"),
            (Method::Get, "/files/a/b%20c", "GET /files/{rest:path} rest=a/b c"),
            (Method::Get, "/files", "none"),
            (Method::Put, "/orders/7", "[Get, Delete]"),
            (Method::Get, "/other", "none"),
        ] {
            assert_eq!(find(&table, method, path), found, "{method:?} {path}");
        }
    }

    #[test]
    fn a_segment_that_fits_later_is_found_by_going_back() {
        let table = table(&["GET /a/b/c", "GET /a/{x}/d", "GET /{y:path}"]);
        assert_eq!(find(&table, Method::Get, "/a/b/d"), "GET /a/{x}/d x=b");
        assert_eq!(find(&table, Method::Get, "/a/b/e"), "GET /{y:path} y=a/b/e");
    }

    #[test]
    fn two_routes_that_take_the_same_requests_are_told() {
        let mut table = table(&["GET /a/{x}"]);
        let same = Pattern::parse("GET /a/{other}", |_| Some("text".to_owned())).unwrap();
        assert_eq!(table.add(&same, "second".to_owned()), Some(&"GET /a/{x}".to_owned()));
        let narrower = Pattern::parse("GET /a/{x:int}", |_| Some("text".to_owned())).unwrap();
        assert_eq!(table.add(&narrower, "third".to_owned()), None);
        assert_eq!(find(&table, Method::Get, "/a/1"), "third x=1");
    }

    /// The tree finds what trying all patterns in order of precedence finds.
    #[test]
    fn many_routes_are_told_apart() {
        let patterns: Vec<String> = (0..2_000).map(|n| format!("GET /area{}/thing{n}/{{id}}", n % 7)).collect();
        let table = table(&patterns.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(find(&table, Method::Get, "/area6/thing1672/x"), "GET /area6/thing1672/{id} id=x");
        assert_eq!(find(&table, Method::Get, "/area5/thing1672/x"), "none");
    }
}
