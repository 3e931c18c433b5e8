"""Random schemas for the law of writes: tables, views and functions of rows, with data.

Names collide on purpose: columns have the names of tables, foreign keys, operators and reserved parameters.
"""
import dataclasses
import json

from _sql import identifier, quote

SCHEMA = "law"
# Every table has these two columns. RID tells rows apart, and a PATCH changes MARK in every row that it reaches.
RID, MARK = "rid", "mark"
RELATION_NAMES = ["people", "tasks", "jobs", "owner", "status", "tags", "items", "count", "order", "select", "not", "and",
                  "limit", "eq", "a b", "x.y", "Größe", 'q"t']
COLUMN_NAMES = ["owner", "status", "tags", "title", "v", "doc", "flag", "count", "people", "tasks", "jobs", "items", "parent",
                "select", "order", "limit", "offset", "and", "or", "not", "columns", "on_conflict", "eq", "is", "in", "null",
                "a.b", "a,b", 'q"q', "has space", "par(en)", "dash-ed", "x->y", "größe", "rid.x"]
TYPES = ["int", "text", "bool", "jsonb", "text[]", "int4range", "numeric"]
TEXTS = ["", "a", "b", "Ann", "ann", "Bob", "C#", "a,b", "x.y", 'say "hi"', "it's", "(1)", "50%", "a_b", "a*b", " ", "null",
         "NULL", "ü", "back\\slash", "eq.1", "{a,b}", "a&b=c", "1", "+1"]
DOCUMENTS = [{}, {"a": 1}, {"a": None}, {"a": "x", "b": [1, 2]}, {"a": {"b": "Ann"}}, {"b": [{"c": 1}, None]}, [], [1, "a"], "a",
             1, True]
RANGES = ["empty", "[1,4)", "[2,3)", "[4,9)", "(,2)", "[5,)"]


def qualified(name):
    return f"{SCHEMA}.{identifier(name)}"


def array_text(items):
    def item(value):
        return "NULL" if value is None else '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "{" + ",".join(item(i) for i in items) + "}"


def random_value(rng, data_type):
    """A value of the type as a Python value that is not null."""
    if data_type == "int":
        return rng.randrange(6)
    if data_type == "numeric":
        return rng.choice([0, 1, 2.5, -3, 4.25])
    if data_type == "text":
        return rng.choice(TEXTS)
    if data_type == "bool":
        return rng.random() < 0.5
    if data_type == "jsonb":
        return rng.choice(DOCUMENTS)
    if data_type == "text[]":
        return [rng.choice([None, *TEXTS]) if rng.random() < 0.3 else rng.choice("abc") for _ in range(rng.randrange(3))]
    return rng.choice(RANGES)


def text_of(data_type, value):
    """The text that PostgreSQL reads as the value."""
    if data_type == "jsonb":
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return array_text(value) if isinstance(value, list) else str(value)


def literal(data_type, value):
    return "NULL" if value is None else f"{quote(text_of(data_type, value))}::{data_type}"


@dataclasses.dataclass
class Column:
    name: str
    type: str
    nullable: bool = True
    # SQL
    default: str | None = None

    def script(self):
        default = f" DEFAULT {self.default}" if self.default else ""
        return f"{identifier(self.name)} {self.type}{'' if self.nullable else ' NOT NULL'}{default}"


@dataclasses.dataclass
class ForeignKey:
    name: str
    table: "Relation"
    columns: list[str]
    target: "Relation"
    target_columns: list[str]
    unique: bool = False
    action: str = ""


@dataclasses.dataclass
class Relation:
    """A table, or a view of one table."""
    name: str
    columns: list[Column]
    key: list[str]
    foreign_keys: list[ForeignKey] = dataclasses.field(default_factory=list)
    rows: list[dict] = dataclasses.field(default_factory=list)
    # For a view: its table, the column that each of its columns shows (None for an expression), and its condition.
    table: "Relation | None" = None
    shown: dict[str, str | None] = dataclasses.field(default_factory=dict)
    where: str = ""
    # Whether a trigger of the table keeps some rows from being changed.
    keeps_rows: bool = False

    @property
    def base(self):
        return self.table or self

    @property
    def is_view(self):
        return self.table is not None

    def column(self, name):
        return next((c for c in self.columns if c.name == name), None)

    def has(self, name):
        return self.column(name) is not None

    @property
    def cascades(self):
        """Whether its rows are deleted or changed together with those that they refer to."""
        return any("CASCADE" in key.action for key in self.foreign_keys)

    def shows(self, table, columns):
        """The names that columns of a table have here, or None if one of them is missing."""
        if self.base is not table:
            return None
        if not self.is_view:
            return list(columns)
        names = [next((mine for mine, theirs in self.shown.items() if theirs == c), None) for c in columns]
        return None if None in names else names

    def unique_columns(self):
        """Columns that tell rows apart and are never null."""
        return [RID] if self.has(RID) else self.key

    def values(self, column):
        """The values of a column, without nulls."""
        name = self.shown.get(column) if self.is_view else column
        return [row[name] for row in self.base.rows if name in row and row[name] is not None]


@dataclasses.dataclass
class RowFunction:
    """A function of a row: a computed column (`type`), or a computed relationship (`target`)."""
    name: str
    relation: Relation
    body: str
    type: str | None = None
    target: Relation | None = None
    to_many: bool = False
    returns_set: bool = True

    def script(self):
        returns = self.type or ("SETOF " if self.returns_set else "") + qualified(self.target.name)
        rows = " ROWS 1" if self.target and self.returns_set and not self.to_many else ""
        return (f"CREATE FUNCTION {qualified(self.name)}({qualified(self.relation.name)}) RETURNS {returns}"
                f" STABLE LANGUAGE sql{rows} AS {quote(self.body)};")


@dataclasses.dataclass
class Routine:
    """A function that is called under /rpc/ and returns rows of a table."""
    name: str
    relation: Relation
    changes: bool

    def script(self):
        table = qualified(self.relation.name)
        body = f"UPDATE {table} SET {MARK} = by RETURNING *" if self.changes else f"SELECT * FROM {table} WHERE {MARK} <> by"
        return (f"CREATE FUNCTION {qualified(self.name)}(by int) RETURNS SETOF {table}"
                f" {'VOLATILE' if self.changes else 'STABLE'} LANGUAGE sql AS {quote(body)};")


@dataclasses.dataclass
class Relationship:
    """A way from one relation to another."""
    target: Relation
    to_many: bool
    # Pairs of columns: the target's (or the junction's) and the origin's.
    on: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    constraint: str | None = None
    # For many-to-many: both foreign keys of the junction.
    constraints: tuple[str, ...] = ()
    # For many-to-many: the junction, and pairs of its columns and the target's.
    junction: Relation | None = None
    beyond: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    function: RowFunction | None = None
    from_origin: bool = False
    # The two sides show one table that refers to itself, and one of them is a view.
    is_unsure: bool = False

    def is_meant(self, origin, name, hint):
        """Whether `name!hint` means this relationship, according to docs/dialect.md."""
        names_target = self.target.name == name
        if self.junction:
            columns = [name for pair in self.on + self.beyond for name in pair]
            return names_target and (hint in self.hints() or hint in columns if hint is not None else self.target is not origin)
        origin_columns, target_columns = ([pair[end] for pair in self.on] for end in (1, 0))
        if self.target is origin:
            # The table's name means the to-many side, and the column means the to-one side.
            if self.from_origin:
                return hint is None and ([name] == origin_columns or name == self.constraint)
            return names_target and (hint is None or hint in (self.constraint, *target_columns))
        if hint is None:
            return names_target or not self.target.is_view and (name == self.constraint or [name] == origin_columns)
        return names_target and hint in self.hints()

    def hints(self):
        """What tells it from others: a foreign key, a column of one, or the junction."""
        if self.junction:
            return sorted({self.junction.name, *self.constraints})
        return sorted({self.constraint, *(name for pair in self.on for name in pair)})


class Schema:
    """A random schema."""

    def __init__(self, rng):
        self.rng = rng
        self.tables: list[Relation] = []
        self.views: list[Relation] = []
        self.functions: list[RowFunction] = []
        self.routines: list[Routine] = []
        self.names = rng.sample(RELATION_NAMES[:8] if rng.random() < 0.5 else RELATION_NAMES, 8)
        for _ in range(rng.randrange(2, 5)):
            self._table()
        for _ in range(rng.choice([0, 1, 1, 2])):
            self._junction()
        for table in self.tables:
            self._references(table)
        for table in self.tables:
            self._rows(table)
        for _ in range(rng.randrange(3)):
            self._view()
        for _ in range(rng.randrange(4)):
            self._function()
        for changes in True, False:
            if rng.random() < 0.5:
                self.routines.append(Routine("touch" if changes else "find", rng.choice(self.tables), changes))

    @property
    def relations(self):
        return self.tables + self.views

    def _column_names(self, number, taken=()):
        names = [n for n in COLUMN_NAMES if n not in taken]
        # Half of the tables have only ordinary names, some of which are also names of relations.
        return self.rng.sample(names[:13] if self.rng.random() < 0.5 else names, number)

    def _plain_columns(self, number, taken=()):
        rng = self.rng
        for name in self._column_names(number, taken):
            data_type = rng.choice(TYPES[:4] if rng.random() < 0.7 else TYPES)
            default = literal(data_type, random_value(rng, data_type)) if rng.random() < 0.2 else None
            yield Column(name, data_type, default=default)

    def _table(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.65:
            key = [Column("id" if rng.random() < 0.8 else "key", "int", False)]
        elif kind < 0.75:
            key = [Column(rng.choice(["code", "status", "in"]), "text", False)]
        elif kind < 0.9:
            key = [Column("room", "text", False), Column("number", "int", False)]
            rng.shuffle(key)
        else:
            key = []
        self.tables.append(self._with_own(Relation(self.names.pop(), key, [c.name for c in key]), rng.randrange(1, 5)))

    def _with_own(self, table, number):
        taken = [c.name for c in table.columns]
        table.columns += list(self._plain_columns(number, taken))
        table.columns.append(Column(RID, "int", False, f"nextval('{SCHEMA}.rids')"))
        table.columns.append(Column(MARK, "int", False, "0"))
        table.keeps_rows = self.rng.random() < 0.1
        return table

    def _refer(self, table, target, names, nullable, unique=False):
        rng = self.rng
        columns = [Column(name, target.column(theirs).type, nullable) for name, theirs in zip(names, target.key)]
        table.columns[:0] = columns
        name = f"{table.name}_{names[0]}_fkey"
        if rng.random() < 0.15:
            # It has the name of something else that a request can ask for.
            name = rng.choice([t.name for t in self.tables] + [c.name for c in table.columns if c not in columns] + ["title"])
        if any(k.name == name for t in self.tables + [table] for k in t.foreign_keys):
            name = f"{table.name}_{len(table.foreign_keys)}_fkey"
        action = rng.choice(["", "", " ON DELETE CASCADE", " ON UPDATE CASCADE"] + [" ON DELETE SET NULL"] * nullable)
        table.foreign_keys.append(ForeignKey(name, table, list(names), target, list(target.key), unique, action))

    def _junction(self):
        rng = self.rng
        ends = [rng.choice(t) for t in [[t for t in self.tables if t.key and not t.foreign_keys]] * 2 if t]
        if not ends or not self.names:
            return
        table = Relation(self.names.pop(), [], [])
        for number, end in enumerate(ends):
            prefix = end.name if rng.random() < 0.5 and ends[0] is not ends[1] else f"{'near' if number == 0 else 'far'}"
            names = [prefix if len(end.key) == 1 else f"{prefix} {k}" for k in end.key]
            if any(table.has(name) for name in names):
                names = [f"{n}_{number}" for n in names]
            self._refer(table, end, names, False)
            table.key += names
        self.tables.append(self._with_own(table, rng.randrange(2)))

    def _references(self, table):
        """Adds foreign keys, mostly to ordinary tables. Several may refer to one table, or to the table itself."""
        rng = self.rng
        if table.foreign_keys and rng.random() < 0.8:
            return
        for _ in range(rng.choice([0, 1, 1, 2, 2, 3])):
            target = table if rng.random() < 0.2 else rng.choice(self.tables)
            if not target.key:
                continue
            names = []
            for key in target.key:
                free = [n for n in [target.name, *COLUMN_NAMES[:13], f"{target.name}_{key}"] if not table.has(n)]
                free = [n for n in free if n not in names]
                names.append(free[0] if rng.random() < 0.4 else rng.choice(free))
            self._refer(table, target, names, rng.random() < 0.85, unique=rng.random() < 0.2)

    def _rows(self, table):
        rng = self.rng
        number = rng.choice([0, 3, 5, 6, 7, 8])
        for n in range(number):
            row = {c.name: None if c.nullable and rng.random() < 0.3 else random_value(rng, c.type) for c in table.columns}
            row[RID], row[MARK] = n + 1, 0
            for position, name in enumerate(table.key):
                if not any(name in k.columns for k in table.foreign_keys):
                    row[name] = n + 1 if table.column(name).type == "int" else TEXTS[(n * 5 + position) % len(TEXTS)]
            table.rows.append(row)

    def _link(self):
        """Gives foreign keys values of rows that exist. Leaves out rows that would violate a constraint."""
        for table in self.tables:
            for key in table.foreign_keys:
                for row in table.rows:
                    if key.target.rows and not (table.column(key.columns[0]).nullable and self.rng.random() < 0.25):
                        chosen = self.rng.choice(key.target.rows)
                        row |= {mine: chosen[theirs] for mine, theirs in zip(key.columns, key.target_columns)}
        before = None
        while before != [len(t.rows) for t in self.tables]:
            before = [len(t.rows) for t in self.tables]
            for table in self.tables:
                for key in table.foreign_keys:
                    there = {tuple(row[c] for c in key.target_columns) for row in key.target.rows}
                    for row in table.rows:
                        if tuple(row[c] for c in key.columns) not in there:
                            row |= {c: None for c in key.columns}
                table.rows = [r for r in table.rows if all(r[c.name] is not None for c in table.columns if not c.nullable)]
                for columns in [table.key] * bool(table.key) + [k.columns for k in table.foreign_keys if k.unique]:
                    values = [tuple(row[c] for c in columns) for row in table.rows]
                    table.rows = [row for n, row in enumerate(table.rows) if None in values[n] or values[n] not in values[:n]]

    def _view(self):
        rng = self.rng
        if not self.names:
            return
        table = rng.choice(self.tables)
        kept = [c for c in table.columns if c.name in (RID, MARK) or rng.random() < 0.85]
        columns, shown = [], {}
        for column in kept:
            name = column.name
            if name not in (RID, MARK) and rng.random() < 0.25:
                free = [n for n in [*COLUMN_NAMES[:13], "it", "its"] if n not in shown and not any(c.name == n for c in kept)]
                name = rng.choice(free or [name])
            columns.append(dataclasses.replace(column, name=name, default=None))
            shown[name] = column.name
        if rng.random() < 0.2:
            columns.append(Column("computed", "int"))
            shown["computed"] = None
        view = Relation(self.names.pop(), columns, [], table=table, shown=shown)
        view.key = (table.key and view.shows(table, table.key)) or []
        if rng.random() < 0.4:
            view.where = f" WHERE {RID} % 3 <> 0"
        self.views.append(view)

    def _function(self):
        rng = self.rng
        relation = rng.choice(self.relations)
        names = ["grade", "age", "crew", "lead"] + [t.name for t in self.tables]
        name = rng.choice(names)
        taken = [f.name for f in self.functions if f.relation is relation]
        if name in taken or relation.has(name) and rng.random() < 0.8:
            return
        if rng.random() < 0.5:
            if rng.random() < 0.5:
                self.functions.append(RowFunction(name, relation, f"SELECT $1.{RID} * 2", type="int"))
            else:
                self.functions.append(RowFunction(name, relation, f"SELECT nullif(chr(96 + $1.{RID}), 'c')", type="text"))
            return
        target, kind = rng.choice(self.tables), rng.random()
        if kind < 0.6:
            body = f"SELECT * FROM {qualified(target.name)} WHERE {RID} % 3 = $1.{RID} % 3"
            self.functions.append(RowFunction(name, relation, body, target=target, to_many=True))
        else:
            body = f"SELECT * FROM {qualified(target.name)} WHERE {RID} = $1.{RID} + 1"
            self.functions.append(RowFunction(name, relation, body, target=target, returns_set=kind < 0.8))

    def script(self):
        """The SQL that makes the schema, with its data."""
        lines = [f"CREATE SCHEMA {SCHEMA};", f"CREATE SEQUENCE {SCHEMA}.rids START 100;"]
        if any(table.keeps_rows for table in self.tables):
            lines.append(f"CREATE FUNCTION {SCHEMA}.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';")
        for table in self.tables:
            columns = [c.script() for c in table.columns]
            if table.key:
                columns.append(f"PRIMARY KEY ({names(table.key)})")
            columns += [f"UNIQUE ({names(k.columns)})" for k in table.foreign_keys if k.unique] + [f"UNIQUE ({RID})"]
            lines.append(f"CREATE TABLE {qualified(table.name)} ({', '.join(columns)});")
        for table in self.tables:
            for row in table.rows:
                values = ", ".join(literal(c.type, row[c.name]) for c in table.columns)
                lines.append(f"INSERT INTO {qualified(table.name)} VALUES ({values});")
        for table in self.tables:
            for key in table.foreign_keys:
                lines.append(f"ALTER TABLE {qualified(table.name)} ADD CONSTRAINT {identifier(key.name)}"
                             f" FOREIGN KEY ({names(key.columns)})"
                             f" REFERENCES {qualified(key.target.name)} ({names(key.target_columns)}){key.action};")
            if table.keeps_rows:
                lines.append(f"CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON {qualified(table.name)} FOR EACH ROW"
                             f" WHEN (OLD.{RID} % 3 = 0) EXECUTE FUNCTION {SCHEMA}.keep();")
        for view in self.views:
            shown = ", ".join(f"{identifier(theirs) if theirs else f'{RID} + 1'} AS {identifier(mine)}"
                              for mine, theirs in view.shown.items())
            lines.append(f"CREATE VIEW {qualified(view.name)} AS SELECT {shown} FROM {qualified(view.table.name)}{view.where};")
        lines += [f.script() for f in self.functions + self.routines]
        return "\n".join(lines)

    def row_function(self, relation, name):
        return next((f for f in self.functions if f.relation is relation and f.name == name), None)

    def relationships(self, origin):
        """All relationships from a relation to others, except those that functions make."""
        found = []
        for key in [k for t in self.tables for k in t.foreign_keys]:
            for target in self.relations:
                unsure = key.table is key.target and (origin.is_view or target.is_view)
                mine, theirs = origin.shows(key.table, key.columns), target.shows(key.target, key.target_columns)
                if mine and theirs:
                    on = list(zip(theirs, mine))
                    found.append(Relationship(target, False, on, key.name, from_origin=True, is_unsure=unsure))
                mine, theirs = origin.shows(key.target, key.target_columns), target.shows(key.table, key.columns)
                if mine and theirs:
                    found.append(Relationship(target, not key.unique, list(zip(theirs, mine)), key.name, is_unsure=unsure))
        for junction in self.relations:
            keys = [(k, junction.shows(k.table, k.columns)) for k in junction.base.foreign_keys if not k.unique]
            keys = [(k, columns) for k, columns in keys if columns and set(columns) <= set(junction.key)]
            for near, near_columns in keys:
                mine = origin.shows(near.target, near.target_columns)
                for far, far_columns in keys:
                    for target in self.relations if mine and far is not near else []:
                        if theirs := target.shows(far.target, far.target_columns):
                            found.append(Relationship(target, True, list(zip(near_columns, mine)), junction=junction,
                                                      constraints=(near.name, far.name), beyond=list(zip(far_columns, theirs))))
        return found

    def meant(self, origin, name, hint=None):
        """The relationships that `name!hint` can mean in a select of `origin`."""
        function = self.row_function(origin, name)
        if function and function.target:
            return [Relationship(function.target, function.to_many, function=function)]
        return [r for r in self.relationships(origin) if r.is_meant(origin, name, hint)]

    def ways(self, origin):
        """What a request can write to embed a relation: (name, hint, relationship). Each means exactly one relationship."""
        spellings = {(f.name, None) for f in self.functions if f.relation is origin and f.target}
        for relationship in self.relationships(origin):
            by = [relationship.target.name]
            if not relationship.junction and relationship.from_origin:
                by += [relationship.constraint] + [mine for _, mine in relationship.on if len(relationship.on) == 1]
            spellings |= {(name, None) for name in by} | {(relationship.target.name, hint) for hint in relationship.hints()}
        found = []
        for name, hint in sorted(spellings, key=str):
            meant = self.meant(origin, name, hint)
            if len(meant) == 1 and not meant[0].is_unsure and self.is_said(origin, name, hint, meant[0]):
                found.append((name, hint, meant[0]))
        return found

    @staticmethod
    def is_said(origin, name, hint, relationship):
        """Whether docs/dialect.md says that it can be written like this."""
        if relationship.function or relationship.junction:
            return True
        if relationship.target is not origin:
            # In a request to a relation, its name means the relation itself.
            return name != origin.name
        # If a table refers to itself, its name means the to-many side, and the column means the to-one side.
        return name != relationship.constraint and (hint is None or relationship.to_many)


def names(columns):
    return ", ".join(identifier(c) for c in columns)


def make(rng):
    schema = Schema(rng)
    schema._link()
    if rng.random() < 0.5:
        # Triggers keep writes off their fast path.
        for table in schema.tables:
            table.keeps_rows = False
            for key in table.foreign_keys:
                key.action = ""
    return schema
