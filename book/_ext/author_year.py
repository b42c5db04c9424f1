"""A style for the list of references whose labels are those of the text: "Levy et al., 2015"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pybtex.database import Entry, Person
from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.labels import BaseLabelStyle
from sphinx.application import Sphinx


class AuthorYearLabels(BaseLabelStyle):
    """Label a work by the names of its authors and its year, as the citations do."""

    def format_labels(self, sorted_entries: Iterable[Entry]) -> Iterator[str]:
        """Yield one label an entry, in the order given."""
        for entry in sorted_entries:
            yield f"{_names(entry)}, {entry.fields.get('year', 'n.d.')}"


class AuthorYearStyle(PlainStyle):
    """The plain style with labels of author and year."""

    default_label_style = AuthorYearLabels


def _names(entry: Entry) -> str:
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [_last(person) for person in people]
    if len(names) > 2:
        return f"{names[0]} et al."
    return " and ".join(names) or str(entry.key)


def _last(person: Person) -> str:
    parts = (*person.rich_prelast_names, *person.rich_last_names)
    return " ".join(str(part) for part in parts)


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the style known by its name."""
    register_plugin("pybtex.style.formatting", "author_year", AuthorYearStyle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
