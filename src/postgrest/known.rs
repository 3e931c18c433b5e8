//! PostgREST's settings, from version 14 to 16, and what they are here. docs/from_postgrest.md has the same table, and a test compares.

/// A setting of PostgREST.
pub struct Known {
    pub name: &'static str,
    /// Other names of the setting, which count if this one is not there.
    pub aliases: &'static [&'static str],
    pub target: Target,
    /// What the reader should know.
    pub note: &'static str,
}

/// What a setting of PostgREST is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A setting of the extension, with the same text.
    Text(&'static str),
    /// A list of names, which are quoted here where they need it.
    Names(&'static str),
    Switch(&'static str),
    /// A number from 1 on.
    Number(&'static str),
    Choice(&'static str, &'static [&'static str]),
    /// Settings of the application, each under its own name.
    Own,
    /// A variable of the gateway: a number from 1 on.
    GatewayNumber(&'static str),
    GatewaySwitch(&'static str),
    /// A variable of the gateway that is made by a rule of its own.
    Gateway(&'static str),
    /// What is loaded, and an argument of the function that loads it.
    Secret,
    OfSecret(&'static str),
    Nothing,
}

use Target::{
    Choice, Gateway, GatewayNumber, GatewaySwitch, Names, Nothing, Number, OfSecret, Own, Secret, Switch, Text,
};

const HEALTH: &str = "The gateway answers /live and /ready at its own address.";
const FRESH: &str =
    "Changes of schemas, rights and settings count from the next statement: there is nothing to reload.";
const POOL: &str = "The gateway opens connections when they are needed, keeps them, and replaces those that fail.";
const SOCKET: &str = "The gateway listens on TCP.";

macro_rules! known {
    ($($name:literal $([$($alias:literal),*])?: $target:expr, $note:expr;)*) => {
        /// All of them, by name.
        pub const KNOWN: &[Known] = &[
            $(Known { name: $name, aliases: &[$($($alias),*)?], target: $target, note: $note }),*
        ];
    };
}

known! {
    "admin-server-host": Nothing, HEALTH;
    "admin-server-port": Nothing, HEALTH;
    "admin-server-unix-socket": Nothing, HEALTH;
    "admin-server-unix-socket-mode": Nothing, HEALTH;
    "app.settings.*": Own, "Every role of the database can read settings of roles: keep secrets in a table instead.";
    "client-error-verbosity": Choice("restful.error_verbosity", &["verbose", "minimal"]), "";
    "db-aggregates-enabled": Switch("restful.aggregates_enabled"), "";
    "db-anon-role": Text("restful.anon_role"), "";
    "db-channel": Nothing, FRESH;
    "db-channel-enabled": Nothing, FRESH;
    "db-config": Nothing, "Settings that PostgREST finds in the database (pgrst.*) are not in this text: add them.";
    "db-extra-search-path": Names("restful.extra_search_path"), "";
    "db-hoisted-tx-settings": Nothing, "Settings of a function hold from its beginning, by PostgreSQL's rules: a time limit belongs to the role.";
    "db-max-rows" ["max-rows"]: Number("restful.max_rows"), "";
    "db-plan-enabled": Switch("restful.plan_enabled"), "";
    "db-pool": GatewayNumber("POOL_SIZE"), "";
    "db-pool-acquisition-timeout": GatewayNumber("POOL_TIMEOUT"), "";
    "db-pool-automatic-recovery": Nothing, POOL;
    "db-pool-max-idletime" ["db-pool-timeout"]: Nothing, POOL;
    "db-pool-max-lifetime": Nothing, POOL;
    "db-pre-config": Nothing, "What this function sets is not in this text: add it.";
    "db-pre-request" ["pre-request"]: Text("restful.pre_request"), "It cannot change the role.";
    "db-prepared-statements": GatewaySwitch("PREPARED_STATEMENTS"), "";
    "db-root-spec" ["root-spec"]: Text("restful.root_spec"), "";
    "db-schemas" ["db-schema"]: Names("restful.schemas"), "";
    "db-tx-end": Choice("restful.tx_end", &["commit", "commit-allow-override", "rollback", "rollback-allow-override"]), "";
    "db-uri": Gateway("DATABASE_URL"), "";
    "jwt-aud": OfSecret("audiences"), "A token must name it in aud. PostgREST takes tokens without aud, too: restful.jwt_require_aud = off does so here.";
    "jwt-cache-max-entries": Nothing, "Each session keeps up to 256 verified tokens.";
    "jwt-role-claim-key" ["role-claim-key"]: OfSecret("role_path"), "";
    "jwt-secret": Secret, "The statement contains the secret. A token must have exp, which PostgREST does not require: restful.jwt_require_exp = off takes those without.";
    "jwt-secret-is-base64" ["secret-is-base64"]: OfSecret("is_base64"), "";
    "log-level": Gateway("LOG"), "The gateway writes a line for each request, or none. Its errors always go to stderr.";
    "log-query": Nothing, "PostgreSQL logs statements: log_statement, log_min_duration_statement, auto_explain.";
    "openapi-mode": Choice("restful.openapi_mode", &["follow-privileges", "ignore-privileges", "disabled"]), "";
    "openapi-security-active": Switch("restful.openapi_security_active"), "";
    "openapi-server-proxy-uri": Text("restful.openapi_server_proxy_uri"), "";
    "server-cors-allowed-origins": Gateway("CORS_ALLOWED_ORIGINS"), "";
    "server-host": Gateway("LISTEN"), "";
    "server-port": Gateway("LISTEN"), "";
    "server-reuseport": Nothing, "Run several gateways on ports of their own behind a proxy.";
    "server-timing-enabled": Switch("restful.server_timing"), "";
    "server-trace-header": Nothing, "The gateway sends X-Request-Id back, and traceparent is given back, too.";
    "server-unix-socket": Nothing, SOCKET;
    "server-unix-socket-mode": Nothing, SOCKET;
    "url-use-legacy-target-names": Nothing, "A relation that has an alias is filtered by the alias alone, as in PostgREST if this is false.";
}

/// The setting of a name or alias.
pub fn find(name: &str) -> Option<&'static Known> {
    let own =
        |known: &Known| known.target == Own && name.strip_prefix("app.settings.").is_some_and(|rest| !rest.is_empty());
    KNOWN.iter().find(|known| known.name == name || known.aliases.contains(&name) || own(known))
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;
    use crate::settings::SETTINGS;

    #[test]
    fn the_documentation_lists_the_settings() {
        let page = include_str!("../../docs/from_postgrest.md");
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        for known in KNOWN {
            let row = rows.iter().find(|row| row.starts_with(&format!("| `{}`", known.name)));
            let row = row.unwrap_or_else(|| panic!("docs/from_postgrest.md has no row for {}", known.name));
            for alias in known.aliases {
                assert!(row.contains(&format!("`{alias}`")), "{row} must name {alias}");
            }
            let here = match known.target {
                Text(name) | Names(name) | Switch(name) | Number(name) | Choice(name, _) => {
                    assert!(SETTINGS.iter().any(|setting| setting.name.to_str() == Ok(name)), "{name}");
                    name
                }
                GatewayNumber(name) | GatewaySwitch(name) | Gateway(name) | OfSecret(name) => name,
                Secret => "load_secret",
                Own | Nothing => continue,
            };
            assert!(row.contains(here), "{row} must name {here}");
        }
        let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(rows.len(), KNOWN.len(), "the page has other rows");
    }
}
