from lute.errors import ConfigError, PermanentError, did_you_mean


def test_a_message_says_where_what_and_what_next() -> None:
    error = ConfigError("bad", file="/a b/c.yaml", line=3, next_step="mend it")
    assert str(error) == "/a b/c.yaml:3: bad\n  next: mend it"


def test_a_remote_error_names_the_endpoint() -> None:
    assert str(PermanentError("no", endpoint="http://x/y", http_status=404)) == "no [http://x/y]"


def test_the_closest_names_come_first_all_of_them_if_none_is_close() -> None:
    assert did_you_mean("Testr", ["Tester", "Other"]) == "did you mean Tester?"
    assert did_you_mean("zzz", ["b", "a"]) == "valid: a, b"
    assert did_you_mean("zzz", []) == "there is none"
