"""Draws curves as SVG. No dependencies. The drawing follows the reader's light or dark mode."""

import dataclasses
import html
import math
from collections.abc import Callable

# Pixels: the whole, and what is left around the field for labels.
WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 72, 132, 40, 52
# Lines differ by colour, by dashes and by the shape of their points.
DASHES = ("", "7 4", "2 3")
STYLE = """
svg { --paper: #ffffff; --ink: #24292f; --faint: #d8dee4; --line0: #0550ae; --line1: #bc4c00; --line2: #1a7f37; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #0d1117; --ink: #e6edf3; --faint: #30363d; --line0: #79c0ff; --line1: #ffa657; --line2: #7ee787; }
}
text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.title { font-weight: 600; font-size: 13px; }
.grid { stroke: var(--faint); }
"""


@dataclasses.dataclass
class Chart:
    """Lines over the same values of x. Each name in `lines` has a y for each x."""

    title: str
    x_label: str
    y_label: str
    xs: list[float]
    lines: dict[str, list[float]]
    x_log: bool = True
    y_log: bool = True

    def svg(self) -> str:
        """The drawing."""
        values = [y for line in self.lines.values() for y in line]
        x = scale(min(self.xs), max(self.xs), LEFT, WIDTH - RIGHT, self.x_log)
        ticks = logarithmic_ticks(min(values), max(values)) if self.y_log else linear_ticks(max(values))
        y = scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP, self.y_log)
        parts = [f'<text class="title" x="{LEFT}" y="20">{html.escape(self.title)}</text>']
        for tick in ticks:
            parts.append(f'<path class="grid" d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}"/>')
            parts.append(f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{number(tick)}</text>')
        for tick in apart(self.xs, x):
            parts.append(f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{number(tick)}</text>')
        parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{html.escape(self.x_label)}</text>')
        middle = (TOP + HEIGHT - BOTTOM) / 2
        parts.append(f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{html.escape(self.y_label)}</text>')
        ends = spread([y(line[-1]) for line in self.lines.values()])
        for place, ((name, line), end) in enumerate(zip(self.lines.items(), ends)):
            points = [(x(a), y(b)) for a, b in zip(self.xs, line)]
            path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
            parts.append(f'<path d="{path}" fill="none" stroke="var(--line{place})" stroke-width="2" stroke-dasharray="{DASHES[place]}"/>')
            parts += [mark(place, a, b) for a, b in points]
            parts.append(f'<text x="{points[-1][0] + 10:.1f}" y="{end + 4:.1f}" style="fill:var(--line{place})">{html.escape(name)}</text>')
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">\n'
                f'<title>{html.escape(self.title)}</title>\n<style>{STYLE}</style>\n'
                f'<rect width="{WIDTH}" height="{HEIGHT}" style="fill:var(--paper)"/>\n' + "\n".join(parts) + "\n</svg>\n")


def scale(low: float, high: float, start: float, end: float, logarithmic: bool) -> Callable[[float], float]:
    """The function from values between `low` and `high` to pixels."""
    f = math.log10 if logarithmic else float
    return lambda value: start + (f(value) - f(low)) / (f(high) - f(low)) * (end - start)


def logarithmic_ticks(low: float, high: float) -> list[float]:
    """Round numbers around a range, of which those within are powers of ten, and in a narrow range their multiples by 2 and 5 too."""
    def round_numbers(steps: tuple[int, ...]) -> list[float]:
        return [step * 10.0 ** power for power in range(-6, 12) for step in steps]

    ends = round_numbers((1, 2, 5))
    within = ends if high / low < 500 else round_numbers((1,))
    first, last = max(t for t in ends if t <= low), min(t for t in ends if t >= high)
    return [first, *(t for t in within if first < t < last), last]


def linear_ticks(high: float) -> list[float]:
    """Round numbers from 0 to `high`, about five."""
    step = next(s for power in range(-6, 12) for s in (10.0 ** power, 2 * 10.0 ** power, 5 * 10.0 ** power) if high / s <= 6)
    return [i * step for i in range(math.ceil(high / step) + 1)]


def apart(xs: list[float], x: Callable[[float], float]) -> list[float]:
    """Those values whose labels do not touch each other. The last one always stays."""
    kept: list[float] = []
    for value in reversed(xs):
        if not kept or x(kept[-1]) - x(value) >= 7 * len(number(kept[-1])) + 4:
            kept.append(value)
    return kept


def spread(places: list[float]) -> list[float]:
    """The places of labels, moved so that they do not touch each other."""
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for above, below in zip(order, order[1:]):
        moved[below] = max(moved[below], moved[above] + 15)
    return moved


def mark(place: int, x: float, y: float) -> str:
    """A point of a line."""
    fill = f'style="fill:var(--line{place})"'
    if place == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" {fill}/>'
    if place == 1:
        return f'<rect x="{x - 3.2:.1f}" y="{y - 3.2:.1f}" width="6.4" height="6.4" {fill}/>'
    return f'<path d="M{x:.1f} {y - 4.5:.1f}l4.2 7.5h-8.4z" {fill}/>'


def number(value: float) -> str:
    """A number as people write it."""
    return f"{value:,.0f}" if value >= 10 or value == round(value) else f"{value:.3g}"
