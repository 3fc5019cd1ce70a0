"""`{{ name }}` in the strings of a configuration.

Between the braces stands the name of a header field or of a parameter of the same Task,
`Task.parameter`, or `$VARIABLE` of the environment; after a colon may follow a format as for
Python's `format`: `{{ run:04d }}`. A string that is nothing but one `{{ name }}` keeps the type of
what it names. Values from the environment are never substituted again.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lute.errors import ConfigError, did_you_mean
from lute.io.yaml_lines import Place

HEADER = ""
"""The section of the header fields, which every other section may use by their bare names."""

_BRACES = re.compile(r"\{\{((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)
_CONTENT = re.compile(r"\s*(?P<env>\$)?(?P<name>[^\W\d][\w.-]*?)\s*(?::(?P<spec>.*?))?\s*", re.DOTALL)
_TOO_WIDE = re.compile(r"\d{4,}")


@dataclass(frozen=True)
class Fixed:
    """A value that is taken as it is: braces in it mean nothing."""

    value: object


class Substitution:
    """Fills in the braces of whole sections.

    Args:
        sections: by section name, the parameters by name: values as written, or Fixed ones.
        env: the environment that `$NAME` refers to.
        error: makes the error for a place; its first key is the section's name.
    """

    def __init__(
        self,
        sections: Mapping[str, Mapping[str, object]],
        env: Mapping[str, str],
        error: Callable[[str, Place], ConfigError],
    ) -> None:
        self._sections = sections
        self._env = env
        self._error = error
        self._done: dict[tuple[str, str], object] = {}
        self._under_way: list[tuple[str, str]] = []

    def section(self, name: str) -> dict[str, object]:
        """Return the parameters of a section with all braces filled in.

        Raises:
            ConfigError: an unknown name, an unset variable, a bad format, a circle of references.
        """
        return {key: self._parameter(name, key) for key in self._sections[name]}

    def _parameter(self, section: str, name: str) -> object:
        key = (section, name)
        if key in self._done:
            return self._done[key]
        if key in self._under_way:
            circle = [*self._under_way[self._under_way.index(key) :], key]
            chain = " -> ".join(f"{part}.{name}" if part else name for part, name in circle)
            raise self._error(f"these refer to each other in a circle: {chain}", key)
        self._under_way.append(key)
        self._done[key] = self._filled(self._sections[section][name], key)
        self._under_way.pop()
        return self._done[key]

    def _filled(self, value: object, place: Place) -> object:
        match value:
            case Fixed():
                return value.value
            case str():
                return self._filled_text(value, place)
            case dict():
                return {key: self._filled(child, (*place, key)) for key, child in value.items()}
            case list():
                return [self._filled(child, (*place, position)) for position, child in enumerate(value)]
            case _:
                return value

    def _filled_text(self, text: str, place: Place) -> object:
        if whole := _BRACES.fullmatch(text):
            return self._reference(whole[1], place)
        parts: list[str] = []
        end = 0
        for found in _BRACES.finditer(text):
            parts += [self._plain(text[end : found.start()], place), self._as_text(found[1], place)]
            end = found.end()
        return "".join([*parts, self._plain(text[end:], place)])

    def _plain(self, text: str, place: Place) -> str:
        if "{{" in text:
            raise self._error("'{{' without '}}'", place)
        return text

    def _as_text(self, content: str, place: Place) -> str:
        value = self._reference(content, place)
        if value is None or isinstance(value, dict | list):
            kind = "no value" if value is None else f"a {'mapping' if isinstance(value, dict) else 'list'}"
            raise self._error(f"'{{{{{content}}}}}' is {kind} and cannot stand inside a longer text", place)
        return str(value)

    def _reference(self, content: str, place: Place) -> object:
        parsed = _CONTENT.fullmatch(content)
        if parsed is None:
            raise self._error(
                f"'{{{{{content}}}}}' is not understood: write {{{{ name }}}}, {{{{ $VARIABLE }}}}, "
                "{{ Task.parameter }} or {{ name:format }}",
                place,
            )
        name, spec = parsed["name"], parsed["spec"]
        value = self._variable(name, place) if parsed["env"] else self._named(name, place)
        return value if spec is None else self._formatted(value, spec, content, place)

    def _variable(self, name: str, place: Place) -> str:
        if name not in self._env:
            close = difflib.get_close_matches(name, self._env, n=1, cutoff=0.75)
            hint = f" (did you mean ${close[0]}?)" if close else ""
            raise self._error(f"the environment variable ${name} is not set{hint}", place)
        return self._env[name]

    def _named(self, dotted: str, place: Place) -> object:
        section = str(place[0])
        first, *rest = dotted.split(".")
        valid: list[str]
        if first in self._sections[HEADER]:
            value = self._parameter(HEADER, first)
        elif first in self._sections[section]:
            value = self._parameter(section, first)
        elif first in self._sections and rest:
            parameter = rest.pop(0)
            if parameter not in self._sections[first]:
                valid = [f"{first}.{name}" for name in self._sections[first]]
                raise self._error(f"unknown name '{dotted}': {did_you_mean(dotted, valid)}", place)
            value = self._parameter(first, parameter)
        else:
            valid = [*self._sections[HEADER], *self._sections[section]]
            if rest:
                valid += [
                    f"{task}.{name}" for task, names in self._sections.items() if task for name in names
                ]
            raise self._error(f"unknown name '{dotted}': {did_you_mean(dotted, valid)}", place)
        for key in rest:
            if not isinstance(value, dict) or key not in value:
                valid = list(value) if isinstance(value, dict) else []
                raise self._error(
                    f"unknown name '{dotted}': no '{key}' there, {did_you_mean(key, valid)}", place
                )
            value = value[key]
        return value

    def _formatted(self, value: object, spec: str, content: str, place: Place) -> str:
        """Format a value; a text of digits, as all variables are, may be formatted as a number."""
        if _TOO_WIDE.search(spec):
            raise self._error(f"the format of '{{{{{content}}}}}' is wider than 999", place)
        candidates = [value]
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value):
            candidates.append(int(value))
        for candidate in candidates:
            try:
                return format(candidate, spec)
            except (ValueError, TypeError) as error:
                problem = error
        raise self._error(f"bad format in '{{{{{content}}}}}': {problem}", place) from problem
