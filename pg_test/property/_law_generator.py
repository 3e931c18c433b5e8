"""Random requests for the law of writes."""
import copy
import json

from _law_request import Embed, Field, Filter, Node, Order, Request, RowTest, Shown, Star, Tree
from _law_schema import COLUMN_NAMES, MARK, RID, TEXTS, array_text, random_value, text_of

COMPARISONS = ["eq", "neq", "gt", "gte", "lt", "lte", "isdistinct"]
PATTERNS = ["like", "ilike", "match", "imatch"]
QUANTIFIED = {"eq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch"}
RANGE_OPERATORS = ["sl", "sr", "nxr", "nxl", "adj", "cs", "cd", "ov"]
LIKES = ["a*", "*n*", "*", "%n", "_", "*a,b*", "A_n", ""]
REGULAR_EXPRESSIONS = ["^a", "n+", "[ab]$", "^$", ".", "^A"]
TEXT_SEARCHES = {"fts": ["ann|bob", "ann", "!ann"], "plfts": ["ann", "a b"], "phfts": ["say hi"], "wfts": ["-ann", "bob"]}
CASTS = {"int": ["text", "numeric"], "text": ["text"], "bool": ["text", "int"], "jsonb": ["text"], "numeric": ["text"],
         "text[]": ["text"], "int4range": ["text"]}
ALIASES = ["alias", "x", "it", *COLUMN_NAMES]
# The value that a PATCH sets MARK to. No row has it before.
MARKED = 777


class Generator:
    """Makes requests to a schema."""

    def __init__(self, schema, rng):
        self.schema, self.rng = schema, rng

    def chance(self, probability):
        return self.rng.random() < probability

    # Fields and filters

    def fields(self, relation):
        found = [Field(c.name, c.type) for c in relation.columns]
        found += [Field(f.name, f.type, function=f) for f in self.schema.functions
                  if f.relation is relation and f.type and not relation.has(f.name)]
        return found

    def field(self, relation, path=0.3):
        field = self.rng.choice(self.fields(relation))
        return self.with_path(field) if self.chance(path) else field

    def with_path(self, field):
        if field.type == "jsonb":
            arrow = self.rng.choice(["->", "->>"])
            path = self.rng.choice([[(arrow, "a")], [(arrow, "b")], [("->", "a"), (arrow, "b")], [("->", "b"), (arrow, 0)],
                                    [(arrow, 0)], [(arrow, "k.k")]])
            return Field(field.name, field.type, path, field.function)
        if field.type == "text[]" and not field.function:
            return Field(field.name, field.type, [(self.rng.choice(["->", "->>"]), 0)])
        return field

    def value(self, relation, field):
        """A text to compare a field with: often one that a row has, sometimes one that the type cannot read."""
        rng, data_type = self.rng, field.result_type
        if self.chance(0.02):
            return rng.choice(["zzz", "", "1.5.5", "{"])
        if not field.path and not field.function and (values := relation.values(field.name)) and self.chance(0.65):
            return text_of(data_type, rng.choice(values))
        if field.function and data_type == "text":
            return rng.choice("abd")
        if field.path and data_type == "text":
            return rng.choice(["1", "x", "Ann", "a", '{"b": "Ann"}'])
        return text_of(data_type, random_value(rng, data_type))

    def filter(self, node, field=None):
        rng, relation = self.rng, node.relation
        field = field or self.field(relation)
        data_type = field.result_type
        if self.chance(0.12):
            word = rng.choice(["null", "not_null", "NULL"] + (["true", "false", "unknown"] if data_type == "bool" else []))
            if not field.path and field.name in [e.label for e in node.embeds]:
                word = "not_null"
            return Filter(field, "is", word, self.chance(0.4))
        operators = list(COMPARISONS)
        if data_type != "text[]":
            operators += ["in", "in"]
        if data_type == "text":
            operators += PATTERNS * 2 + (list(TEXT_SEARCHES) if self.chance(0.3) else [])
        elif data_type in ("jsonb", "text[]"):
            operators = ["cs", "cd", "eq", "neq"] + (["ov"] if data_type == "text[]" else [])
        elif data_type == "int4range":
            operators += RANGE_OPERATORS * 2
        if self.chance(0.01):
            # Not every type has every operator.
            operators = ["like", "cs", "adj", "fts"]
        operator = rng.choice(operators)
        negated, quantifier, configuration = self.chance(0.2), None, None
        if operator == "in":
            value = [self.value(relation, field) for _ in range(rng.choice([0, 1, 2, 2, 3]))]
        elif operator in TEXT_SEARCHES:
            value = rng.choice(TEXT_SEARCHES[operator])
            configuration = rng.choice([None, "simple", "english"])
        elif operator in QUANTIFIED and data_type in ("int", "text", "numeric") and self.chance(0.15):
            quantifier = rng.choice(["any", "all"])
            choices = {"like": LIKES, "ilike": LIKES, "match": REGULAR_EXPRESSIONS, "imatch": REGULAR_EXPRESSIONS}.get(operator)
            items = [rng.choice(choices) if choices else self.value(relation, field) for _ in range(rng.randrange(1, 3))]
            value = array_text(items)
        elif operator in ("like", "ilike"):
            value = rng.choice(LIKES + TEXTS)
            # A backslash at the end is an error for some rows only.
            value = value.rstrip("\\")
        elif operator in ("match", "imatch"):
            value = rng.choice(REGULAR_EXPRESSIONS)
        else:
            value = self.value(relation, field)
        return Filter(field, operator, value, negated, quantifier, configuration)

    def condition(self, node, depth=0):
        rng = self.rng
        if depth < 3 and self.chance(0.25 - 0.06 * depth):
            children = [self.condition(node, depth + 1) for _ in range(rng.choice([1, 2, 2, 3]))]
            return Tree(rng.choice(["and", "or"]), children, self.chance(0.25))
        labels = [e.label for e in node.embeds]
        if labels and self.chance(0.3):
            label = rng.choice(labels)
            field = next((f for f in self.fields(node.relation) if f.name == label), None)
            if not field or self.chance(0.4):
                is_null = self.chance(0.4)
                # If a column has the same name, only these words ask about the relation.
                words = [["not.is.null", "is.not_null"], ["is.null", "not.is.not_null"]][is_null][:None if not field else 1]
                return RowTest(label, is_null, rng.choice(words))
            return self.filter(node, field)
        return self.filter(node)

    # What is shown

    def aggregates(self, relation, taken):
        rng, items = self.rng, []
        for _ in range(rng.randrange(1, 3)):
            if self.chance(0.3):
                item = Shown(None, aggregate="count")
            else:
                field = self.field(relation, path=0)
                numbers = ["sum", "avg"] if field.type in ("int", "numeric") else []
                ordered = ["max", "min"] if field.type in ("int", "numeric", "text") else []
                item = Shown(field, aggregate=rng.choice(["count", *numbers, *ordered]))
                if item.aggregate == "avg" and self.chance(0.3):
                    item.aggregate_cast = "int"
            item.alias = self.alias_for(item.name, taken, 0.3)
            if item.alias is not False:
                items.append(item)
        return items

    def alias_for(self, name, taken, probability, bare=()):
        """An alias, None if the name will do, or False if no alias is left. Adds the name that is shown to `taken`.

        `bare` has the names of columns that a star leaves out if they are items of their own."""
        alias = None
        if name in bare:
            bare.remove(name)
            return None
        if name in taken or self.chance(probability):
            alias = next((a for a in self.rng.sample(ALIASES, len(ALIASES)) if a not in taken), False)
        taken.add(alias or name)
        return alias

    def columns(self, relation, taken, number, plain=False, bare=()):
        items = []
        for _ in range(number):
            item = Shown(self.field(relation, path=0 if plain else 0.3))
            if not plain and not item.field.path and self.chance(0.1):
                item.cast = self.rng.choice(CASTS[item.field.type])
            item.alias = self.alias_for(item.name, taken, 0.15, () if item.field.path else bare)
            if item.alias is not False:
                items.append(item)
        return items

    def embed(self, relation, depth, taken, labels, grouped, may_group, to_many_above, bare):
        rng = self.rng
        ways = [way for way in self.schema.ways(relation) if not grouped or not way[2].to_many]
        if not ways:
            return None
        name, hint, relationship = rng.choice(ways)
        spread = not bare and self.chance(0.2)
        empty = self.chance(0.12) and not (name == "count" and not hint)
        alias = None
        if name in bare and name not in labels and not empty:
            bare.remove(name)
        elif not spread and (name in labels or name in taken or self.chance(0.25)):
            alias = next((a for a in rng.sample(ALIASES, len(ALIASES)) if a not in taken and a not in labels), None)
            if alias is None:
                return None
        if spread and name in labels:
            return None
        labels.add(alias or name)
        join = rng.choice([None, None, None, "inner", "left"])
        inside = taken if spread else set()
        if not spread and not empty:
            taken.add(alias or name)
        node = Node(relationship.target, [])
        if not empty:
            node = self.node(relationship.target, depth + 1, inside,
                             may_group=may_group and not (spread and (relationship.to_many or to_many_above)),
                             to_many_above=relationship.to_many or to_many_above, is_spread=spread)
        if spread and relationship.to_many:
            # Lists can only be compared if their order is fixed.
            for inner in [node, *self.spread_within(node)]:
                if not inner.is_ordered():
                    inner.order.append(Order(Field(RID, "int")))
        if not relationship.to_many and self.chance(0.95):
            node.limit = node.offset = None
        return Embed(relationship, name, node, hint, alias, join, spread)

    def spread_within(self, node):
        for embed in node.embeds:
            if embed.spread:
                yield embed.node
                yield from self.spread_within(embed.node)

    def node(self, relation, depth=0, taken=None, may_group=True, to_many_above=False, is_spread=False):
        """What a request asks of a relation. The root has no conditions yet, but embedded relations have theirs."""
        rng = self.rng
        taken = set() if taken is None else taken
        node = Node(relation)
        own_group = may_group and self.chance(0.1)
        if depth == 0 and self.chance(0.2):
            return node
        items, labels = [], set()
        names = {c.name for c in relation.columns}
        # A star leaves out the columns that the select names itself.
        overrides, bare = not is_spread and self.chance(0.3), set()
        if not own_group and not names & taken and self.chance(0.2):
            items.append(Star())
            taken |= names
            if overrides:
                bare |= names
                items += self.columns(relation, taken, rng.choice([0, 1]), bare=bare)
        else:
            items += self.columns(relation, taken, rng.choice([0, 1, 1, 2] if own_group else [1, 1, 2, 3]), plain=own_group)
        if own_group:
            items += self.aggregates(relation, taken)
        number = rng.choice([[0, 1, 1, 2], [0, 0, 1], [0, 0, 0, 1], [0]][depth])
        for _ in range(number):
            if item := self.embed(relation, depth, taken, labels, own_group, may_group and not bare, to_many_above, bare):
                items.insert(rng.randrange(len(items) + 1), item)
        node.select = items
        if node.is_grouped:
            # Lists can only be grouped by if their order is fixed, so we leave them out.
            node.select = items = [i for i in items if not (isinstance(i, Embed) and i.relationship.to_many)]
        if depth:
            node.conditions = [self.condition(node) for _ in range(rng.choice([0, 0, 0, 1, 1, 2]))]
            self.order(node, 0.3)
            if node.is_ordered() and self.chance(0.4):
                node.limit = rng.choice([0, 1, 1, 2, 3])
                if self.chance(0.3):
                    node.offset = rng.randrange(3)
        return node

    def order(self, node, probability, to_end=0.8):
        """Gives a node an order, mostly one without ties."""
        rng = self.rng
        if not self.chance(probability):
            return
        if node.is_grouped:
            fields = [i.field for i in node.items if isinstance(i, Shown) and not i.aggregate and not i.field.path and not i.cast]
            node.order = [self.term(field) for field in fields]
            if self.chance(0.03):
                # The rows cannot be ordered by what they are not grouped by.
                node.order.append(self.term(self.field(node.relation)))
            return
        for _ in range(rng.choice([0, 1, 1, 2])):
            embeds = [e for e in node.embeds if not e.relationship.to_many and not e.node.is_grouped]
            if embeds and self.chance(0.3):
                embed = rng.choice(embeds)
                field = self.field(embed.node.relation)
                # For a spread relation, a name in the result goes before the name of a column.
                if not embed.spread or field.name not in self.names_of(embed.node):
                    node.order.append(self.term(field, embed.label))
            else:
                node.order.append(self.term(self.field(node.relation)))
        if self.chance(to_end) and not node.is_ordered():
            node.order.append(self.term(Field(RID, "int")))

    def names_of(self, node):
        found = set()
        for item in node.items:
            if isinstance(item, Shown):
                if item.alias or item.cast or item.field.path:
                    found.add(item.name)
            elif isinstance(item, Embed):
                found |= self.names_of(item.node) | {c.name for c in item.node.relation.columns} if item.spread else {item.label}
        return found

    def term(self, field, label=None):
        direction, nulls = self.rng.choice(["", "", ".asc", ".desc"]), self.rng.choice(["", "", ".nullsfirst", ".nullslast"])
        return Order(field, label, direction, nulls)

    # Requests

    def request(self):
        method = self.rng.choices(["GET", "HEAD", "PATCH", "DELETE", "POST", "PUT", "rpc"], [36, 3, 20, 20, 12, 4, 5])[0]
        if method == "rpc":
            return self.call() if self.schema.routines else self.read("GET")
        return {"GET": self.read, "HEAD": self.read, "PATCH": self.change, "DELETE": self.change, "POST": self.insert,
                "PUT": self.replace}[method](method)

    def conditions(self, node, numbers=(0, 1, 1, 1, 2, 3)):
        node.conditions = [self.condition(node) for _ in range(self.rng.choice(numbers))]

    def page(self, request):
        node = request.node
        if request.is_item or not node.is_ordered():
            return
        if self.chance(0.4):
            node.limit = self.rng.choice([0, 1, 1, 2, 3, 5])
        if self.chance(0.15):
            node.offset = self.rng.choice([0, 1, 2, 4])

    def item_key(self, relation):
        if self.chance(0.85) and relation.base.rows:
            row = self.rng.choice(relation.base.rows)
            return [row[relation.shown[k] if relation.is_view else k] for k in relation.key]
        return [random_value(self.rng, relation.column(k).type) for k in relation.key]

    def read(self, method):
        rng = self.rng
        relation = rng.choice(self.schema.relations)
        request = Request(method, self.node(relation), shuffle=rng.randrange(100))
        self.conditions(request.node)
        if relation.key and self.chance(0.12):
            request.key = self.item_key(relation)
        self.order(request.node, 0.5)
        self.page(request)
        if self.chance(0.5):
            request.prefer["count"] = "exact"
        self.accept(request)
        return request

    def accept(self, request):
        request.accept = self.rng.choices(
            [None, "application/json", "text/csv", "application/vnd.pgrst.object+json",
             "application/vnd.pgrst.array+json;nulls=stripped", "application/vnd.pgrst.object+json;nulls=stripped"],
            [50, 8, 8, 12, 5, 3])[0]

    def preferences(self, request):
        rng = self.rng
        if self.chance(0.5):
            request.prefer["count"] = "exact"
        if self.chance(0.35):
            request.prefer["handling"] = rng.choice(["strict", "strict", "lenient"])
            if self.chance(0.85):
                request.prefer["max-affected"] = str(rng.choice([0, 1, 1, 2, 3, 9]))
        if self.chance(0.05):
            request.prefer["tx"] = rng.choice(["rollback", "commit"])
        if self.chance(0.03):
            request.prefer["nonsense"] = "1"

    def change(self, method):
        """PATCH or DELETE."""
        rng = self.rng
        relation = rng.choice(self.schema.relations)
        request = Request(method, self.node(relation), shuffle=rng.randrange(100))
        self.conditions(request.node)
        if relation.key and self.chance(0.15):
            request.key = self.item_key(relation)
        self.order(request.node, 0.3, to_end=0.5)
        if not request.node.is_grouped and not request.is_item and self.chance(0.25):
            # The primary key breaks ties.
            request.node.limit = rng.choice([None, 0, 1, 1, 2, 3])
            request.node.offset = rng.choice([None, None, None, 0, 1, 2])
        if method == "PATCH":
            self.patch_body(request)
        self.preferences(request)
        self.accept(request)
        return request

    def new_value(self, relation, name):
        """A value for a column. For a foreign key, it is mostly one that exists."""
        column, base = relation.column(name), relation.shown.get(name) if relation.is_view else name
        if column.nullable and self.chance(0.2):
            return None
        for key in relation.base.foreign_keys:
            if base in key.columns and key.target.rows:
                return self.rng.choice(key.target.rows)[key.target_columns[key.columns.index(base)]]
        return random_value(self.rng, column.type)

    def writable(self, relation):
        return [c.name for c in relation.columns if not relation.is_view or relation.shown[c.name]]

    def patch_body(self, request):
        relation, rng = request.node.relation, self.rng
        names = [n for n in self.writable(relation) if n not in (RID, MARK)]
        chosen = rng.sample(names, min(len(names), rng.choice([0, 1, 1, 2])))
        if self.chance(0.7):
            chosen = [n for n in chosen if n not in relation.key]
        request.body = {MARK: MARKED} | {n: self.new_value(relation, n) for n in chosen}
        if self.chance(0.15):
            request.columns = [MARK, *rng.sample(names, min(len(names), 1))]
            if not relation.is_view and self.chance(0.5):
                request.prefer["missing"] = "default"

    def insert(self, method):
        rng = self.rng
        relation = rng.choice(self.schema.relations)
        request = Request(method, self.node(relation), shuffle=rng.randrange(100))
        if rng.random() < 0.1:
            self.conditions(request.node, [0])
        self.order(request.node, 0.3)
        self.page(request)
        needed = [n for n in self.writable(relation) if not relation.column(n).nullable and n not in (RID, MARK)]
        others = [n for n in self.writable(relation) if n not in needed and n != RID]
        keys = needed + rng.sample(others, rng.randrange(len(others) + 1))
        if self.chance(0.03) and needed:
            keys.remove(needed[0])
        if self.chance(0.15):
            keys.append(RID)
        rng.shuffle(keys)
        request.body = [self.new_row(relation, keys, n) for n in range(rng.choice([0, 1, 1, 1, 2, 2, 3]))]
        if self.chance(0.35):
            request.prefer["resolution"] = rng.choice(["merge-duplicates", "ignore-duplicates"])
            if self.chance(0.25):
                request.on_conflict = [RID]
        if keys and self.chance(0.2):
            request.columns = list(keys)
            for row in request.body:
                for name in keys:
                    if name not in needed and self.chance(0.25):
                        del row[name]
            # It is not specified whether a row that exists gets the default of a missing key.
            if not relation.is_view and "resolution" not in request.prefer and self.chance(0.5):
                request.prefer["missing"] = "default"
        if len(request.body) == 1 and self.chance(0.5):
            request.body = request.body[0]
        self.preferences(request)
        self.accept(request)
        if request.shuffle % 3 == 0 and not request.node.conditions:
            # One that asks for nothing special can take the fast path.
            request.node = Node(relation)
        return request

    def new_row(self, relation, keys, number):
        existing = self.rng.choice(relation.base.rows) if relation.base.rows and self.chance(0.3) else None
        row = {}
        for name in keys:
            base = relation.shown[name] if relation.is_view else name
            is_free = not any(base in k.columns for k in relation.base.foreign_keys)
            if name == RID:
                row[name] = existing[RID] if existing else 50 + number
            elif existing and name in relation.key:
                row[name] = existing[base]
            elif name in relation.key and is_free:
                row[name] = 50 + number if relation.column(name).type == "int" else f"new {number}"
            else:
                row[name] = self.new_value(relation, name)
        return row

    def replace(self, method):
        rng = self.rng
        relations = [r for r in self.schema.relations if r.key and not r.base.keeps_rows]
        if not relations:
            return self.read("GET")
        relation = rng.choice(relations)
        node = self.node(relation)
        request = Request(method, node, shuffle=rng.randrange(100), key=self.item_key(relation))
        row = {n: self.new_value(relation, n) for n in self.writable(relation)}
        row |= dict(zip(relation.key, request.key)) | {RID: self.rid_of(relation, request.key) or 60}
        if self.chance(0.3):
            row = {n: v for n, v in row.items() if n not in relation.key}
        elif self.chance(0.1):
            name = rng.choice(relation.key)
            row[name] = random_value(rng, relation.column(name).type)
        request.body = row
        if self.chance(0.4):
            node.conditions = [Filter(Field(k, relation.column(k).type), "eq", text_of(relation.column(k).type, v))
                               for k, v in zip(relation.key, request.key)]
            request.key = None
        self.order(node, 0.1)
        self.preferences(request)
        self.accept(request)
        return request

    @staticmethod
    def rid_of(relation, key):
        """The RID of the row that has this key."""
        names = [relation.shown[k] if relation.is_view else k for k in relation.key]
        return next((row[RID] for row in relation.base.rows if [row[n] for n in names] == key), None)

    def call(self):
        rng = self.rng
        routine = rng.choice(self.schema.routines)
        node = self.node(routine.relation)
        method = "POST" if routine.changes or self.chance(0.3) else "GET"
        request = Request(method, node, routine=routine, argument=rng.randrange(5), shuffle=rng.randrange(100))
        self.conditions(node, (0, 0, 1, 2))
        self.order(node, 0.5)
        self.page(request)
        self.preferences(request)
        self.accept(request)
        return request

    def copy(self, request):
        return copy.deepcopy(request, {id(r): r for r in self.schema.relations + self.schema.functions + self.schema.routines})

    def with_other_values(self, request):
        """A request of the same shape with other values, so that the plan of the first one is used again."""
        other = self.copy(request)

        def change(node, conditions):
            for condition in conditions:
                if isinstance(condition, Tree):
                    change(node, condition.children)
                elif isinstance(condition, Filter) and condition.operator in COMPARISONS and not condition.quantifier:
                    condition.value = self.value(node.relation, condition.field)
                elif isinstance(condition, Filter) and condition.operator == "in" and condition.value:
                    condition.value = [self.value(node.relation, condition.field) for _ in range(self.rng.randrange(1, 4))]

        def visit(node):
            if request.method != "PUT" or node is not other.node:
                change(node, node.conditions)
            for embed in node.embeds:
                visit(embed.node)

        visit(other.node)
        return other


def describe(request):
    """A request in one line."""
    headers = json.dumps(request.headers(), ensure_ascii=False)
    return f"{request.method} {request.target()} {headers} {request.body_text() or ''}"
