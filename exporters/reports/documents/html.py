"""A document as one HTML file that needs nothing else, on the screen and printed."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from exporters.reports.documents.document import Document
from exporters.reports.documents.shown import shown


def html(document: Document) -> str:
    """Return the document as a page; whatever names hold is text in it."""
    return _template().render(shown(document))


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("exporters.reports.documents", "forms"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
