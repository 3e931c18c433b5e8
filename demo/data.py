"""The demo's rows, as JSON arrays for the API: ISO codes from Debian's package iso-codes."""

import json
import pathlib

CODES = pathlib.Path("/usr/share/iso-codes/json")


def standard(number: str) -> list[dict]:
    return json.loads((CODES / f"iso_{number}.json").read_text(encoding="utf-8"))[number]


def rows(entries: list[dict], *columns: str) -> list[dict]:
    """The entries, each with exactly these keys, because all rows of one body need the same keys."""
    return [{column: entry.get(column) for column in columns} for entry in entries]


def subdivisions() -> list[dict]:
    entries = standard("3166-2")
    codes = {entry["code"] for entry in entries}
    for entry in entries:
        entry["country"] = entry["code"].split("-")[0]
        # Whether a parent's code begins with the country depends on the version of the package.
        parent = entry.get("parent")
        entry["parent"] = next((code for code in (parent, f"{entry['country']}-{parent}") if code in codes), None)
    # Send a parent in an earlier body than its children, or in the same one.
    entries.sort(key=lambda entry: entry["parent"] is not None)
    return rows(entries, "code", "country", "name", "type", "parent")


def reference() -> dict[str, list[dict]]:
    """Rows by table, referenced tables first."""
    return {
        "countries": rows(standard("3166-1"), "alpha_2", "alpha_3", "numeric", "name", "official_name", "flag"),
        "subdivisions": subdivisions(),
        "currencies": rows(standard("4217"), "alpha_3", "numeric", "name"),
        "languages": rows(standard("639-3"), "alpha_3", "alpha_2", "name", "scope", "type"),
    }


PRODUCTS = {
    "alice": [
        {"sku": "TEA-1", "name": "Green tea", "price": 7.50, "public": True, "made_in": "JP"},
        {"sku": "CUP-1", "name": "Tea cup", "price": 12.00, "public": True, "made_in": "CN"},
        {"sku": "NEW-1", "name": "Tea pot (not yet announced)", "price": 49.90, "public": False, "made_in": "JP"},
    ],
    "bob": [
        {"sku": "COF-1", "name": "Coffee", "price": 9.80, "public": True, "made_in": "ET"},
        {"sku": "NEW-2", "name": "Coffee grinder (not yet announced)", "price": 89.00, "public": False, "made_in": "DE"},
    ],
}

MOVEMENTS = {
    "alice": [
        {"product": "TEA-1", "quantity": 100, "reason": "delivery"},
        {"product": "TEA-1", "quantity": -3, "reason": "sale"},
    ],
    "bob": [{"product": "COF-1", "quantity": 40, "reason": "delivery"}],
}
