"""Malformed requests for the law of writes: intact requests in which one thing is wrong."""
import dataclasses
import json

from _law_generator import MARKED
from _law_request import Filter, Request, Tree, encode, spell

JUNK_OPERATIONS = ["eqq.1", "1", "=.1", ".eq.1", "eq", "", "not.", "not.not.eq.1", "is.nul", "is.", "in.1,2", "in.(1,2",
                   "eq(some).{1}", "neq(any).{1}", "EQ.1", "null", "eq,1", "not", "fts().a", "isdistinct", "in(1)", "select.1"]
JUNK_TREES = [("and", "(rid.eq.1"), ("or", "()"), ("and", "rid.eq.1"), ("not.xor", "(rid.eq.1)"), ("or", "(rid.eq.1))"),
              ("or", "(rid.eq.1,)"), ("or", "(rid=eq.1)"), ("and", "(rid.eq)"), ("or", "(nosuch.eq.1,rid.eq.1)"), ("and", ""),
              ("or", "(and,rid.eq.1)"),
              ("not.and", "(rid)"), ("AND", "(rid.eq.1)"), ("xor", "(rid.eq.1)")]
JUNK_PAGES = [("limit", "-1"), ("limit", "x"), ("limit", ""), ("limit", "1.5"), ("offset", "x"), ("limit", "1 row"),
              ("LIMIT", "1"), ("Offset", "1"), ("limit", "99999999999999999999"), ("nosuch.limit", "1"), ("order", "nosuch"), ("order", ""),
              ("order", "rid.down"),
              ("order", "rid,,mark"), ("nosuch.order", "rid"), ("Order", "rid"), ("order", "nosuch(rid)")]
JUNK_SELECTS = ["nosuch", "rid,nosuch(rid)", "rid,", "rid(", "*,nosuch!inner(rid)", "rid::nosuch", "rid.median()",
                "...nosuch(rid)",
                "rid)", '"rid', "a:b:rid"]
JUNK_BODIES = ["", "null", "1", '"x"', "{", "[", '{"mark": 1', '{"mark": 1} {"mark": 2}', '{"mark": 1},', "[[]]",
               '[{"mark": 1}, 2]',
               "[null]", '{"nosuch": 1}', '{"mark": 1, "mark": 2}', "mark=1", "{mark: 1}", '{"": 1}',
               '[{"mark": 1}, {"mark": 2, "nosuch": 3}]']
EDITS = '=&?.,()"%!:*-+ a1~\'/;'


@dataclasses.dataclass
class Malformed:
    request: Request
    what: str
    target: str
    body: str | None
    # Whether it has to be refused. If not, it may be carried out on rows that the filters in `held` select.
    must_be_refused: bool
    content_type: str | None = None
    # The filters of the root that the target still contains.
    held: list = dataclasses.field(default_factory=list)

    def headers(self, **prefer):
        fields = self.request.headers(**prefer)
        return fields | ({"content-type": self.content_type} if self.content_type else {})


class Malformer:
    """Makes requests malformed."""

    def __init__(self, generator):
        self.generator, self.rng = generator, generator.rng

    def make(self):
        """A malformed request."""
        rng, generator = self.rng, self.generator
        method = rng.choices(["PATCH", "DELETE", "POST", "PUT", "GET"], [40, 40, 10, 10, 5])[0]
        if method == "PUT" and not any(r.key and not r.base.keeps_rows for r in generator.schema.relations):
            method = "DELETE"
        makers = {"PATCH": generator.change, "DELETE": generator.change, "POST": generator.insert, "PUT": generator.replace,
                  "GET": generator.read}
        request = makers[method](method)
        request.prefer = {name: value for name, value in request.prefer.items() if name in ("count", "resolution", "missing")}
        request.accept = None
        ways = [self.hash, self.no_slash, self.empty_key, self.segments]
        if method != "GET":
            ways += [self.no_equals, self.unknown, self.junk_filter, self.junk_tree, self.junk_page, self.junk_select]
            ways += [self.edited] * 2
        if method in ("PATCH", "DELETE"):
            ways += [self.no_equals, self.twice]
        if request.body is not None:
            ways += [self.junk_body] * 3
        if request.is_item:
            ways.append(self.junk_key)
        return rng.choice(ways)(request)

    @staticmethod
    def pieces(request):
        return [f"{name}={value}" for name, value in request.parameters()]

    def with_pieces(self, request, what, pieces, must_be_refused=True, path=None):
        query = "&".join(pieces)
        target = (path or request.path()) + (f"?{query}" if query else "")
        return self.with_target(request, what, target, must_be_refused)

    def with_target(self, request, what, target, must_be_refused=True):
        query = target.partition("?")[2].split("#")[0].split("&")
        held = [c for c in request.node.conditions
                if is_plain(c) and "=".join(map(encode, c.parameter(""))) in query and request.method in ("PATCH", "DELETE")]
        return Malformed(request, what, target, request.body_text(), must_be_refused, held=held)

    def inserted(self, pieces, *more):
        at = self.rng.randrange(len(pieces) + 1)
        return pieces[:at] + list(more) + pieces[at:]

    def hash(self, request):
        target = request.target()
        at = self.rng.choice([len(request.path()), self.rng.randrange(1, len(target) + 1)])
        return self.with_target(request, "a raw '#'", f"{target[:at]}#{target[at:]}")

    def no_slash(self, request):
        return self.with_target(request, "no '/' at the beginning", request.target()[1:])

    def empty_key(self, request):
        path = "/" + request.path().split("/")[1] + self.rng.choice(["/", "//"])
        return self.with_pieces(request, "an empty key", self.pieces(request), path=path)

    def segments(self, request):
        path = request.path() + ("/x" if request.is_item else "/1/x")
        return self.with_pieces(request, "a segment too many", self.pieces(request), path=path)

    def no_equals(self, request):
        pieces = self.pieces(request)
        if pieces and self.rng.random() < 0.8:
            at = self.rng.randrange(len(pieces))
            name, _, value = pieces[at].partition("=")
            pieces[at] = self.rng.choice([name, name + value])
        else:
            pieces = self.inserted(pieces, self.rng.choice(["rid", "id", "limit", "select", "nosuch", "rid.eq.1"]))
        must = request.method in ("PATCH", "DELETE")
        return self.with_pieces(request, "a parameter without '='", pieces, must)

    def unknown(self, request):
        pieces = self.inserted(self.pieces(request), self.rng.choice(
            ["nosuch=eq.1", "nosuch=is.null", "nosuch=not.is.null", "nosuch.rid=eq.1", "=eq.1", "=", '""=eq.1', "RID=eq.1",
             "rid%00=eq.1",
             "rid =neq.0x", "nosuch.and=(rid.eq.1)", "nosuch->a=eq.1", "Select=rid", "rid.=eq.1", ".rid=eq.1", "rid->=eq.1",
             '"rid=eq.1']))
        return self.with_pieces(request, "an unknown parameter", pieces)

    def junk_filter(self, request):
        name = encode(spell(self.rng.choice(request.node.relation.columns).name))
        if self.rng.random() < 0.3 and request.method == "POST":
            return self.with_pieces(request, "a filter of a POST", self.inserted(self.pieces(request), f"{name}=is.null"))
        piece = f"{name}={encode(self.rng.choice(JUNK_OPERATIONS))}"
        return self.with_pieces(request, "a junk filter", self.inserted(self.pieces(request), piece))

    def junk_tree(self, request):
        name, value = self.rng.choice(JUNK_TREES)
        return self.with_pieces(request, "a junk tree", self.inserted(self.pieces(request), f"{name}={encode(value)}"))

    def junk_page(self, request):
        name, value = self.rng.choice(JUNK_PAGES)
        pieces = [p for p in self.pieces(request) if not p.startswith(("order=", "limit=", "offset="))]
        return self.with_pieces(request, "a junk page or order", self.inserted(pieces, f"{name}={encode(value)}"))

    def junk_select(self, request):
        pieces = [p for p in self.pieces(request) if not p.startswith("select=")]
        piece = f"select={encode(self.rng.choice(JUNK_SELECTS))}"
        return self.with_pieces(request, "a junk select", self.inserted(pieces, piece))

    def junk_key(self, request):
        path = "/".join(request.path().split("/")[:2]) + "/" + self.rng.choice(["1,2,3", "1,1,1,1", ",,"])
        return self.with_pieces(request, "too many values of a key", self.pieces(request), path=path)

    def twice(self, request):
        """It is not specified which of the two counts, but the filters always count."""
        more = self.rng.choice(["select=rid", "select=mark", "order=rid", "limit=1", "offset=1", "columns=mark",
                                "limit=5&limit=1"])
        return self.with_pieces(request, "a parameter twice", self.inserted(self.pieces(request), *more.split("&")), False)

    def edited(self, request):
        """Replaces, removes, repeats or inserts a character of the target."""
        rng, target = self.rng, request.target()
        at, c = rng.randrange(1, len(target)), rng.choice(EDITS)
        text = rng.choice([target[:at] + target[at + 1:], target[:at] + c + target[at:], target[:at] + c + target[at + 1:],
                           target[:at] + target[at] + target[at:]])
        path, _, query = text.partition("?")
        lone = request.method in ("PATCH", "DELETE") and any(piece and "=" not in piece for piece in query.split("&"))
        return self.with_target(request, "an edited target", text, lone or path.endswith("/"))

    def junk_body(self, request):
        rng, intact = self.rng, request.body_text()
        malformed = self.with_target(request, "a junk body", request.target())
        if request.method == "POST":
            rows = request.body if isinstance(request.body, list) else [request.body]
            choices = list(JUNK_BODIES)
            if request.columns:
                # Keys that are not among the columns are ignored.
                choices = [b for b in choices if "nosuch" not in b and '""' not in b]
            elif rows and rows[0]:
                row = rows[0]
                less = {k: v for k, v in row.items() if k != min(row)}
                bodies = [{}, row], [row, {}], [row, row | {"nosuch": 1}], [row, less]
                choices += [json.dumps(b, ensure_ascii=False) for b in bodies] * 4
            malformed.body = rng.choice(choices)
            return malformed
        one = json.dumps({"mark": MARKED + 1})
        choices = [b for b in JUNK_BODIES if not (request.columns and ("nosuch" in b or '""' in b))]
        choices += [f"[{intact}, {one}]", f"[{one}, {intact}]", f"[{intact}, {intact}]", "[{}, " + intact + "]"] * 4
        malformed.body = rng.choice(choices)
        if rng.random() < 0.1:
            malformed.body, malformed.content_type = f"mark\n{MARKED}\n{MARKED + 1}\n", "text/csv"
        return malformed


def is_plain(condition):
    """Whether a condition is about columns only."""
    if isinstance(condition, Tree):
        return all(map(is_plain, condition.children))
    return isinstance(condition, Filter)
