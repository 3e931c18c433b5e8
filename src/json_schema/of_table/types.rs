//! Data types, as the catalogue tells them.

use crate::limits::TYPE_DEPTH;
use serde::Deserialize;
use std::collections::HashMap;

/// Types and what these are made of.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Types {
    /// By `pg_type.oid`.
    pub by_oid: HashMap<u32, Type>,
    /// Whether `bytea_output` is `hex`.
    pub bytea_is_hex: bool,
}

impl Types {
    /// The domains that a type is over, the outermost first, and what these are of.
    pub fn domains(&self, mut of: TypeUse) -> (Vec<&Type>, TypeUse) {
        let mut domains = Vec::new();
        while domains.len() < TYPE_DEPTH
            && let Some(domain) = self.by_oid.get(&of.type_oid)
            && let Some(base) = domain.base
        {
            domains.push(domain);
            of = TypeUse { collation: of.collation, ..base };
        }
        (domains, of)
    }

    /// Leaves domains that are cast to json without a base: what their values are in bodies of the API, only the cast says.
    pub fn represent_domains(&mut self) {
        for domain in self.by_oid.values_mut().filter(|t| t.casts_to_json) {
            domain.base = None;
        }
    }
}

/// A type with what is said where it is used.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct TypeUse {
    /// `pg_type.oid`
    pub type_oid: u32,
    /// `pg_attribute.atttypmod`: a length, or precision and scale; -1 without.
    #[serde(default = "no_modifier")]
    pub modifier: i32,
    /// The collation of a text, when it is not the plain one.
    #[serde(default)]
    pub collation: Collation,
}

impl TypeUse {
    /// A type of which nothing more is said.
    pub fn plain(type_oid: u32) -> Self {
        TypeUse { type_oid, modifier: no_modifier(), collation: Collation::default() }
    }
}

fn no_modifier() -> i32 {
    -1
}

/// What a collation means to CHECK constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Collation {
    /// Texts are equal only if their bytes are.
    pub deterministic: bool,
    /// `\d` is `[0-9]`.
    pub ascii_digits: bool,
}

impl Default for Collation {
    fn default() -> Self {
        Collation { deterministic: true, ascii_digits: true }
    }
}

/// A data type.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Type {
    pub schema: String,
    pub name: String,
    /// As SQL spells it, qualified: `integer`, `api.mood[]`.
    #[serde(default)]
    pub sql: String,
    /// `pg_type.typtype`: `b`ase, `c`omposite, `d`omain, `e`num, `p`seudo, `r`ange, `m`ultirange.
    pub kind: String,
    /// The element type of an array.
    #[serde(default)]
    pub element: Option<u32>,
    /// What a domain is of.
    #[serde(default)]
    pub base: Option<TypeUse>,
    /// A domain's NOT NULL.
    #[serde(default)]
    pub not_null: bool,
    /// A domain's default expression.
    #[serde(default)]
    pub default: Option<String>,
    /// CHECK constraints of a domain.
    #[serde(default)]
    pub checks: Vec<String>,
    /// An enum's labels in their order.
    #[serde(default)]
    pub labels: Vec<String>,
    /// A composite type's attributes in their order.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// A cast to json decides how it is written.
    #[serde(default)]
    pub casts_to_json: bool,
}

/// An attribute of a composite type.
#[derive(Clone, Debug, Deserialize)]
pub struct Attribute {
    pub name: String,
    #[serde(flatten)]
    pub data_type: TypeUse,
}
