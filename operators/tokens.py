"""The token of a run, as its conf gives it: the token itself, or the Airflow Variable that holds it."""

from lute.errors import ConfigError
from lute.operators._compat import mask_secret, variable

_REFERENCE = "variable:"


class RunToken:
    """Returns the token when it is called; of a Variable, what it holds now.

    Args:
        authorization: `Bearer <token>`, the bare token, or `variable:<name of an Airflow Variable>`.

    Attributes:
        is_renewed: the launcher puts a new token into the Variable before the old one expires.
        last: the token that was returned last; where Airflow cannot be asked, as in a signal handler.
    """

    def __init__(self, authorization: str) -> None:
        self.is_renewed = authorization.startswith(_REFERENCE)
        self._name = authorization.removeprefix(_REFERENCE)
        self.last = "" if self.is_renewed else authorization
        _mask(self.last)

    def __call__(self) -> str:
        """Return the token.

        Raises:
            ConfigError: there is no such Variable (any more).
        """
        if self.is_renewed:
            found = variable(self._name)
            if found is None:
                raise ConfigError(
                    f"there is no Airflow Variable {self._name}, which shall hold the run's token",
                    next_step="its launcher removes it at its end: launch again",
                )
            if found != self.last:
                self.last = found
                _mask(found)
        return self.last


def _mask(token: str) -> None:
    # Once, and without the word before it: Airflow tries each mask on each line while the process lives.
    if bare := token.removeprefix("Bearer ").strip():
        mask_secret(bare)
