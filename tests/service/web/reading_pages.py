"""Reads a page as a browser does: its forms with what they would send, its labels, its addresses, its visible text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

VOID: Final = frozenset({"input", "meta", "link", "br", "hr", "img", "option"})
SILENT: Final = frozenset({"submit", "button", "image", "reset"})


@dataclass
class Control:
    """Something that is filled in: what it is called, what it holds, what else it says of itself."""

    tag: str
    name: str
    attributes: dict[str, str | None]
    values: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    labelled: bool = False

    @property
    def kind(self) -> str:
        """The kind of input, or the tag."""
        return self.attributes.get("type") or ("text" if self.tag == "input" else self.tag)


@dataclass
class Form:
    """A form of a page, and the buttons in it."""

    action: str
    method: str
    controls: list[Control] = field(default_factory=list)
    buttons: list[dict[str, str | None]] = field(default_factory=list)

    def sent(self, **typed: str) -> list[tuple[str, str]]:
        """What a browser sends when it is left as it is, but for what was typed."""
        pairs = []
        for control in self.controls:
            if control.kind == "file":
                continue
            name = control.name.replace(".", "__")
            pairs += [(control.name, value) for value in ([typed[name]] if name in typed else control.values)]
        return pairs

    def names(self) -> set[str]:
        """What can be filled in."""
        return {control.name for control in self.controls}


class PageReader(HTMLParser):
    """Takes a page in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._labels: set[str] = set()
        self._open_label = 0
        self._controls: list[Control] = []
        self._select: Control | None = None
        self._area: Control | None = None
        self._area_text = ""
        self._silent = 0
        self.feed(html)
        for control in self._controls:
            control.labelled |= control.attributes.get("id") in self._labels or bool(
                control.attributes.get("aria-label")
            )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag in."""
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "form":
            self.forms.append(Form(found.get("action") or "", (found.get("method") or "get").lower()))
        if tag in {"script", "style"}:
            self._silent += 1
        if tag == "label":
            self._open_label += 1
            self._labels.add(found.get("for") or "")
        if tag == "button" and self.forms:
            self.forms[-1].buttons.append(found)
        if tag == "option" and self._select is not None:
            self._select.options.append(found.get("value") or "")
            if "selected" in found:
                self._select.values = [found.get("value") or ""]
        if tag in {"input", "select", "textarea"} and found.get("name") and found.get("type") not in SILENT:
            self._control(tag, found)

    def _control(self, tag: str, found: dict[str, str | None]) -> None:
        control = Control(tag, found.get("name") or "", found, labelled=self._open_label > 0)
        self._controls.append(control)
        self.forms[-1].controls.append(control)
        if tag == "select":
            self._select = control
        elif tag == "textarea":
            self._area, self._area_text = control, ""
        elif control.kind in {"checkbox", "radio"}:
            control.values = [found.get("value") or "on"] if "checked" in found else []
        else:
            control.values = [found.get("value") or ""]

    def handle_endtag(self, tag: str) -> None:
        """Take the end of a tag in."""
        if tag == "label":
            self._open_label -= 1
        if tag in {"script", "style"}:
            self._silent -= 1
        if tag == "select" and self._select is not None:
            # Without a choice marked, a browser shows the first one.
            self._select.values = self._select.values or self._select.options[:1]
            self._select = None
        if tag == "textarea" and self._area is not None:
            # The first line end belongs to the page, and a browser sends its own kind.
            self._area.values = [self._area_text.removeprefix("\n").replace("\n", "\r\n")]
            self._area = None

    def handle_data(self, data: str) -> None:
        """Take text in."""
        if self._area is not None:
            self._area_text += data
        elif not self._silent:
            self.text += data

    @property
    def controls(self) -> list[Control]:
        """Everything that is filled in."""
        return self._controls

    def form(self, action: str) -> Form:
        """The form that leads to an address."""
        return next(form for form in self.forms if form.action == action)

    def addresses(self) -> list[str]:
        """Everything a page points at."""
        names = ("href", "src", "action", "formaction", "data", "poster", "srcset")
        return [str(found[name]) for _, found in self.tags for name in names if found.get(name)]
