"""Who issues a document, where nobody said it: the province's name, and blanks for the rest."""

from exporters.reports.documents.say import speaker
from inventory.language import N_
from inventory.letterhead import Letterhead

_PROVINCE = "Tỉnh "  # a place is written without it; a city keeps its "Thành phố"


def letterhead_of(province: str, language: str) -> Letterhead:
    """Return a head with the province's name; the rest is for the clerk, as nothing of it may be guessed."""
    say = speaker(language)
    return Letterhead(
        body=province,
        place=province.removeprefix(_PROVINCE),
        capacity=(say(N_("(OFFICE OF THE SIGNATORY)")),),
    )
