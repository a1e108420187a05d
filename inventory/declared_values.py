"""The values that shapes are made of, as they are written, and what all shapes share."""

from datetime import date, time
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from inventory import forms

Slug = Annotated[str, AfterValidator(forms.slug)]
Address = Annotated[str, AfterValidator(forms.address)]
Network = Annotated[str, AfterValidator(forms.network)]
Mac = Annotated[str, AfterValidator(forms.mac)]
Bandwidth = Annotated[int, BeforeValidator(forms.bandwidth, json_schema_input_type=str)]
Seconds = Annotated[float, BeforeValidator(forms.seconds, json_schema_input_type=str)]
TimeZone = Annotated[str, AfterValidator(forms.time_zone)]
SshKey = Annotated[str, AfterValidator(forms.ssh_key)]
Listen = Annotated[str, AfterValidator(forms.listen)]
Relay = Annotated[str, AfterValidator(forms.relay)]
Email = Annotated[str, AfterValidator(forms.email)]
Domain = Annotated[str, AfterValidator(forms.domain)]
Day = Annotated[date, BeforeValidator(forms.day, json_schema_input_type=str)]
TimeOfDay = Annotated[time, BeforeValidator(forms.time_of_day, json_schema_input_type=str)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Text = Annotated[str, Field(min_length=1)]


def _how_dated(value: object) -> str:
    return "[dates]" if isinstance(value, dict) else "[text]"


# Told apart by what is written, so that of two shapes only the one that was meant complains.
DatedText = Annotated[
    Annotated[Text, Tag("[text]")] | Annotated[dict[Day, Text], Field(min_length=1), Tag("[dates]")],
    Discriminator(_how_dated),
]
DatedSlug = Annotated[
    Annotated[Slug, Tag("[text]")] | Annotated[dict[Day, Slug], Field(min_length=1), Tag("[dates]")],
    Discriminator(_how_dated),
]
Medium = Literal["fibre", "copper", "radio", "satellite", "mobile"]


class Shape(BaseModel):
    """What all declared shapes share: frozen, and a misspelt key is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)
