"""Requests for the law of writes. A request is data that can be written as a target, header fields and a body."""
import dataclasses
import json
import re
import urllib.parse

from _law_schema import Relation, Relationship, RowFunction, Routine

RESERVED = {"select", "columns", "on_conflict", "order", "limit", "offset", "and", "or", "not"}
SAFE = "-._~*(),:>!{}|'/@;$[]"


def encode(text):
    return urllib.parse.quote(text, safe=SAFE)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def spell(name):
    """A name as it stands in a target, in double quotes if it needs them."""
    plain = re.fullmatch(r"\w+", name) and name not in RESERVED
    return name if plain else quoted(name)


def spell_value(value):
    """A value as it stands in a list or tree."""
    return value if re.fullmatch(r"\w+", value) else quoted(value)


@dataclasses.dataclass
class Field:
    """A column, stored or computed, with a path into it."""
    name: str
    type: str
    path: list[tuple[str, str | int]] = dataclasses.field(default_factory=list)
    function: RowFunction | None = None

    def spell(self):
        return spell(self.name) + "".join(arrow + (str(key) if isinstance(key, int) else spell(key)) for arrow, key in self.path)

    @property
    def result_type(self):
        return self.type if not self.path else "text" if self.path[-1][0] == "->>" else "jsonb"

    @property
    def label(self):
        keys = [key for _, key in self.path if isinstance(key, str)]
        return keys[-1] if keys else self.name


@dataclasses.dataclass
class Filter:
    """`field=operator.value`"""
    field: Field
    operator: str
    value: str | list[str]
    negated: bool = False
    # any or all
    quantifier: str | None = None
    configuration: str | None = None

    def operation(self, in_tree):
        word = self.operator + (f"({self.quantifier or self.configuration})" if self.quantifier or self.configuration else "")
        if self.operator == "in":
            value = f"({','.join(spell_value(v) for v in self.value)})"
        else:
            value = spell_value(self.value) if in_tree and self.operator != "is" else self.value
        return f"{'not.' if self.negated else ''}{word}.{value}"

    def in_tree(self):
        return f"{self.field.spell()}.{self.operation(True)}"

    def parameter(self, prefix):
        return prefix + self.field.spell(), self.operation(False)


@dataclasses.dataclass
class RowTest:
    """Whether an embedded relation has rows: `label=is.null`"""
    label: str
    is_null: bool
    # is.null, not.is.null, is.not_null, not.is.not_null
    operation: str

    def in_tree(self):
        return f"{spell(self.label)}.{self.operation}"

    def parameter(self, prefix):
        return prefix + spell(self.label), self.operation


@dataclasses.dataclass
class Tree:
    """`and=(...)`, `or=(...)`"""
    connective: str
    children: list
    negated: bool = False

    def text(self):
        return f"({','.join(child.in_tree() for child in self.children)})"

    def in_tree(self):
        return ("not." if self.negated else "") + self.connective + self.text()

    def parameter(self, prefix):
        return prefix + ("not." if self.negated else "") + self.connective, self.text()


@dataclasses.dataclass
class Star:
    """`*`"""

    def text(self):
        return "*"


@dataclasses.dataclass
class Shown:
    """`alias:field::cast.aggregate()::cast`; without a field, `count()`."""
    field: Field | None
    alias: str | None = None
    cast: str | None = None
    aggregate: str | None = None
    aggregate_cast: str | None = None

    @property
    def name(self):
        return self.alias or self.aggregate or self.field.label

    def text(self):
        text = f"{spell(self.alias)}:" if self.alias else ""
        if self.field:
            text += self.field.spell() + (f"::{self.cast}" if self.cast else "")
            text += f".{self.aggregate}()" if self.aggregate else ""
        else:
            text += "count()"
        return text + (f"::{self.aggregate_cast}" if self.aggregate_cast else "")


@dataclasses.dataclass
class Order:
    field: Field
    # The label of the embedded to-one relation that the field belongs to.
    label: str | None = None
    direction: str = ""
    nulls: str = ""

    def text(self):
        field = f"{spell(self.label)}({self.field.spell()})" if self.label else self.field.spell()
        return field + self.direction + self.nulls


@dataclasses.dataclass
class Node:
    """What a request asks of one relation."""
    relation: Relation
    select: list | None = None
    conditions: list = dataclasses.field(default_factory=list)
    order: list[Order] = dataclasses.field(default_factory=list)
    limit: int | None = None
    offset: int | None = None

    @property
    def items(self):
        return [Star()] if self.select is None else self.select

    @property
    def embeds(self):
        return [item for item in self.items if isinstance(item, Embed)]

    @property
    def is_paged(self):
        return self.limit is not None or self.offset is not None

    @property
    def chooses(self):
        """Whether something in it chooses among its rows: a condition, a page, or an inner join that chooses."""
        return bool(self.conditions) or self.is_paged or any(e.join == "inner" and e.node.chooses for e in self.embeds)

    @property
    def is_grouped(self):
        """Whether its rows are groups, because of an aggregate here or in a to-one relation that is spread into it."""
        return (any(isinstance(i, Shown) and i.aggregate for i in self.items)
                or any(e.spread and e.node.is_grouped for e in self.embeds))

    @property
    def shows_anything(self):
        return any(not isinstance(i, Embed) or i.node.shows_anything for i in self.items)

    def starred(self):
        """The columns that `*` stands for, which are those that are not items of their own."""
        named = {i.name for i in self.items if isinstance(i, Shown) and not i.alias and not i.aggregate and not i.field.path}
        named |= {e.name for e in self.embeds if e.is_shown and not e.alias}
        return [c for c in self.relation.columns if c.name not in named]

    def embed(self, label):
        return next(e for e in self.embeds if e.label == label)

    def is_ordered(self):
        """Whether the order leaves no ties."""
        terms = {o.field.name for o in self.order if not o.label and not o.field.path}
        if self.is_grouped:
            keys = [i for i in self.items if not (isinstance(i, Shown) and i.aggregate)]
            return all(isinstance(i, Shown) and i.field.name in terms and not i.field.path and not i.cast for i in keys)
        return set(self.relation.unique_columns()) <= terms

    def parameters(self, prefix=""):
        """Names and values of all parameters except `select`."""
        found = [condition.parameter(prefix) for condition in self.conditions]
        if self.order:
            found.append((prefix + "order", ",".join(o.text() for o in self.order)))
        found += [(prefix + name, str(getattr(self, name))) for name in ("limit", "offset") if getattr(self, name) is not None]
        for embed in self.embeds:
            found += embed.node.parameters(f"{prefix}{spell(embed.label)}.")
        return found

    def select_text(self):
        return ",".join(item.text() for item in self.select)


@dataclasses.dataclass
class Embed:
    """`alias:name!hint!inner(...)`, `...name(...)`"""
    relationship: Relationship
    name: str
    node: Node
    hint: str | None = None
    alias: str | None = None
    join: str | None = None
    spread: bool = False

    @property
    def label(self):
        return self.alias or self.name

    @property
    def is_shown(self):
        """Whether it is a member of the result. It is not if it is spread or has nothing to show."""
        return not self.spread and self.node.shows_anything

    def text(self):
        alias = f"{spell(self.alias)}:" if self.alias else ""
        hint = f"!{spell(self.hint)}" if self.hint else ""
        join = f"!{self.join}" if self.join else ""
        return f"{'...' if self.spread else ''}{alias}{spell(self.name)}{hint}{join}({self.node.select_text()})"


@dataclasses.dataclass
class Request:
    method: str
    node: Node
    # /rpc/: the function that is called, and its argument.
    routine: Routine | None = None
    argument: int = 0
    # /table/{key}
    key: list | None = None
    # Rows as dictionaries: a list of them or one for POST, one for the other methods.
    body: list[dict] | dict | None = None
    columns: list[str] | None = None
    on_conflict: list[str] | None = None
    prefer: dict[str, str] = dataclasses.field(default_factory=dict)
    accept: str | None = None
    # Further parameters, as they are.
    extra: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    # Changes the order of the parameters.
    shuffle: int = 0

    @property
    def is_item(self):
        return self.key is not None

    @property
    def is_read(self):
        return self.method in ("GET", "HEAD")

    def path(self):
        if self.routine:
            return "/rpc/" + encode(self.routine.name)
        path = "/" + urllib.parse.quote(self.node.relation.name, safe="")
        if self.is_item:
            values = [str(v) if re.fullmatch(r"[^,\"\\]+", str(v)) else quoted(str(v)) for v in self.key]
            path += "/" + urllib.parse.quote(",".join(values), safe=",")
        return path

    def parameters(self):
        found = self.node.parameters()
        if self.node.select is not None:
            found.append(("select", self.node.select_text()))
        for name in "columns", "on_conflict":
            if (columns := getattr(self, name)) is not None:
                found.append((name, ",".join(spell(c) for c in columns)))
        if self.routine and self.is_read:
            found.append(("by", str(self.argument)))
        found += self.extra
        # Parameters may come in any order.
        turn = self.shuffle % len(found) if found else 0
        return [(encode(name), encode(value)) for name, value in found[turn:] + found[:turn]]

    def target(self):
        query = "&".join(f"{name}={value}" for name, value in self.parameters())
        return self.path() + (f"?{query}" if query else "")

    def headers(self, **more):
        prefer = self.prefer | {name: value for name, value in more.items() if value}
        fields = {"prefer": ", ".join(f"{name}={value}" for name, value in prefer.items())} if prefer else {}
        return fields | ({"accept": self.accept} if self.accept else {})

    def body_text(self):
        if self.routine:
            return None if self.is_read else json.dumps({"by": self.argument})
        return None if self.body is None else json.dumps(self.body, ensure_ascii=False)
