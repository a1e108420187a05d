"""What holidays.yaml may hold: the shape that people write."""

from typing import Annotated

from pydantic import Discriminator, Field, Tag

from inventory.declared_values import Day, Shape, Text


class HolidayShape(Shape):
    """A day and its name; `working`: a Saturday or Sunday on which offices are open instead of another day."""

    name: Text
    working: bool = False


Holiday = Annotated[
    Annotated[Text, Tag("[text]")] | Annotated[HolidayShape, Tag("[one]")],
    Discriminator(lambda value: "[one]" if isinstance(value, dict) else "[text]"),
]


class HolidaysFile(Shape):
    """holidays.yaml: the days on which offices are closed, and those on which they are open for once."""

    holidays: dict[Day, Holiday] = Field(min_length=1)
