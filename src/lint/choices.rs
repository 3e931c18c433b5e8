//! Tries all choices for what is unknown about a row.

use crate::limits::LINT_CHOICES;
use std::collections::HashMap;

/// One combination of choices, and the way to the next.
pub struct Choices {
    /// The choice and the number of options, for each question in order.
    made: Vec<(usize, usize)>,
    /// The number of questions asked in this round.
    asked: usize,
    /// The questions by subject: a repeated question gets the same answer.
    known: HashMap<String, usize>,
    /// The pairs of values that were chosen to be equal, and those that were not.
    compared: Vec<(String, String, bool)>,
    runs: usize,
}

impl Choices {
    pub fn new() -> Self {
        Choices { made: Vec::new(), asked: 0, known: HashMap::new(), compared: Vec::new(), runs: 0 }
    }

    /// Chooses one of `options`, counted from 0.
    pub fn pick(&mut self, about: String, options: usize) -> usize {
        if let Some(known) = self.known.get(&about) {
            return *known;
        }
        if self.asked == self.made.len() {
            self.made.push((0, options));
        }
        let picked = self.made.get(self.asked).map_or(0, |(picked, _)| *picked);
        self.asked += 1;
        self.known.insert(about, picked);
        picked
    }

    /// Chooses yes or no; no comes first.
    pub fn is(&mut self, about: String) -> bool {
        self.pick(about, 2) == 1
    }

    /// Whether two values are equal: as it follows from earlier choices, else by a new choice. `differ`: whether two values are
    /// known to differ.
    pub fn are_equal(&mut self, left: &str, right: &str, differ: impl Fn(&str, &str) -> bool) -> bool {
        let (left_class, right_class) = (self.class(left), self.class(right));
        if left_class.iter().any(|value| value == right) {
            return true;
        }
        let are_apart = |a: &String, b: &String| {
            differ(a, b) || self.compared.iter().any(|(x, y, equal)| !equal && ((x, y) == (a, b) || (x, y) == (b, a)))
        };
        if left_class.iter().any(|a| right_class.iter().any(|b| are_apart(a, b))) {
            return false;
        }
        let equal = self.is(format!("{left} = {right}"));
        self.compared.push((left.to_owned(), right.to_owned(), equal));
        equal
    }

    /// The values that were chosen to be equal to a value, including itself.
    fn class(&self, value: &str) -> Vec<String> {
        let mut class = vec![value.to_owned()];
        let mut i = 0;
        while let Some(of) = class.get(i).cloned() {
            for (left, right, equal) in &self.compared {
                for (one, other) in [(left, right), (right, left)] {
                    if *equal && *one == of && !class.contains(other) {
                        class.push(other.clone());
                    }
                }
            }
            i += 1;
        }
        class
    }

    /// Goes on to the next combination. Returns whether there is one; `None` if too many were tried.
    pub fn next(&mut self) -> Option<bool> {
        self.runs += 1;
        if self.runs == LINT_CHOICES {
            return None;
        }
        self.known.clear();
        self.compared.clear();
        self.asked = 0;
        while let Some((picked, options)) = self.made.pop() {
            if picked + 1 < options {
                self.made.push((picked + 1, options));
                return Some(true);
            }
        }
        Some(false)
    }
}
