import pytest
from hypothesis import given
from hypothesis import strategies as st

from lute.errors import ConfigError
from lute.io.substitution import HEADER, Fixed, Substitution

HEADER_FIELDS = {"experiment": Fixed("mfxl1"), "run": Fixed(12), "work_dir": Fixed("/w")}


def substitute(values, env=None, other=None):
    sections = {HEADER: HEADER_FIELDS, "Mine": values, "Other": other or {}}

    def error(what, place):
        return ConfigError(f"{'.'.join(map(str, place))}: {what}")

    return Substitution(sections, env or {}, error).section("Mine")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{{ run }}", 12),
        ("{{run}}", 12),
        ("{{ run }} ", "12 "),
        ("{{ run:04d }}", "0012"),
        ("r{{ run:04d }}_{{ experiment }}.h5", "r0012_mfxl1.h5"),
        ("{{ $HOME }}/x", "/home/me/x"),
        ("{{ $RUN:04d }}", "0007"),
        ("{{ $BRACES }}", "{{ run }}"),
        ("{{ number }}", 1.5),
        ("{{ nothing }}", None),
        ("{{ Other.list }}", [1, 12]),
        ("{{ nested.deep }}", "mfxl1"),
        ("}} { {", "}} { {"),
        ("{{ run }}{{ run }}", "1212"),
    ],
)
def test_values(text: str, expected: object) -> None:
    env = {"HOME": "/home/me", "RUN": "7", "BRACES": "{{ run }}"}
    values = {"text": text, "number": 1.5, "nothing": None, "nested": {"deep": "{{ experiment }}"}}
    assert substitute(values, env, {"list": [1, "{{ run }}"]})["text"] == expected


def test_inside_lists_and_mappings() -> None:
    values = {"a": {"b": ["x{{ run }}", {"c": "{{ experiment }}"}]}, "n": 1, "t": True}
    assert substitute(values) == {"a": {"b": ["x12", {"c": "mfxl1"}]}, "n": 1, "t": True}


def test_header_fields_come_before_parameters() -> None:
    assert substitute({"run": "{{ run }}"}) == {"run": 12}


def test_order_does_not_matter() -> None:
    assert substitute({"a": "{{ b }}!", "b": "{{ c }}?", "c": "x"}) == {"a": "x?!", "b": "x?", "c": "x"}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"a": "{{ rum }}"}, "Mine.a: unknown name 'rum': did you mean run?"),
        ({"a": "{{ $NOPE }}"}, r"environment variable \$NOPE is not set"),
        ({"a": "{{ $EXPERIMENTS }}"}, r"did you mean \$EXPERIMENT\?"),
        ({"a": "{{ run:q }}"}, "bad format in"),
        ({"a": "{{ experiment:04d }}"}, "bad format in"),
        ({"a": "{{ run:9999999999d }}"}, "wider than 999"),
        ({"a": "{{ run"}, "'{{' without '}}'"),
        ({"a": "{{ {{ run }} }}"}, "'{{' without '}}'"),
        ({"a": "{{ }}"}, "is not understood"),
        ({"a": "{{ a b }}"}, "is not understood"),
        ({"a": "{{ a }}"}, "circle: Mine.a -> Mine.a"),
        ({"a": "{{ b }}", "b": "x{{ c }}", "c": "{{ a }}"}, "Mine.a -> Mine.b -> Mine.c -> Mine.a"),
        ({"a": "x{{ b }}", "b": None}, "is no value"),
        ({"a": "x{{ b }}", "b": [1]}, "is a list"),
        ({"a": "{{ Other.y }}"}, "unknown name 'Other.y': did you mean Other.x"),
        ({"a": "{{ Othe.x }}"}, "did you mean Other.x"),
        ({"a": "{{ b.d }}", "b": {"c": 1}}, "no 'd' there"),
    ],
)
def test_refusals(values, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        substitute(values, {"EXPERIMENT": "x"}, {"x": 1})


def test_an_environment_value_is_not_shown_nor_are_all_names() -> None:
    with pytest.raises(ConfigError) as caught:
        substitute({"a": "{{ $ZZZ }}"}, {"TOKEN": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert "TOKEN" not in str(caught.value)


@given(st.text(max_size=30))
def test_any_text_without_braces_stays(text: str) -> None:
    if "{{" not in text:
        assert substitute({"a": text}) == {"a": text}


@given(st.text(alphabet="{}$ .:arun0d", max_size=20))
def test_any_text_is_substituted_or_refused(text: str) -> None:
    try:
        substitute({"a": text})
    except ConfigError as error:
        assert str(error).startswith("Mine.a")


@given(st.integers(0, 10**9), st.integers(0, 12))
def test_formats_are_pythons(run: int, width: int) -> None:
    spec = f"0{width}d" if width else "d"
    assert substitute({"a": f"{{{{ n:{spec} }}}}", "n": run})["a"] == format(run, spec)


@given(st.dictionaries(st.sampled_from("abcde"), st.sampled_from("abcde"), min_size=1))
def test_references_end_or_are_a_circle(links: dict[str, str]) -> None:
    values = {**dict.fromkeys("abcde", "end"), **{name: f"{{{{ {to} }}}}" for name, to in links.items()}}

    def ends(name: str) -> bool:
        for _ in range(6):
            if name not in links:
                return True
            name = links[name]
        return False

    if all(map(ends, "abcde")):
        assert set(substitute(values).values()) == {"end"}
    else:
        with pytest.raises(ConfigError, match="circle"):
            substitute(values)
