"""The laws that a request must satisfy."""
import collections
import copy
import json
import re

from _law_driver import Ask, InSql
from _law_generator import MARKED
from _law_oracle import Oracle
from _law_request import Embed, Field, Node, Shown
from _law_schema import MARK, RID

SELECTED = "PATCH and DELETE change the rows that GET with the same filters shows"
CHANGED = "a write changes what plain SQL changes"
PAGED = "limit and offset choose what PATCH and DELETE change, or are refused"
GUARDED = "the count, the guards and the table agree"
REFUSED = "a refused request changes nothing"
ALIKE = "a request is refused with a representation exactly if it is refused without"
READ = "a read shows what plain SQL shows"
SHOWN = "a representation shows the written rows as plain SQL shows them"
MALFORMED = "a malformed request changes nothing, or only what its filters select"
ONE_ANSWER = "a request that takes a faster way has the same answer and the same effect"
ANSWERED = "a request is answered"
REPEATED = "a repeated write has the same answer and the same effect"

SINGULAR = "application/vnd.pgrst.object+json"


class Broken(Exception):
    """A law is broken."""

    def __init__(self, law, what):
        super().__init__(f"{law}: {what}")
        self.law, self.what = law, what

    @property
    def kind(self):
        """What two failures have in common if they have the same reason."""
        return self.law, re.sub(r"GET /.* (is|shows) |\d+-\d+/|\b[0-9A-Z]{1,5}\b|\[.*\]|'.*?'|\".*?\"|\(.*\)", "", self.what)


def text(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


# Putting answers in order

def in_order(node, rows):
    """Rows and their embedded rows, sorted where the request asks for no order."""
    rows = [row_in_order(node, row) for row in rows]
    return rows if node.is_ordered() else sorted(rows, key=text)


def row_in_order(node, row):
    for embed in node.embeds:
        if embed.spread:
            if not embed.relationship.to_many:
                row_in_order(embed.node, row)
        elif (value := row.get(embed.label)) is not None and embed.is_shown:
            row[embed.label] = in_order(embed.node, value) if embed.relationship.to_many else row_in_order(embed.node, value)
    return row


def sorted_within(value):
    if isinstance(value, list):
        return sorted((sorted_within(v) for v in value), key=text)
    return {k: sorted_within(v) for k, v in value.items()} if isinstance(value, dict) else value


def without_nulls(value):
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value


def csv_rows(body):
    """The lines of a CSV body. An unquoted field is null if it is empty or NULL."""
    def value():
        return field if quoted or field not in ("", "NULL") else None

    rows, row, field, quoted, at = [], [], "", False, 0
    while at < len(body):
        c = body[at]
        if c == '"':
            end = at + 1
            quoted = True
            while body[end] != '"' or body[end + 1:end + 2] == '"':
                field += body[end]
                end += 2 if body[end] == '"' else 1
            at = end
        elif c in ",\n":
            row.append(value())
            field, quoted = "", False
            if c == "\n":
                rows.append(row)
                row = []
        else:
            field += c
        at += 1
    return rows + [row + [value()]]


class Checks:
    """Checks requests to one schema."""

    def __init__(self, database):
        self.database = database
        # The trials of the last check.
        self.trials = []
        # How often each outcome happened.
        self.outcomes = collections.Counter()

    def run(self, *trials):
        self.trials += trials
        self.database.run(trials)
        for trial in trials:
            if isinstance(trial, Ask) and trial.raised:
                raise Broken(ANSWERED, f"{trial.raised} {trial.answer['message']}")
            if isinstance(trial, Ask):
                self.is_one_answer(trial)

    def is_one_answer(self, trial):
        (general, held), (fast, held_too) = trial.each[0], trial.each[-1]
        if general != fast:
            raise Broken(ONE_ANSWER, f"the answer is {general}, and {fast} in the ways {sorted(trial.ways)}")
        if held != held_too:
            raise Broken(ONE_ANSWER, "the tables hold other rows")
        self.outcomes.update(f"way: {way}" for way in trial.ways)
        if "write" in trial.ways:
            self.outcomes[f"way: write by {trial.method}"] += 1

    def check(self, request, repeat=1):
        """Raises Broken if the request breaks a law."""
        self.trials = []
        if request.is_read:
            self.read(request, repeat)
        elif request.routine:
            self.call(request, repeat)
        else:
            self.write(request, repeat)

    @staticmethod
    def ask(request, **prefer):
        return Ask(request.method, request.target(), request.headers(**prefer), request.body_text(), not request.is_read)

    def repeated(self, answers, repeat):
        """Makes requests again, and checks that they do the same. The extension runs a request in another way once it knows it."""
        for _ in range(repeat - 1):
            again = [answer.again() for answer in answers]
            self.run(*again)
            for first, second in zip(answers, again):
                if (first.answer, first.held) != (second.answer, second.held):
                    raise Broken(REPEATED, f"the answer was {first.answer}, and is {second.answer} when the request is repeated")

    # What answers show

    def shows(self, law, request, answer, rows):
        """Checks that the body has these rows."""
        try:
            shows = self.shows_lines if self.reads_csv(request) else self.shows_json
            is_same = shows(request, answer, rows)
        except (ValueError, AttributeError, TypeError, IndexError):
            raise Broken(law, f"the body has another form: {answer.text[:50]!r}") from None
        if not is_same:
            raise Broken(law, "the rows differ")

    @staticmethod
    def shows_json(request, answer, rows):
        node, got = request.node, json.loads(answer.text)
        if request.is_item or SINGULAR in (request.accept or ""):
            got = [got]
        if "nulls=stripped" in (request.accept or ""):
            rows = without_nulls(rows)
        return text(in_order(node, got)) == text(in_order(node, rows))

    @staticmethod
    def shows_lines(request, answer, rows):
        outputs = Oracle().outputs(request.node, "none")
        header, *got = csv_rows(answer.text)

        def cell(value, output):
            return sorted_within(json.loads(value)) if output.type == "json" and value else value

        def comparable(lines):
            lines = [list(map(cell, line, outputs)) for line in lines]
            return lines if request.node.is_ordered() else sorted(lines, key=text)

        # Rows without columns have no lines.
        return not outputs or header == [o.name for o in outputs] and comparable(got) == comparable(rows)

    @staticmethod
    def reads_csv(request):
        return request.accept == "text/csv"

    # Reads

    def read(self, request, repeat):
        first = self.ask(request)
        answers = [first, *(first.again() for _ in range(repeat - 1))]
        sql = InSql(Oracle().read(request, self.reads_csv(request)), False)
        self.run(*answers, sql)
        for answer in answers:
            self.is_read(request, answer, sql)
        if request.node.embeds and "read" in first.ways:
            self.outcomes["way: read with embedded rows"] += 1

    def is_read(self, request, answer, sql):
        node = request.node
        if request.prefer.get("handling") == "strict" and "nonsense" in request.prefer:
            if answer.code != "PGRST122":
                raise Broken(READ, "it should be refused with PGRST122")
            return
        if sql.code:
            if not answer.is_refused:
                raise Broken(READ, f"{answer.status}: SQL fails with {sql.code}: {sql.answer['message']}")
            self.outcomes["read refused as in SQL"] += 1
            return
        rows, total = sql.result["rows"], sql.result["total"]
        counted = "count" in request.prefer and not request.is_item
        refusals = set()
        if counted and (node.offset or 0) > total:
            refusals.add("PGRST103")
        if request.is_item and not rows:
            refusals.add("REST404")
        if SINGULAR in (request.accept or "") and len(rows) != 1:
            refusals.add("PGRST116")
        if refusals:
            if not answer.is_refused or answer.code not in refusals:
                raise Broken(READ, f"{answer.status} {answer.code}: it should be refused with {' or '.join(refusals)}")
            self.outcomes["read guarded"] += 1
            return
        if answer.is_refused:
            raise Broken(READ, f"it is refused with {answer.code}, but SQL succeeds")
        status = 206 if counted and len(rows) < total else 200
        if answer.status != status:
            raise Broken(READ, f"the status is {answer.status}, not {status}")
        if not request.is_item:
            first = node.offset or 0
            expected = f"{first}-{first + len(rows) - 1}" if rows else "*"
            expected += f"/{total}" if counted else "/*"
            if answer.field("content-range") != expected:
                raise Broken(GUARDED if counted else READ, f"content-range is {answer.field('content-range')}, not {expected}")
        if request.method == "HEAD":
            if answer.text is not None:
                raise Broken(READ, "HEAD has a body")
            return
        self.shows(READ, request, answer, rows)
        self.outcomes["rows read" if rows else "no rows read"] += 1

    # Writes

    def write(self, request, repeat):
        preferences = [request.shuffle % 2 and "minimal", "representation"] + ["headers-only"] * (request.method == "POST")
        answers = [self.ask(request, **{"return": p}) for p in preferences]
        sql = InSql(Oracle().write(request, self.reads_csv(request)))
        self.run(*answers, sql)
        self.repeated(answers, repeat)
        before = self.database.held
        for answer in answers:
            self.refused_changes_nothing(answer)
        minimal, whole = answers[:2]
        self.refused_alike(answers)
        refusals = self.refusals(request, sql)
        may_be_refused = request.method in ("PATCH", "DELETE") and request.node.is_paged and not request.node.relation.key
        if not sql.code and SINGULAR in (request.accept or "") and sql.result["affected"] == 1 and not sql.result["rows"]:
            # One row is written, but the page of rows that come back is empty.
            may_be_refused = True
        if may_be_refused and whole.is_refused:
            self.outcomes["page of a write refused"] += 1
            return
        for answer in answers:
            if refusals:
                self.is_refused(request, answer, refusals, sql)
        if refusals:
            self.outcomes["write refused as in SQL" if sql.code else "write guarded"] += 1
            return
        changed = before if request.prefer.get("tx") == "rollback" else sql.held
        law = PAGED if request.node.is_paged and request.method in ("PATCH", "DELETE") else CHANGED
        for answer in answers:
            if answer.is_refused:
                raise Broken(law, f"{answer.status} {answer.code}: it is refused, but SQL succeeds")
            if answer.held != changed:
                raise Broken(law, "the tables hold other rows than after the SQL")
            self.is_written(request, answer, sql.result, answer is whole)
        if SINGULAR not in (request.accept or "") or len(sql.result["rows"]) == 1:
            self.shows(SHOWN, request, whole, sql.result["rows"])
        if request.method in ("PATCH", "DELETE"):
            some = sql.result["affected"]
            every = len(before[request.node.relation.base.name])
            what = "no row" if not some else "every row" if some == every else "some rows"
            self.outcomes[f"{what} changed"] += 1
        else:
            self.outcomes["rows inserted"] += 1
        if request.method in ("PATCH", "DELETE") and not request.node.is_paged:
            self.get_shows_what_changes(request, minimal)

    @staticmethod
    def refused_alike(answers):
        if len({(answer.is_refused, answer.code) for answer in answers}) > 1:
            named = zip(("minimal", "representation", "headers-only"), answers)
            raise Broken(ALIKE, ", ".join(f"{name}: {answer.status} {answer.code}" for name, answer in named))

    def refused_changes_nothing(self, answer):
        if answer.is_refused and answer.held != self.database.held:
            raise Broken(REFUSED, f"{answer.status} {answer.code}")

    @staticmethod
    def refusals(request, sql):
        """The codes with which a write may be refused. If there are any, it has to be refused."""
        strict = request.prefer.get("handling") == "strict"
        found = {sql.code} if sql.code else set()
        if strict and "nonsense" in request.prefer:
            found.add("PGRST122")
        if request.method == "PUT":
            key = dict(zip(request.node.relation.key, request.key)) if request.is_item else Oracle.key_of_filters(request)
            if any(request.body.get(k, v) != v for k, v in key.items()):
                found.add("PGRST115")
        if sql.code:
            return found
        affected = sql.result["affected"]
        if strict and request.method in ("PATCH", "DELETE") and affected > int(request.prefer.get("max-affected", affected)):
            found.add("PGRST124")
        if SINGULAR in (request.accept or "") and affected != 1:
            found.add("PGRST116")
        if request.is_item and request.method != "PUT" and not affected:
            found.add("REST404")
        return found

    @staticmethod
    def is_refused(request, answer, refusals, sql):
        if not answer.is_refused:
            guards = refusals & {"PGRST124", "PGRST116", "REST404"}
            raise Broken(GUARDED if guards else CHANGED,
                         f"{answer.status}: it should be refused with {' or '.join(refusals)}"
                         + (f", SQL changes {sql.result['affected']} rows" if guards else f" ({sql.answer.get('message')})"))
        if refusals and not sql.code and answer.code not in refusals:
            raise Broken(CHANGED, f"it is refused with {answer.code}, not {' or '.join(refusals)} ({sql.answer.get('message')})")

    def is_written(self, request, answer, done, is_whole):
        affected, method = done["affected"], request.method
        if method != "PUT":
            rows = f"0-{affected - 1}" if method == "PATCH" and affected else "*"
            expected = f"{rows}/{affected if 'count' in request.prefer else '*'}"
            if answer.field("content-range") != expected:
                raise Broken(GUARDED, f"content-range is {answer.field('content-range')}, not {expected}")
        created = sum(len(rows) for rows in answer.held.values()) - sum(len(rows) for rows in self.database.held.values())
        if request.prefer.get("tx") == "rollback":
            return
        if method == "POST":
            merges = request.prefer.get("resolution") == "merge-duplicates" and (request.on_conflict or request.node.relation.key)
            status = 200 if merges and not created else 201
        elif method == "PUT":
            status = (201 if created else 200) if is_whole else 204
        else:
            status = 200 if is_whole else 204
        if answer.status != status:
            raise Broken(GUARDED, f"the status is {answer.status}, not {status}")

    def get_shows_what_changes(self, request, written):
        """Checks that GET with the filters and labels of the write shows the rows that the write has changed."""
        if request.prefer.get("tx") == "rollback" or request.node.relation.base.keeps_rows:
            return
        get = copy.copy(request)
        get.method, get.body, get.columns, get.prefer, get.accept = "GET", None, None, {}, None
        select = [Shown(Field(RID, "int"), "RID"), *self.labels(request.node)]
        get.node = Node(request.node.relation, select, request.node.conditions)
        answer = self.ask(get)
        self.run(answer)
        if answer.is_refused and answer.code != "REST404":
            raise Broken(SELECTED, f"GET {get.target()} is refused: {answer.code}")
        rows = [] if answer.is_refused else json.loads(answer.text)
        shown = {row["RID"] for row in ([rows] if isinstance(rows, dict) else rows)}
        base = request.node.relation.base
        before, after = ({row[RID]: row for row in held[base.name]} for held in (self.database.held, written.held))
        if request.method == "PATCH":
            changed = {rid for rid, row in after.items() if row[MARK] == MARKED}
        else:
            changed = before.keys() - after.keys()
            if base.cascades:
                # Rows that refer to deleted ones are deleted, too, and GET does not show them.
                changed = changed & shown
        if shown != changed:
            raise Broken(SELECTED, f"GET {get.target()} shows {sorted(shown)}, but the write changes {sorted(changed)}")

    def labels(self, node):
        """The embedded relations of a node, without spreads. An inner join stays only if it chooses rows."""
        found = []
        for embed in node.embeds:
            label = self.without_spread(embed)
            label.join = embed.join if embed.node.chooses else None
            found.append(label)
        return found

    def without_spread(self, embed):
        """The same embedded relation, but not spread, so that it adds no columns to its parent."""
        inner = copy.copy(embed.node)
        if embed.spread:
            inner.select = [self.without_spread(e) for e in embed.node.embeds] or [Shown(Field(RID, "int"))]
        return Embed(embed.relationship, embed.name, inner, embed.hint, embed.alias, embed.join, False)

    # Functions

    def call(self, request, repeat):
        answer, sql = self.ask(request), InSql(Oracle().call(request, self.reads_csv(request)))
        self.run(answer, sql)
        self.repeated([answer], repeat)
        self.refused_changes_nothing(answer)
        strict = request.prefer.get("handling") == "strict"
        if sql.code or strict and "nonsense" in request.prefer:
            if not answer.is_refused:
                raise Broken(CHANGED, f"SQL fails with {sql.code}")
            return
        rows, total, affected = (sql.result[k] for k in ("rows", "total", "affected"))
        most = int(request.prefer.get("max-affected", affected)) if strict else affected
        must = affected > most
        if SINGULAR in (request.accept or ""):
            must |= affected != 1
        may = must
        if not request.routine.changes:
            # For a function that changes nothing, it is not specified whether rows count that are not shown.
            must = max(total, len(rows)) > most and affected > most and not request.node.is_grouped
            if SINGULAR in (request.accept or ""):
                must |= total != 1 and len(rows) != 1 and affected != 1
                may |= total != 1 or len(rows) != 1
        may |= "count" in request.prefer and (request.node.offset or 0) > total
        if must and not answer.is_refused:
            raise Broken(GUARDED, f"{answer.status}: it should be refused, the function returns {affected} rows")
        if answer.is_refused:
            if not must and not may:
                raise Broken(CHANGED, f"{answer.status} {answer.code}: it is refused, but SQL succeeds")
            return
        if answer.held != (self.database.held if request.prefer.get("tx") == "rollback" else sql.held):
            raise Broken(CHANGED, "the tables hold other rows than after the SQL")
        counted = answer.field("content-range").split("/")[1]
        if "count" in request.prefer and counted != str(total):
            raise Broken(GUARDED, f"{counted} rows are counted, not {total}")
        if SINGULAR not in (request.accept or "") or len(rows) == 1:
            self.shows(SHOWN, request, answer, rows)
        self.outcomes["functions called"] += 1

    # Malformed requests

    def malformed(self, malformed):
        """Raises Broken if a malformed request is not refused although it must be, or changes rows that it does not select."""
        self.trials = []
        request, is_read = malformed.request, malformed.request.is_read
        preferences = [None] if is_read else [None, "representation"]
        answers = [Ask(request.method, malformed.target, malformed.headers(**{"return": p}), malformed.body, not is_read)
                   for p in preferences]
        selected = [InSql(Oracle().selects(request.node, condition), False) for condition in malformed.held]
        get = Ask("GET", malformed.target, {"prefer": "count=exact"}, None, False)
        self.run(*answers, *selected, get)
        for answer in answers:
            if malformed.must_be_refused and not answer.is_refused:
                raise Broken(MALFORMED, f"{malformed.what}: {answer.status}")
            if not is_read:
                self.refused_changes_nothing(answer)
        self.refused_alike(answers)
        self.outcomes["malformed refused" if answers[0].is_refused else "malformed done"] += 1
        if is_read or answers[0].is_refused:
            return
        base = request.node.relation.base
        for answer in answers:
            changed = self.changed(request, answer)
            if request.method == "PUT" and len(changed) > 1:
                raise Broken(MALFORMED, f"{malformed.what}: PUT changes the rows {sorted(changed)}")
            if request.method not in ("PATCH", "DELETE") or request.method == "DELETE" and base.cascades:
                continue
            for condition, rows in zip(malformed.held, selected):
                if not rows.code and not changed <= set(rows.result):
                    raise Broken(MALFORMED, f"{malformed.what}: {'='.join(condition.parameter(''))} selects {rows.result}, "
                                 f"but the request changes {sorted(changed)}")
            if any(piece.startswith(("columns=", "on_conflict=")) for piece in re.split("[?&]", malformed.target)):
                # These parameters mean nothing to GET.
                continue
            if get.is_refused and get.code not in ("REST404", "PGRST103"):
                raise Broken(SELECTED, f"{malformed.what}: GET is refused with {get.code}, {request.method} is not")
            if not base.keeps_rows and not any(word in malformed.target for word in ("!inner", "limit", "offset", "(")):
                found = 0 if get.is_refused else 1 if request.is_item else int(get.field("content-range").split("/")[1])
                if found != len(changed):
                    raise Broken(SELECTED, f"{malformed.what}: GET shows {found} rows, {len(changed)} are changed")

    def changed(self, request, answer):
        """The RIDs of the relation's rows that the request has changed."""
        name = request.node.relation.base.name
        before, after = ({row[RID]: row for row in held[name]} for held in (self.database.held, answer.held))
        return {rid for rid in before.keys() | after.keys() if before.get(rid) != after.get(rid)}
