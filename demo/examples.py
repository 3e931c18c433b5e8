"""The demo's examples: commands to copy, and the answers that they must get."""

from dataclasses import dataclass
from typing import Any, Callable


@dataclass
class Answer:
    """A response. Names of headers are in lower case. `text` is the body as it came; `body` is the parsed body, or None."""

    status: int
    headers: dict[str, str]
    text: str
    body: Any


@dataclass
class Example:
    """An example has either `curl` or `sql`. `curl` has the arguments of curl, in which @ stands for the server's address.
    `sql` is a statement that psql runs as `user`, and that selects status and body of a response."""

    title: str
    status: int
    right: Callable[[Answer], Any]
    curl: str = ""
    user: str = ""
    sql: str = ""


def names(answer: Answer) -> list[str]:
    return [row["name"] for row in answer.body]


def skus(answer: Answer) -> list[str]:
    return [row["sku"] for row in answer.body]


def problem(code: str) -> Callable[[Answer], bool]:
    return lambda a: a.body["code"] == code and a.body["status"] == a.status and bool(a.body["title"])


JSON = "-H 'Content-Type: application/json'"

EXAMPLES = [
    Example("A list: some columns, some rows", 200, lambda a: [set(r) for r in a.body] == [{"alpha_2", "name", "flag"}] * 3,
            curl="'@/countries?select=alpha_2,name,flag&order=name&limit=3'"),
    Example("A filter", 200, lambda a: names(a) == ["Fiji", "Finland"],
            curl="'@/countries?name=like.Fi*&select=name,alpha_3&order=name'"),
    Example("Several conditions", 200, lambda a: len(a.body) == 2 and {r["type"] for r in a.body} <= {"Land", "Canton"},
            curl="'@/subdivisions?country=in.(DE,CH)&type=in.(Land,Canton)&order=name.desc&limit=2'"),
    Example("A page, and how many there are", 206,
            lambda a: len(a.body) == 5 and a.headers["content-range"] == "10-14/249",
            curl="-H 'Prefer: count=exact' '@/countries?select=name&order=name&limit=5&offset=10'"),
    Example("Only the count", 200, lambda a: a.body is None and a.headers["content-range"].endswith("/184"),
            curl="-I -H 'Prefer: count=exact' '@/languages?alpha_2=not.is.null'"),
    Example("A country with its subdivisions", 200,
            lambda a: a.body[0]["name"] == "Luxembourg" and len(a.body[0]["subdivisions"]) == 12
            and set(a.body[0]["subdivisions"][0]) == {"code", "name"},
            curl="'@/countries?alpha_2=eq.LU&select=name,subdivisions(code,name)'"),
    Example("Subdivisions with their country", 200,
            lambda a: [r["countries"] for r in a.body] == [{"name": "France", "flag": "🇫🇷"}],
            curl="'@/subdivisions?code=eq.FR-69&select=name,countries(name,flag)'"),
    Example("One item, by its key", 200, lambda a: a.body["name"] == "Iceland" and a.body["alpha_3"] == "ISL",
            curl="'@/countries/IS'"),
    Example("An item that is not there", 404, problem("REST404"),
            curl="'@/countries/XX'"),
    Example("A table that is not there", 404, problem("PGRST205"), curl="'@/planets'"),
    Example("A column that is not there", 400, problem("42703"), curl="'@/countries?population=gt.1000000'"),
    Example("An operator that does not exist", 400, problem("PGRST100"),
            curl="'@/countries?name=resembles.Fiji'"),
    Example("Visitors see public products only", 200, lambda a: skus(a) == ["COF-1", "CUP-1", "TEA-1"],
            curl="'@/products?select=sku,name,price,owner&order=sku'"),
    Example("A hidden product looks like a missing one", 404, problem("REST404"),
            curl="'@/products/NEW-1'"),
    Example("Visitors may not see stock movements", 401, problem("42501"), curl="'@/stock_movements'"),
    Example("... nor create products", 401, problem("42501"),
            curl=f"""'@/products' {JSON} -d '{{"sku":"X","name":"X","price":1}}'"""),
    Example("A new review", 201, lambda a: a.body == [{"product": "TEA-1", "reviewer": "Mia", "stars": 4, "comment": "Fresh"}],
            curl=f"""'@/reviews' {JSON} -H 'Prefer: return=representation' """
                 """-d '{"product":"TEA-1","reviewer":"Mia","stars":4,"comment":"Fresh"}'"""),
    Example("The same review again, which already exists", 409, problem("23505"),
            curl=f"""'@/reviews' {JSON} -d '{{"product":"TEA-1","reviewer":"Mia","stars":5}}'"""),
    Example("Insert, or update what is already there", 201,
            lambda a: [(r["reviewer"], r["stars"]) for r in a.body] == [("Mia", 5), ("Noa", 3)],
            curl=f"""'@/reviews' {JSON} -H 'Prefer: resolution=merge-duplicates, return=representation' """
                 """-d '[{"product":"TEA-1","reviewer":"Mia","stars":5},{"product":"TEA-1","reviewer":"Noa","stars":3}]'"""),
    Example("A review by its key of two columns", 200, lambda a: a.body["stars"] == 5, curl="'@/reviews/TEA-1,Mia'"),
    Example("A change", 200, lambda a: [(r["reviewer"], r["comment"]) for r in a.body] == [("Noa", "A bit dear")],
            curl=f"""-X PATCH '@/reviews?reviewer=eq.Noa' {JSON} -H 'Prefer: return=representation' """
                 """-d '{"comment":"A bit dear"}'"""),
    Example("A value that the table refuses", 400, problem("23514"),
            curl=f"""'@/reviews' {JSON} -d '{{"product":"TEA-1","reviewer":"Tom","stars":6}}'"""),
    Example("A body that is not JSON", 400, problem("PGRST102"), curl=f"""'@/reviews' {JSON} -d '{{"stars":'"""),
    Example("Alice sees public products and her own", 200, lambda a: skus(a) == ["COF-1", "CUP-1", "NEW-1", "TEA-1"],
            user="alice", sql="select status, body from restful.get('/products?select=sku,owner&order=sku')"),
    Example("Bob sees public products and his own", 200, lambda a: skus(a) == ["COF-1", "CUP-1", "NEW-2", "TEA-1"],
            user="bob", sql="select status, body from restful.get('/products?select=sku,owner&order=sku')"),
    Example("Alice announces her product", 200, lambda a: skus(a) == ["NEW-1"] and a.body[0]["public"],
            user="alice", sql="select status, body from restful.patch('/products?sku=eq.NEW-1&select=sku,public', "
                              """'{"public": true}', '{"prefer": "return=representation"}')"""),
    Example("... which visitors then see", 200, lambda a: a.body["sku"] == "NEW-1", curl="'@/products/NEW-1'"),
    Example("Bob cannot change it, because he sees no row to change", 200, lambda a: a.body == [],
            user="bob", sql="select status, body from restful.patch('/products?sku=eq.NEW-1', "
                            """'{"price": 1}', '{"prefer": "return=representation"}')"""),
    Example("Nor can he create a product in her name", 403, problem("42501"),
            user="bob", sql="select status, body from restful.post('/products', "
                            """'{"sku": "FAKE", "name": "Fake", "price": 1, "owner": "alice"}')"""),
    Example("Alice sees her stock movements, with their products", 200,
            lambda a: [(r["quantity"], r["products"]["name"]) for r in a.body] == [(100, "Green tea"), (-3, "Green tea")],
            user="alice", sql="select status, body from restful.get("
                              "'/stock_movements?select=quantity,reason,products(name)&order=id')"),

    Example("The lints find nothing dangerous in what the demo exposes", 200, lambda a: a.body == [],
            user="bob", sql="select 200, coalesce(json_agg(l), '[]') from restful.lint(min_level => 'ERROR') l"),
]
