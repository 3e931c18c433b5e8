//! Tests of an API: what was expected and what came, the log of a run, its output as TAP and JUnit XML, and what was covered.

mod coverage;
mod expectation;
mod junit;
mod tap;

pub use coverage::{Clause, Coverage, Seen};
pub use expectation::{Expectation, Received, excerpt, rows_faults};

/// What the tests of a session have found.
#[derive(Debug, Default)]
pub struct Log {
    pub tests: Vec<Test>,
    pub coverage: Coverage,
    /// The test function that runs now.
    pub running: Option<Test>,
    /// The output says already how many tests there are.
    pub is_planned: bool,
}

/// A test function, or an expectation outside of one.
#[derive(Clone, Debug, Default)]
pub struct Test {
    /// The function with its schema, or what the expectation is about.
    pub name: String,
    pub is_function: bool,
    pub checks: Vec<Check>,
    /// Why the function ended early.
    pub error: Option<String>,
    pub seconds: f64,
}

/// An expectation, and what it found.
#[derive(Clone, Debug, Default)]
pub struct Check {
    pub description: String,
    /// What came instead of what was expected, one line each. Empty if it holds.
    pub faults: Vec<String>,
    /// What helps to understand the faults: the request and the answer.
    pub context: Vec<String>,
}

impl Check {
    /// Whether the expectation holds.
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }
}

impl Test {
    /// Whether everything held and nothing was raised.
    pub fn passes(&self) -> bool {
        self.error.is_none() && self.checks.iter().all(Check::holds)
    }
}

impl Log {
    /// Begins a test function.
    pub fn begin(&mut self, name: &str) {
        self.running = Some(Test { name: name.to_owned(), is_function: true, ..Test::default() });
    }

    /// Adds an expectation to the running test function, or as a test of its own. Returns its lines of TAP.
    pub fn add(&mut self, check: Check, seconds: f64) -> String {
        match &mut self.running {
            Some(test) => {
                test.checks.push(check);
                test.checks.last().map(|check| tap::check(test.checks.len(), check)).unwrap_or_default()
            }
            None => {
                let name = check.description.clone();
                self.tests.push(Test { name, seconds, checks: vec![check], ..Test::default() });
                self.last()
            }
        }
    }

    /// Ends the running test function, with the error that it raised. Returns its lines of TAP.
    pub fn end(&mut self, error: Option<String>, seconds: f64) -> String {
        let Some(test) = self.running.take() else { return String::new() };
        self.tests.push(Test { error, seconds, ..test });
        self.last()
    }

    fn last(&self) -> String {
        self.tests.last().map(|test| tap::test(self.tests.len(), test)).unwrap_or_default()
    }

    /// The names of the tests that fail.
    pub fn failed(&self) -> Vec<&str> {
        self.tests.iter().filter(|test| !test.passes()).map(|test| test.name.as_str()).collect()
    }

    /// The tests as JUnit XML.
    pub fn junit(&self) -> String {
        junit::document(&self.tests)
    }
}

#[cfg(test)]
mod tests;
