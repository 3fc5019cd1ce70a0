"""YAML documents that know on which line each of their values stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from lute.errors import ConfigError

Key = str | int
Place = tuple[Key, ...]
"""Where a value stands in its document: the keys and list positions that lead to it."""

MAX_VALUES = 100_000
"""A document with more values is refused: nested aliases can stand for billions."""


@dataclass(frozen=True)
class YamlDocument:
    """One document of a YAML file.

    Attributes:
        file: the file it stands in.
        value: its content as plain Python values; None for an empty document.
        lines: line number, counted from 1, of every value; the root has the empty place.
    """

    file: Path
    value: object
    lines: dict[Place, int]

    def error(self, what: str, place: Place = (), *, next_step: str = "") -> ConfigError:
        """Return a ConfigError that points at `place`, or at the nearest value that encloses it."""
        while place and place not in self.lines:
            place = place[:-1]
        return ConfigError(what, file=self.file, line=self.lines.get(place), next_step=next_step)


def read_documents(file: Path) -> list[YamlDocument]:
    """Read all documents of a YAML file; an empty file has none.

    Raises:
        ConfigError: the file cannot be read, is not UTF-8 or not YAML, or uses a key twice.
    """
    text = _read_text(file)
    loader = yaml.SafeLoader("")
    try:
        return [_document(file, node, loader) for node in yaml.compose_all(text, yaml.SafeLoader)]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(
            f"a character that YAML does not allow: {error.character!r}", file=file, line=line
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"not valid YAML: {error.problem or error.context}"
        raise ConfigError(what, file=file, line=mark.line + 1 if mark else None) from error
    except RecursionError as error:
        raise ConfigError("the YAML is nested too deeply", file=file) from error


def _read_text(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", file=file, next_step="check the path"
        ) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"byte 0x{raw[error.start]:02x} is not UTF-8",
            file=file,
            line=line,
            next_step="save the file as UTF-8",
        ) from error


def _document(file: Path, root: yaml.Node, loader: yaml.SafeLoader) -> YamlDocument:
    document = YamlDocument(file, None, {})
    value = _Reader(document, loader).value(root, (), frozenset())
    return YamlDocument(file, value, document.lines)


class _Reader:
    """Turns nodes into values and notes the line of each."""

    def __init__(self, document: YamlDocument, loader: yaml.SafeLoader) -> None:
        self._document = document
        self._loader = loader

    def value(self, node: yaml.Node, place: Place, parents: frozenset[int]) -> object:
        lines = self._document.lines
        lines.setdefault(place, node.start_mark.line + 1)
        if len(lines) > MAX_VALUES:
            raise self._document.error(f"more than {MAX_VALUES} values, aliases counted each time")
        if id(node) in parents:
            raise self._document.error("an alias that refers to itself", place)
        inside = parents | {id(node)}
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return {key: self.value(child, (*place, key), inside) for key, child in self._items(node, place)}
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [
                self.value(child, (*place, position), inside) for position, child in enumerate(node.value)
            ]
        return self._constructed(node)

    def _items(self, node: yaml.MappingNode, place: Place) -> Iterator[tuple[Key, yaml.Node]]:
        seen: dict[Key, int] = {}
        merged: list[tuple[Key, yaml.Node]] = []
        for key_node, child in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == "tag:yaml.org,2002:merge":
                merged += self._merged(child, place)
                continue
            key = self._constructed(key_node)
            if not isinstance(key, str | int):
                raise self._error(f"the key {key!r} is not a name: put it in quotes", line)
            if key in seen:
                raise self._error(f"the key {key!r} is used twice, first on line {seen[key]}", line)
            seen[key] = line
            self._document.lines[(*place, key)] = line
            yield key, child
        for key, child in merged:
            if key not in seen:
                seen[key] = child.start_mark.line + 1
                yield key, child

    def _merged(self, node: yaml.Node, place: Place) -> list[tuple[Key, yaml.Node]]:
        """Return the items that `<<: *name` brings in; of several mappings the first wins."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        items: list[tuple[Key, yaml.Node]] = []
        for mapping in nodes:
            if not isinstance(mapping, yaml.MappingNode):
                raise self._error("'<<' needs a mapping", node.start_mark.line + 1)
            items += list(self._items(mapping, place))
        return items

    def _constructed(self, node: yaml.Node) -> object:
        try:
            return self._loader.construct_object(node, deep=True)
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            # Such as the 32nd of December, which looks like a date, or `!!int ""`.
            raise self._error(f"not a valid value: {node.value!r}", node.start_mark.line + 1) from error

    def _error(self, what: str, line: int) -> ConfigError:
        return ConfigError(what, file=self._document.file, line=line)
