"""Makes a request that breaks a law smaller, as long as it still breaks the law."""
from _law_checks import Broken
from _law_request import Embed, RowTest, Tree

STEPS = 400


def nodes(node):
    yield node
    for embed in node.embeds:
        yield from nodes(embed.node)


def without_label(conditions, label):
    kept = []
    for condition in conditions:
        if isinstance(condition, Tree):
            condition.children = without_label(condition.children, label)
            if not condition.children:
                continue
        elif isinstance(condition, RowTest) and condition.label == label:
            continue
        kept.append(condition)
    return kept


def of_conditions(conditions):
    """The lists with one condition less, or with a smaller tree."""
    for i, condition in enumerate(conditions):
        yield conditions[:i] + conditions[i + 1:]
        if isinstance(condition, Tree):
            for child in condition.children:
                yield conditions[:i] + [child] + conditions[i + 1:]
            for children in of_conditions(condition.children):
                if children:
                    yield conditions[:i] + [Tree(condition.connective, children, condition.negated)] + conditions[i + 1:]


def of_node(node, keeps_order):
    """Changes to a node, as functions of its copy."""
    def conditions(kept):
        def change(n):
            n.conditions = kept
        return change

    def drop(i):
        def change(n):
            item = n.select.pop(i)
            if isinstance(item, Embed):
                n.conditions = without_label(n.conditions, item.label)
                n.order = [o for o in n.order if o.label != item.label]
        return change

    def let(name, value):
        return lambda n: setattr(n, name, value)

    def plain(i):
        return lambda n: setattr(n.select[i], "join", None)

    for kept in of_conditions(node.conditions):
        yield conditions(kept)
    for i, item in enumerate(node.select or []):
        yield drop(i)
        if isinstance(item, Embed) and item.join:
            yield plain(i)
    if node.limit is not None:
        yield let("limit", None)
    if node.offset is not None:
        yield let("offset", None)
    if not node.is_paged or not keeps_order:
        for i in range(len(node.order)):
            yield let("order", node.order[:i] + node.order[i + 1:])


def of_request(generator, request):
    """Requests that are a little smaller."""
    for name in request.prefer:
        smaller = generator.copy(request)
        del smaller.prefer[name]
        yield smaller
    for name in "accept", "columns", "on_conflict":
        if getattr(request, name) is not None:
            smaller = generator.copy(request)
            setattr(smaller, name, None)
            yield smaller
    if isinstance(request.body, list) and len(request.body) > 1:
        for i in range(len(request.body)):
            smaller = generator.copy(request)
            del smaller.body[i]
            yield smaller
    for name in (request.body if request.method == "PATCH" else []):
        smaller = generator.copy(request)
        del smaller.body[name]
        if smaller.body and not smaller.columns:
            yield smaller
    for position, node in enumerate(nodes(request.node)):
        keeps_order = position > 0 or request.method not in ("PATCH", "DELETE")
        for change in of_node(node, keeps_order):
            smaller = generator.copy(request)
            change(list(nodes(smaller.node))[position])
            if smaller.node.select == []:
                smaller.node.select = None
            yield smaller


def smallest(generator, request, broken, checks):
    """The smallest request that breaks the same law in the same way, and the failure."""
    steps, found = 0, True
    while found and steps < STEPS:
        found = False
        for smaller in of_request(generator, request):
            steps += 1
            try:
                checks.check(smaller)
            except Broken as again:
                if again.kind == broken.kind:
                    request, broken, found = smaller, again, True
                    break
    try:
        checks.check(request)
    except Broken as again:
        broken = again
    return request, broken
