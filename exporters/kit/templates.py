"""The words of an e-mail in each language, as Alertmanager's templates; `exporters.alerts` says the same."""

from inventory.language import N_, in_language

FIRING = N_("{count} alerts")
RESOLVED = N_("{count} resolved")
SINCE = N_("since {time}")
OVER = N_("over since {time}")
_TEMPLATE = """\
{{{{ define "tuyen.{language}.subject" -}}}}
[{name}] {{{{ if eq .Status "firing" }}}}{firing}{{{{ else }}}}{resolved}{{{{ end }}}}: \
{{{{ (index .Alerts 0).Annotations.summary_{language} }}}}
{{{{- end }}}}

{{{{ define "tuyen.{language}.text" -}}}}
{{{{ range .Alerts.Firing }}}}* {{{{ .Annotations.summary_{language} }}}} ({since})
  {{{{ .Annotations.description_{language} }}}}
{{{{ end }}}}{{{{ range .Alerts.Resolved }}}}* {{{{ .Annotations.summary_{language} }}}} ({over})
{{{{ end }}}}
{{{{- end }}}}
"""


def template_text(language: str, province: str) -> str:
    """Return the templates of one language; times are those of the machine that Alertmanager runs on."""
    clock = '{{{{ .{when}.Local.Format "15:04 02/01/2006" }}}}'
    return _TEMPLATE.format(
        language=language,
        name=_quoted(province),
        firing=in_language(FIRING, language).format(count="{{ .Alerts.Firing | len }}"),
        resolved=in_language(RESOLVED, language).format(count="{{ .Alerts.Resolved | len }}"),
        since=in_language(SINCE, language).format(time=clock.format(when="StartsAt")),
        over=in_language(OVER, language).format(time=clock.format(when="EndsAt")),
    )


def _quoted(text: str) -> str:
    """Return a name as a template's text: nothing in it is a template."""
    return " ".join(text.split()).replace("{{", "{ {")
