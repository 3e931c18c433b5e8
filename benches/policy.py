"""Measures row-level security: policies that the generators make, compared with the best policy written by hand and with a function
that is called for each row."""

from client import Time
from measure import DATABASE, LOGIN, Bench, Rounds

ROWS, TENANTS = 2_000_000, 2_000
# The function per row runs on this many rows only, and its time is scaled up to all rows.
ASKED = 20_000

TOKEN, PERMITTED = "t7", ("t3", "t7", "t11", "t15", "t19")
SETUP = f"""
alter role {LOGIN} in database {DATABASE} set restful.trusted_authenticators = '{LOGIN}';
alter role {LOGIN} in database {DATABASE} set "request.jwt.claims" = '{{"role": "{LOGIN}", "sub": "somebody", "tenant_id": "{TOKEN}"}}';
select restful.define_role('reader', '{{docs.read}}');
select restful.grant_role('somebody', 'reader', t) from unnest('{{{",".join(PERMITTED)}}}'::text[]) t;
""" + "".join(f"""
create table docs_{name} (id int, tenant_id text);
insert into docs_{name} select i, 't' || i % {TENANTS} from generate_series(1, {ROWS}) i;
grant select on docs_{name} to {LOGIN};
""" for name in ("ours", "hand", "naive")) + """
alter table docs_hand enable row level security;
alter table docs_naive enable row level security;
create index on docs_naive (id);
select restful.enable_rls('docs_ours');
vacuum analyze;
"""
INDEXES = "".join(f"create index on docs_{name} (tenant_id);\n" for name in ("ours", "hand")) + "vacuum analyze;\n"
COUNT = "select count(*) from docs_"


def policies(generated: str, hand: str, naive: str) -> str:
    """The SQL that creates the three policies, each on its table."""
    return f"""
select restful.policy_tenant('docs_ours', {generated}to_roles => '{{{LOGIN}}}');
drop policy if exists tenant on docs_hand;
create policy tenant on docs_hand for select to {LOGIN} using ({hand});
drop policy if exists tenant on docs_naive;
create policy tenant on docs_naive using ({naive});
"""


def policy(bench: Bench) -> None:
    """Counts a tenant's rows among two million: by the token's tenant, and by permission without an index and with one."""
    bench.set_up(SETUP)
    permitted = "restful.tenants_with('docs.read')"
    bench.set_up(policies("", "tenant_id = (select restful.tenant_id())", "tenant_id = restful.tenant_id()"))
    compare(bench, "the token's tenant, no index", 1)
    bench.set_up(policies("read => 'docs.read', ", f"tenant_id in (select {permitted})", "restful.has_permission('docs.read', tenant_id)"))
    compare(bench, f"{len(PERMITTED)} tenants by permission, no index", len(PERMITTED))
    bench.set_up(INDEXES)
    bench.set_up(policies("read => 'docs.read', ", f"tenant_id = any (array(select {permitted}))",
                          "restful.has_permission('docs.read', tenant_id)"))
    compare(bench, f"{len(PERMITTED)} tenants by permission, index", len(PERMITTED))


def compare(bench: Bench, title: str, tenants: int) -> None:
    """Counts the visible rows under each policy."""
    rows, share, naive = ROWS // TENANTS * tenants, ASKED / ROWS, f"{COUNT}naive where id <= {ASKED}"
    bench.check(f"select ({COUNT}ours) = {rows} and ({COUNT}hand) = {rows} and ({naive}) = {int(rows * share)}")
    ours, hand, slow = f"policy_tenant: {title}", "the best form by hand", "a function per row"
    counts = {ours: f"{COUNT}ours", hand: f"{COUNT}hand", "control": f"{COUNT}hand"}
    rounds: Rounds = []
    with bench.connect() as session:
        for number in bench.each_round(title):
            best: dict[str, list[Time]] = {name: [] for name in counts}
            for _ in range(5):
                for name, sql in counts.items():
                    best[name].append(session.query(sql)[0])
            spent = {name: sorted(found, key=lambda t: t.wall)[len(found) // 2] for name, found in best.items()}
            time = session.query(naive)[0]
            spent[slow] = Time(time.wall / share, None if time.cpu is None else time.cpu / share)
            if number:
                rounds.append(spent)
    bench.report(rounds, ours, hand, bar=1.1, control="control")
    bench.report(rounds, ours, slow)
