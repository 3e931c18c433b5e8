//! What OPTIONS and Allow say: the methods of a resource that the role of the request may use (RFC 9110, section 10.2.1).

use super::Planner;
use crate::catalog::Relation;
use crate::error::{Code, Error, Result};
use crate::http::accepts::{self, Accepts};
use crate::route::Resource;

/// The description of a resource that OPTIONS returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The methods, in the form of Allow.
    pub allow: String,
    /// The media types of bodies that they take.
    pub accepts: Vec<Accepts>,
}

/// A method, and what it takes as its body.
type Method = (&'static str, Option<Accepts>);

const OPTIONS: Method = ("OPTIONS", None);
const READ: [Method; 3] = [("GET", None), ("HEAD", None), ("QUERY", Some(accepts::QUERY))];

impl Planner<'_> {
    /// Describes a resource.
    ///
    /// # Errors
    /// PGRST205 and PGRST202 (404) for names that do not exist.
    pub fn describe(&self, resource: &Resource) -> Result<Description> {
        let methods = match resource {
            Resource::Root => vec![OPTIONS, READ[0], READ[1]],
            Resource::Collection { relation } => self.methods(&*self.relation(relation)?, false)?,
            Resource::Item { relation, .. } => self.methods(&*self.relation(relation)?, true)?,
            Resource::Function { name } => self.methods_of_function(name)?,
        };
        let names: Vec<&str> = methods.iter().map(|(name, _)| *name).collect();
        // PUT has no field that lists media types without doubt.
        let accepts = methods.iter().filter(|(name, _)| *name != "PUT").filter_map(|(_, accepts)| *accepts).collect();
        Ok(Description { allow: names.join(","), accepts })
    }

    /// The value of Allow for a relation.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn allow(&self, relation: &Relation, is_item: bool) -> Result<String> {
        let methods = self.methods(relation, is_item)?;
        Ok(methods.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(","))
    }

    /// `is_item`: of a single row, which is found by its key. So its key has to be read for every method.
    fn methods(&self, relation: &Relation, is_item: bool) -> Result<Vec<Method>> {
        let rights = self.catalog.rights(relation)?;
        let mut reads_key = rights.select;
        for column in &relation.primary_key {
            reads_key = reads_key && self.catalog.may_read_column(relation, column)?;
        }
        let finds = !is_item || reads_key;
        let mut methods = vec![OPTIONS];
        if rights.select && finds {
            methods.extend(READ);
        }
        for (method, is_allowed) in [
            (("POST", Some(accepts::POST)), !is_item && relation.insertable && rights.insert),
            (("PUT", Some(accepts::PUT)), relation.is_replaceable() && self.catalog.may_put(relation)?),
            (("PATCH", Some(accepts::PATCH)), finds && relation.updatable && rights.update),
            (("DELETE", None), finds && relation.deletable && rights.delete),
        ] {
            if is_allowed {
                methods.push(method);
            }
        }
        Ok(methods)
    }

    fn methods_of_function(&self, name: &str) -> Result<Vec<Method>> {
        let functions = self.catalog.functions(self.schema, name)?;
        let mut methods = vec![OPTIONS];
        let callable: Vec<_> = functions.iter().filter(|function| function.callable).collect();
        if callable.is_empty() {
            let message = format!("Could not find the function {}.{name} in the schema cache", self.schema);
            return Err(Error::new(Code::Function, message));
        }
        let (mut may_read, mut may_call) = (false, false);
        for function in callable {
            if self.catalog.may_call(function)? {
                may_call = true;
                may_read |= !function.volatile;
            }
        }
        if may_read {
            methods.extend(READ);
        }
        if may_call {
            methods.push(("POST", Some(accepts::CALL)));
        }
        Ok(methods)
    }
}
