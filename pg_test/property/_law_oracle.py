"""Writes plain SQL that means the same as a request of the law of writes, from the request's data alone."""
import itertools

from _law_request import Embed, Filter, RowTest, Shown, Star
from _law_schema import RID, literal, names, qualified
from _sql import identifier, quote

OPERATORS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "LIKE", "ilike": "ILIKE",
             "match": "~", "imatch": "~*", "cs": "@>", "cd": "<@", "ov": "&&", "sl": "<<", "sr": ">>", "nxr": "&<", "nxl": "&>",
             "adj": "-|-",
             "isdistinct": "IS DISTINCT FROM"}
TEXT_SEARCHES = {"fts": "to_tsquery", "plfts": "plainto_tsquery", "phfts": "phraseto_tsquery", "wfts": "websearch_to_tsquery"}
# The name of the rows that a write or a function returns.
RETURNED = "returned"


class Output:
    """A column of a result."""

    def __init__(self, name, sql, data_type, groups=True):
        self.name, self.sql, self.type = name, sql, data_type
        # Whether rows can be grouped by it. This is False for an aggregate.
        self.groups = groups


class Oracle:
    """Writes the SQL of one request. An `alias` is the name of a table expression and stands for its whole row."""

    def __init__(self):
        self.numbers = itertools.count(1)
        # Maps aliases of rows that have lost their row type to the relation that they are rows of.
        self.untyped = {}

    def alias(self):
        return f"q{next(self.numbers)}"

    # Expressions

    def column(self, alias, name):
        return f"{alias}.{identifier(name)}"

    def row(self, alias):
        return f"({alias}.*)::{qualified(self.untyped[alias].name)}" if alias in self.untyped else f"{alias}.*"

    def field(self, field, alias):
        sql = f"{qualified(field.function.name)}({self.row(alias)})" if field.function else self.column(alias, field.name)
        if field.path and field.type != "jsonb":
            sql = f"to_jsonb({sql})"
        for arrow, key in field.path:
            sql += f" {arrow} {key if isinstance(key, int) else quote(key)}"
        return f"({sql})" if field.path else sql

    def condition(self, condition, node, alias):
        if isinstance(condition, RowTest):
            return f"{'NOT ' if condition.is_null else ''}{self.exists(node.embed(condition.label), alias)}"
        if isinstance(condition, Filter):
            test = self.test(condition, alias)
            return f"NOT ({test})" if condition.negated else test
        children = f" {condition.connective.upper()} ".join(f"({self.condition(c, node, alias)})" for c in condition.children)
        return f"NOT ({children})" if condition.negated else f"({children})"

    def test(self, condition, alias):
        field, operator, value = self.field(condition.field, alias), condition.operator, condition.value
        if operator == "is":
            return f"{field} IS {value.upper().replace('_', ' ')}"
        if operator == "in":
            return f"{field} IN ({', '.join(map(quote, value))})" if value else "false"
        if operator in TEXT_SEARCHES:
            configuration = f"{quote(condition.configuration)}, " if condition.configuration else ""
            return f"to_tsvector({configuration}{field}) @@ {TEXT_SEARCHES[operator]}({configuration}{quote(value)})"
        if operator in ("like", "ilike"):
            value = value.replace("*", "%")
        if condition.quantifier:
            return f"{field} {OPERATORS[operator]} {condition.quantifier.upper()} ({quote(value)})"
        return f"{field} {OPERATORS[operator]} {quote(value)}"

    # Related rows

    def source(self, embed, parent):
        """FROM and WHERE for the rows that are related to a row of `parent`, and the alias of these rows."""
        relationship, node, alias = embed.relationship, embed.node, self.alias()
        table = qualified(node.relation.name)
        if function := relationship.function:
            sources, where = [f"{qualified(function.name)}({self.row(parent)}) AS {alias}"], []
            if not function.returns_set:
                where.append(f"{self.column(alias, RID)} IS NOT NULL")
        elif relationship.junction:
            between = self.alias()
            sources = [f"{table} AS {alias}", f"{qualified(relationship.junction.name)} AS {between}"]
            where = [f"{self.column(between, near)} = {self.column(parent, mine)}" for near, mine in relationship.on]
            where += [f"{self.column(between, far)} = {self.column(alias, theirs)}" for far, theirs in relationship.beyond]
        else:
            sources = [f"{table} AS {alias}"]
            where = [f"{self.column(alias, theirs)} = {self.column(parent, mine)}" for theirs, mine in relationship.on]
        where += self.where(node, alias)
        return f"FROM {', '.join(sources)}{self.clause(where)}", alias

    def where(self, node, alias):
        """The conditions of a level, including those of inner joins."""
        return [self.condition(c, node, alias) for c in node.conditions] + self.inner(node, alias)

    def inner(self, node, alias):
        return [self.exists(e, alias) for e in node.embeds if e.join == "inner"]

    @staticmethod
    def clause(where):
        return f" WHERE {' AND '.join(f'({w})' for w in where)}" if where else ""

    def exists(self, embed, parent):
        source, alias = self.source(embed, parent)
        if embed.node.is_grouped and not embed.spread:
            return f"EXISTS ({self.selected(embed.node, alias, source)})"
        return f"EXISTS (SELECT {source}{self.page(embed.node)})"

    def page(self, node):
        return ("" if node.limit is None else f" LIMIT {node.limit}") + (f" OFFSET {node.offset}" if node.offset else "")

    # What is shown

    def outputs(self, node, alias):
        found = []
        for item in node.items:
            if isinstance(item, Star):
                found += [Output(c.name, self.column(alias, c.name), c.type) for c in node.starred()]
            elif isinstance(item, Shown):
                found.append(self.shown(item, self.field(item.field, alias) if item.field else None))
            elif item.spread:
                found += self.spread(item, alias)
            elif item.is_shown:
                found.append(Output(item.label, self.embedded(item, alias), "json"))
        return found

    def shown(self, item, value):
        """The output of a column or aggregate. `value` is what it shows or aggregates, or None to count all rows."""
        data_type = item.field.result_type if item.field else "int"
        if not item.field and not item.aggregate:
            value = "1"
        if item.cast:
            value, data_type = f"({value})::{item.cast}", item.cast
        if item.aggregate:
            value = f"{item.aggregate}({value or '*'})"
            data_type = data_type if item.aggregate in ("min", "max") else "numeric"
            if item.aggregate_cast:
                value = f"({value})::{item.aggregate_cast}"
        return Output(item.name, value, data_type, not item.aggregate)

    def spread(self, embed, parent):
        """The columns that a spread relation adds to its parent."""
        found = []
        width = len(self.outputs(self.ungrouped(embed.node), "none"))
        items = self.flat(embed.node)
        for position in range(width):
            source, alias = self.source(embed, parent)
            value = self.outputs(self.ungrouped(embed.node), alias)[position]
            rows = f"SELECT {value.sql} AS value {source}{self.order(embed.node, alias)}{self.page(embed.node)}"
            if embed.relationship.to_many:
                sql = f"(SELECT coalesce(json_agg(r.value), '[]') FROM ({rows}) AS r)"
                found.append(Output(value.name, sql, "json"))
            elif (item := items[position]) and item.aggregate:
                found.append(self.shown(item, f"({rows})"))
            else:
                found.append(Output(value.name, f"({rows})", value.type))
        return found

    def flat(self, node):
        """For each output, the item that its parent aggregates if it is an aggregate, or None."""
        found = []
        for item in node.items:
            if isinstance(item, Shown):
                found.append(item)
            elif isinstance(item, Star):
                found += [None] * len(node.starred())
            elif item.spread:
                inner = self.flat(item.node)
                found += [None] * len(inner) if item.relationship.to_many else inner
            elif item.is_shown:
                found.append(None)
        return found

    def ungrouped(self, node):
        """A spread relation without aggregates: in their place are the columns that its parent aggregates."""
        def item(one):
            if isinstance(one, Shown) and one.aggregate:
                return Ungrouped(one)
            if isinstance(one, Embed) and one.spread and not one.relationship.to_many:
                return Embed(one.relationship, one.name, self.ungrouped(one.node), one.hint, one.alias, one.join, True)
            return one
        if node.select is None or not node.is_grouped:
            return node
        return type(node)(node.relation, [item(i) for i in node.select], node.conditions, node.order, node.limit, node.offset)

    def embedded(self, embed, parent):
        source, alias = self.source(embed, parent)
        rows = self.selected(embed.node, alias, source)
        if embed.relationship.to_many:
            return f"(SELECT coalesce(json_agg(row_to_json(r)), '[]') FROM ({rows}) AS r)"
        return f"(SELECT row_to_json(r) FROM ({rows}) AS r)"

    def selected(self, node, alias, source, paged=True):
        """The rows of a level. `source` is the SQL from FROM to WHERE."""
        outputs = self.outputs(node, alias)
        # PostgreSQL cannot group by json, because it has no equality.
        casts = ["::jsonb" if o.type == "json" and node.is_grouped else "" for o in outputs]
        shown = ", ".join(f"{o.sql}{cast} AS {identifier(o.name)}" for o, cast in zip(outputs, casts))
        sql = f"SELECT {shown} {source}"
        if node.is_grouped and (keys := [str(n) for n, o in enumerate(outputs, 1) if o.groups]):
            sql += f" GROUP BY {', '.join(keys)}"
        return sql + (self.order(node, alias) + self.page(node) if paged else "")

    def order(self, node, alias, last=()):
        terms = []
        for term in node.order:
            if term.label:
                source, related = self.source(node.embed(term.label), alias)
                sql = f"(SELECT {self.field(term.field, related)} {source}{self.page(node.embed(term.label).node)})"
            else:
                sql = self.field(term.field, alias)
            terms.append(sql + term.direction.replace(".", " ").upper()
                         + {"": "", ".nullsfirst": " NULLS FIRST", ".nullslast": " NULLS LAST"}[term.nulls])
        terms += [self.column(alias, name) for name in last]
        return f" ORDER BY {', '.join(terms)}" if terms else ""

    # Whole requests

    def answer(self, node, alias, source, as_csv, paged=True):
        """The rows of an answer as JSON."""
        rows = self.selected(node, alias, source, paged)
        if not as_csv:
            return f"(SELECT coalesce(json_agg(row_to_json(r)), '[]') FROM ({rows}) AS r)"
        cells = ", ".join(f"left(r.{identifier(o.name)}::text, 1)" if o.type == "bool" else f"r.{identifier(o.name)}::text"
                          for o in self.outputs(node, "none"))
        return f"(SELECT coalesce(json_agg(json_build_array({cells})), '[]') FROM ({rows}) AS r)"

    def key_conditions(self, request, alias):
        relation = request.node.relation
        return [f"{self.column(alias, k)} = {literal(relation.column(k).type, v)}"
                for k, v in zip(relation.key, request.key or [])]

    def read(self, request, as_csv=False):
        """The rows and the total of a read."""
        node, alias = request.node, self.alias()
        table = f"{qualified(request.routine.name)}({request.argument})" if request.routine else qualified(node.relation.name)
        source = f"FROM {table} AS {alias}{self.clause(self.key_conditions(request, alias) + self.where(node, alias))}"
        total = f"(SELECT count(*) FROM ({self.selected(node, alias, source, paged=False)}) AS r)"
        return f"SELECT json_build_object('rows', {self.answer(node, alias, source, as_csv)}, 'total', {total})"

    def write(self, request, as_csv=False):
        """Does the write, and returns how many rows it affects and what it shows of them."""
        alias, statement = self.alias(), {"PATCH": self.update, "DELETE": self.delete, "POST": self.insert, "PUT": self.put}
        return self.with_returned(request, f"{statement[request.method](request, alias)} RETURNING {alias}.*", as_csv)

    def call(self, request, as_csv=False):
        """Calls a function. The rows that it returns count as affected."""
        return self.with_returned(request, f"SELECT * FROM {qualified(request.routine.name)}({request.argument})", as_csv)

    def with_returned(self, request, statement, as_csv):
        node, shown = request.node, self.alias()
        self.untyped[shown] = node.relation
        # The conditions of a write, and limit and offset of PATCH and DELETE, have already chosen what to write, so they do not
        # count again. All rows that are written come back, whatever they are joined with.
        where = self.where(node, shown) if request.routine else []
        source = f"FROM {RETURNED} AS {shown}{self.clause(where)}"
        chosen = request.method in ("PATCH", "DELETE")
        page = (node.limit, node.offset)
        if chosen:
            node.limit = node.offset = None
        rows = self.answer(node, shown, source, as_csv)
        total = f"(SELECT count(*) FROM ({self.selected(node, shown, source, paged=False)}) AS r)"
        node.limit, node.offset = page
        return (f"WITH {RETURNED} AS MATERIALIZED ({statement})"
                f" SELECT json_build_object('affected', (SELECT count(*) FROM {RETURNED}), 'rows', {rows}, 'total', {total})")

    def chosen(self, request, alias):
        """WHERE of PATCH and DELETE."""
        node, relation = request.node, request.node.relation
        if not node.is_paged:
            return self.clause(self.choosing(request, alias))
        # The page follows the order of the rows, and the primary key breaks ties.
        key, inner = relation.key or relation.unique_columns(), self.alias()
        where = self.choosing(request, inner)
        page = (f"SELECT {', '.join(self.column(inner, k) for k in key)} FROM {qualified(relation.name)} AS {inner}"
                f"{self.clause(where)}{self.order(node, inner, last=key)}{self.page(node)}")
        return f" WHERE ({', '.join(self.column(alias, k) for k in key)}) IN ({page})"

    def choosing(self, request, alias):
        """The conditions of PATCH and DELETE. They include an inner join only if something within it chooses rows."""
        node = request.node
        return (self.key_conditions(request, alias) + [self.condition(c, node, alias) for c in node.conditions]
                + [self.exists(e, alias) for e in node.embeds if e.join == "inner" and e.node.chooses])

    def update(self, request, alias):
        relation, columns = request.node.relation, request.columns or list(request.body)
        # A row that exists keeps its key if the body does not mention it.
        columns = [c for c in columns if c in request.body or c not in relation.key or request.prefer.get("missing") != "default"]
        assignments = ", ".join(f"{identifier(c)} = {self.given(request, relation, request.body, c)}" for c in columns)
        return f"UPDATE {qualified(relation.name)} AS {alias} SET {assignments}{self.chosen(request, alias)}"

    def delete(self, request, alias):
        return f"DELETE FROM {qualified(request.node.relation.name)} AS {alias}{self.chosen(request, alias)}"

    def given(self, request, relation, row, column):
        """The value that a row of the body has for a column."""
        if column not in row and request.prefer.get("missing") == "default":
            return "DEFAULT"
        return literal(relation.column(column).type, row.get(column))

    def insert(self, request, alias):
        relation = request.node.relation
        body = request.body if isinstance(request.body, list) else [request.body]
        columns = request.columns or list(body[0] if body else {})
        rows = ", ".join(f"({', '.join(self.given(request, relation, row, c) for c in columns)})" for row in body)
        if not rows:
            # This inserts nothing, but PostgreSQL refuses it where it would refuse an insert.
            columns = columns or [RID]
            values = f"({names(columns)}) SELECT {', '.join('NULL' for _ in columns)} WHERE false"
        elif not columns:
            values = f"({RID}) VALUES {', '.join('(DEFAULT)' for _ in body)}"
        else:
            values = f"({names(columns)}) VALUES {rows}"
        sql = f"INSERT INTO {qualified(relation.name)} AS {alias} {values}"
        return sql + self.on_conflict(request.prefer.get("resolution"), request.on_conflict or relation.key, columns)

    @staticmethod
    def on_conflict(resolution, key, columns):
        if not resolution or not key:
            return ""
        if resolution == "ignore-duplicates" or not columns:
            return f" ON CONFLICT ({names(key)}) DO NOTHING"
        assignments = ", ".join(f"{identifier(c)} = excluded.{identifier(c)}" for c in columns)
        return f" ON CONFLICT ({names(key)}) DO UPDATE SET {assignments}"

    def put(self, request, alias):
        relation = request.node.relation
        row = dict(zip(relation.key, request.key)) if request.is_item else self.key_of_filters(request)
        row |= request.body
        values = ", ".join(literal(relation.column(c).type, v) for c, v in row.items())
        return (f"INSERT INTO {qualified(relation.name)} AS {alias} ({names(row)}) VALUES ({values})"
                + self.on_conflict("merge-duplicates", relation.key, list(request.body)))

    @staticmethod
    def key_of_filters(request):
        return {c.field.name: int(c.value) if c.field.type == "int" else c.value for c in request.node.conditions}

    def selects(self, node, condition):
        """The RIDs of the rows that one condition of the root selects."""
        alias = self.alias()
        return (f"SELECT coalesce(json_agg({self.column(alias, RID)}), '[]') FROM {qualified(node.relation.name)} AS {alias}"
                f" WHERE {self.condition(condition, node, alias)}")


class Ungrouped(Shown):
    """The column that an aggregate is computed from."""

    def __init__(self, item):
        super().__init__(item.field, item.name, item.cast)


