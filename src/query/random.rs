//! Random queries for property tests. Each run makes the same ones.

use super::*;
use crate::limits;

/// Xorshift (Marsaglia, 2003).
pub struct Random(u64);

impl Random {
    /// `seed`: must not be 0.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// A number below `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of the items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.one_in(2) { Some(make(self)) } else { None }
    }
}

/// The names and texts that random queries are made of.
pub struct Vocabulary<'a> {
    pub columns: &'a [&'a str],
    /// Names, aliases and hints of embedded relations.
    pub relations: &'a [&'a str],
    pub keys: &'a [&'a str],
    pub casts: &'a [&'a str],
    pub texts: &'a [&'a str],
}

/// Makes queries. Their literals are numbered in the order in which [`Query::parameters`] shows them.
pub struct Generator<'a> {
    pub random: Random,
    pub words: Vocabulary<'a>,
    filters: usize,
}

impl<'a> Generator<'a> {
    pub fn new(seed: u64, words: Vocabulary<'a>) -> Self {
        Generator { random: Random::new(seed), words, filters: 0 }
    }

    /// A random query that may use the whole grammar.
    ///
    /// `function_arguments`: adds arguments of a function call.
    pub fn query(&mut self, function_arguments: bool) -> Query {
        self.filters = 0;
        let mut query = Query::default();
        query.root.select = self.random.maybe(|_| ()).map(|()| self.select(0)).filter(|items| !items.is_empty());
        query.columns = self.random.maybe(|_| ()).map(|()| self.names());
        query.on_conflict = self.random.maybe(|_| ()).map(|()| self.names());
        if !function_arguments && self.random.one_in(4) {
            let cursor = (*self.random.pick(&["first", "last", "", "AQAB-_", "a b"])).to_owned();
            query.cursor = Some(query.add_value(Literal::Text(cursor)));
        }
        if function_arguments {
            for _ in 0..self.random.below(4) {
                let name = self.name(self.words.columns);
                // a value that looks like an operator would be a filter
                let value = Literal::Text(format!("={}", self.random.pick(self.words.texts)));
                let id = query.add_value(value);
                query.arguments.push((name, id));
            }
        }
        let mut root = std::mem::take(&mut query.root);
        self.fill(&mut query, &mut root, true);
        query.root = root;
        query
    }

    fn name(&mut self, from: &[&str]) -> String {
        (*self.random.pick(from)).to_owned()
    }

    fn names(&mut self) -> Vec<String> {
        let mut names = vec![self.name(self.words.columns)];
        for _ in 0..self.random.below(3) {
            let name = self.name(self.words.columns);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn select(&mut self, depth: usize) -> Vec<SelectItem> {
        let mut items: Vec<SelectItem> = Vec::new();
        for _ in 0..self.random.below(4) {
            let item = match self.random.below(6) {
                0 => SelectItem::Star,
                1 | 2 if depth + 1 < limits::EMBED_DEPTH.min(4) => SelectItem::Embed(self.embed(depth)),
                _ => SelectItem::Field(self.select_field()),
            };
            // if two embeds share a label, filters only reach the first
            let repeated = |label: &str| items.iter().any(|i| matches!(i, SelectItem::Embed(e) if e.label() == label));
            if !matches!(&item, SelectItem::Embed(e) if repeated(e.label())) {
                items.push(item);
            }
        }
        items
    }

    fn select_field(&mut self) -> SelectField {
        let aggregates = [Aggregate::Avg, Aggregate::Count, Aggregate::Max, Aggregate::Min, Aggregate::Sum];
        let field = if self.random.one_in(6) { None } else { Some(self.field()) };
        let aggregate = match &field {
            None => Some(Aggregate::Count),
            Some(_) => self.random.maybe(|r| *r.pick(&aggregates)),
        };
        let cast = |g: &mut Self| g.random.maybe(|_| ()).map(|()| g.name(g.words.casts));
        SelectField {
            alias: self.random.maybe(|_| ()).map(|()| self.name(self.words.columns)),
            cast: field.as_ref().and_then(|_| cast(self)),
            aggregate_cast: aggregate.and_then(|_| cast(self)),
            field,
            aggregate,
        }
    }

    fn embed(&mut self, depth: usize) -> Embed {
        let spread = self.random.one_in(4);
        let name = self.name(self.words.relations);
        Embed {
            alias: if spread { None } else { self.random.maybe(|_| ()).map(|()| self.name(self.words.relations)) },
            hints: (0..self.random.below(3)).map(|_| self.name(self.words.relations)).collect(),
            join: self.random.maybe(|r| *r.pick(&[Join::Inner, Join::Left])),
            spread,
            name,
            node: QueryNode { select: Some(self.select(depth + 1)), ..QueryNode::default() },
        }
    }

    fn field(&mut self) -> Field {
        let steps = if self.random.one_in(3) { 1 + self.random.below(3) } else { 0 };
        Field { name: self.name(self.words.columns), path: (0..steps).map(|_| self.step()).collect() }
    }

    fn step(&mut self) -> JsonStep {
        let key = if self.random.one_in(3) {
            JsonKey::Index(*self.random.pick(&[0, 1, -1, i32::MAX, -i32::MAX]))
        } else {
            JsonKey::Member(self.name(self.words.keys))
        };
        JsonStep { as_text: self.random.one_in(2), key }
    }

    fn fill(&mut self, query: &mut Query, node: &mut QueryNode, is_root: bool) {
        for _ in 0..self.random.below(if is_root { 4 } else { 2 }) {
            let condition = self.condition(query, 1);
            node.conditions.push(condition);
        }
        for _ in 0..self.random.below(3) {
            let term = OrderTerm {
                relation: if self.random.one_in(4) { Some(self.name(self.words.relations)) } else { None },
                field: self.field(),
                descending: self.random.maybe(|r| r.one_in(2)),
                nulls_first: self.random.maybe(|r| r.one_in(2)),
            };
            node.order.push(term);
        }
        for slot in [&mut node.limit, &mut node.offset] {
            let number = self.random.maybe(|r| *r.pick(&[0, 1, 25, i64::MAX as u64]));
            *slot = number.map(|n| query.add_value(Literal::Number(n)));
        }
        for item in node.select.iter_mut().flatten() {
            if let SelectItem::Embed(embed) = item {
                self.fill(query, &mut embed.node, false);
            }
        }
    }

    fn condition(&mut self, query: &mut Query, depth: usize) -> Condition {
        if depth < 4 && self.filters < limits::FILTERS / 2 && self.random.one_in(4) {
            let negated = self.random.one_in(2);
            let connective = *self.random.pick(&[Connective::And, Connective::Or]);
            let children = (0..1 + self.random.below(3)).map(|_| self.condition(query, depth + 1)).collect();
            return Condition::Tree { negated, connective, children };
        }
        self.filters += 1;
        let (field, negated) = (self.field(), self.random.one_in(3));
        Condition::Filter(Filter { field, negated, operation: self.operation(query) })
    }

    fn operation(&mut self, query: &mut Query) -> Operation {
        let text = Literal::Text(self.name(self.words.texts));
        match self.random.below(6) {
            0 => Operation::Is(*self.random.pick(IsValue::ALL)),
            1 => Operation::IsDistinct(query.add_value(text)),
            2 => {
                let items = (0..self.random.below(4)).map(|_| self.name(self.words.texts)).collect();
                Operation::In(query.add_value(Literal::List(items)))
            }
            3 => Operation::FullText {
                function: *self.random.pick(FullText::ALL),
                configuration: self.random.maybe(|r| (*r.pick(&["english", "simple"])).to_owned()),
                value: query.add_value(text),
            },
            _ => {
                let operator = *self.random.pick(Operator::ALL);
                let quantifier = if operator.takes_quantifier() && self.random.one_in(3) {
                    Some(*self.random.pick(Quantifier::ALL))
                } else {
                    None
                };
                Operation::Binary { operator, quantifier, value: query.add_value(text) }
            }
        }
    }
}
