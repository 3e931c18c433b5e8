"""The lints find nothing in a database that is set up by setup_roles, enable_rls, the generators of policies, column_preset and expose.
Tables, columns, generators and roles are random. Findings that no generator decides are left out, such as the server's version."""

import argparse
import json
import random
import sys

from _sql import identifier as ident, quote, run

SET_UP = """
create extension if not exists pg_restful;
drop schema if exists "Api one" cascade;
-- The shared set-up has this function, which would be a finding.
alter function public.as_superuser set search_path = pg_catalog, pg_temp;
set client_min_messages = warning;
do $$ begin perform restful.setup_roles('gen_web', 'gen_anon', 'gen_member', 'gen_service', 'gen_service_web', 'gen_admin', 'gen_auditor'); end $$;
create role gen_owner;
create schema "Api one" authorization gen_owner;
alter role gen_web set restful.schemas = '"Api one"';
do $$ begin perform restful.define_role('reader', '{docs.read}'); end $$;
set role gen_owner;
"""


def table(rng, number):
    """The statements that make and expose a table."""
    name = f'"Api one".{ident(rng.choice(["notes", "Mixed Case", "it" + chr(39) + "s", "select"]) + str(number))}'
    owner, tenant = rng.choice(["user_id", "Owner", "by"]), rng.choice(["tenant_id", "Team No"])
    owner_type, tenant_type = rng.choice(["uuid", "text", "bigint"]), rng.choice(["uuid", "text"])
    key = rng.choice(["id int generated always as identity primary key", "id uuid primary key default gen_random_uuid()",
                      "a int, b text, primary key (a, b)"])
    yield f"create table {name} ({key}, {ident(owner)} {owner_type} not null, {ident(tenant)} {tenant_type}, title text, published boolean not null default false)"
    call = lambda function, *arguments: f"select restful.{function}({quote(name)}, {', '.join(arguments)})"
    yield f"select restful.enable_rls({quote(name)}, {rng.choice(['true', 'true', 'false'])})"
    commands = rng.choice(["{select,insert,update,delete}", "{select}", "{select,insert}", "{insert,select,update}"])
    kind = rng.choice(["owner", "tenant", "permission"])
    if kind == "owner":
        yield call("policy_owner", quote(owner), f"commands => {quote(commands)}", "to_roles => '{gen_member}'", "make_index => true")
    elif kind == "tenant":
        rights = rng.choice([[], ["read => 'docs.read'"], ["read => 'docs.read'", "write => 'docs.write'"]])
        commands = "{select}" if rights == ["read => 'docs.read'"] else "{select,insert,update,delete}"
        yield call("policy_tenant", quote(tenant), *rights, "to_roles => '{gen_member}'", "make_index => true")
    else:
        for i, command in enumerate(commands.strip("{}").split(",")):
            yield call("policy_permission", quote(command), quote(f"docs.{command}"), "to_roles => '{gen_member}'", f"policy => 'permission_{i}'")
    if rng.random() < 0.5:
        using = rng.choice(["true", "published", "title is not null and published"])
        yield call("policy_public_read", "'{gen_anon}'", f"using_expr => {quote(using)}")
        yield call("expose", "'{gen_anon}'", "'{select}'")
    if rng.random() < 0.5:
        yield call("policy_restrict", "'restricted'", quote(rng.choice(["restful.aal() = 'aal2'", "not published", "title <> restful.email()"])),
                   rng.choice(["'{all}'", "'{insert,update}'"]))
    if rng.random() < 0.3 and owner_type != "bigint":
        yield call("column_preset", quote(owner), quote("restful.uid()" if owner_type == "uuid" else "restful.user_id()"))
    yield call("expose", "'{gen_member}'", quote(commands))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--library", help="not needed")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments.add_argument("--tables", type=int, default=80)
    options = arguments.parse_args()
    print(f"seed {options.seed}, {options.tables} tables", flush=True)
    rng = random.Random(options.seed)
    script = [SET_UP]
    made = {}
    for number in range(options.tables):
        statements = list(table(rng, number))
        made[number] = statements
        script += [f"do $do$ begin {'perform' + s[6:] if s.startswith('select') else s}; end $do$;" for s in statements]
    script.append("""reset role;
        select jsonb_build_object('findings', (select coalesce(jsonb_agg(to_jsonb(l)), '[]') from restful.lint('{"Api one"}') l
                where l.lint not in ('outdated_minor', 'outdated_extension') and l.object <> 'anon'),
            'policies', (select count(*) from pg_policies where schemaname = 'Api one'));
        drop schema "Api one" cascade;
        drop owned by gen_web, gen_anon, gen_member, gen_service, gen_service_web, gen_admin, gen_auditor, gen_owner cascade;
        drop role gen_web, gen_anon, gen_member, gen_service, gen_service_web, gen_admin, gen_auditor, gen_owner;""")
    report = json.loads(run(*script).strip().splitlines()[-1])
    for finding in report["findings"][:10]:
        number = "".join(c for c in finding["object"] if c.isdigit())
        print(f"\n{finding['lint']}: {finding['object']}: {finding['detail']}")
        print("  " + ";\n  ".join(made.get(int(number or -1), [])))
    print(f"{options.tables} tables, {report['policies']} policies, {len(report['findings'])} findings")
    sys.exit(1 if report["findings"] or report["policies"] < options.tables else 0)


if __name__ == "__main__":
    main()
