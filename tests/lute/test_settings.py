from pathlib import Path

import pytest

from lute.errors import ConfigError
from lute.settings import SITES_DIR, load_settings

GOOD = """location = "HERE"

[airflow]
url = "http://127.0.0.1:1"
user = "admin"
password_file = "/p"

[jid]
url = "http://127.0.0.1:2/jid/ws"

[elog]
kerberos_url = "http://127.0.0.1:3/ws-kerb"
jwt_url = "http://127.0.0.1:3/ws-jwt"
"""


@pytest.mark.parametrize("name", [path.stem for path in SITES_DIR.glob("*.toml")])
def test_every_site_of_the_project_loads(name: str) -> None:
    assert load_settings({"LUTE_SITE": name}).name == name


def test_without_lute_site_it_is_s3df() -> None:
    assert load_settings({}).jid.url == "https://psdm.slac.stanford.edu/arps3dfjid/jid/ws"


def test_the_test_instance_is_the_site_with_test_in_its_name() -> None:
    assert load_settings({}, test_instance=True).name == "s3df-test"


def test_a_site_by_path(tmp_path: Path) -> None:
    path = tmp_path / "my place.toml"
    path.write_text(GOOD)
    found = load_settings({"LUTE_SITE": str(path)})
    assert (found.name, found.location, found.airflow.user) == ("my place", "HERE", "admin")


def test_an_unknown_site_names_the_closest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sd3f\.toml: there is no site 'sd3f': did you mean s3df"):
        load_settings({"LUTE_SITE": "sd3f"})


def test_a_site_without_a_test_instance(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(GOOD)
    with pytest.raises(ConfigError, match="leave --test out"):
        load_settings({"LUTE_SITE": str(tmp_path / "site.toml")}, test_instance=True)


def test_a_site_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings({"LUTE_SITE": str(tmp_path / "site.toml")})


def test_a_missing_site_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"{tmp_path}/gone\.toml: there is no such site file"):
        load_settings({"LUTE_SITE": str(tmp_path / "gone.toml")})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('user = "admin"', 'usr = "admin"', r":5: unknown key 'airflow.usr': did you mean user"),
        ('user = "admin"\n', "", r":3: the key 'airflow.user' is missing"),
        ('location = "HERE"', 'place = "HERE"', r":1: unknown key 'place'"),
        ('location = "HERE"', "location = 7", r":1: 'location': Input should be a valid string"),
        ("[jid]", "[jjd]", r"unknown key 'jjd': did you mean jid|the key 'jid' is missing"),
        ('user = "admin"', "user = admin", r":5: not valid TOML"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError, match=message) as caught:
        load_settings({"LUTE_SITE": str(path)})
    assert str(caught.value).startswith(str(path))
    assert caught.value.exit_code == 2
