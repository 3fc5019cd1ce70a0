"""One execution of one step: what its conf says, put together. Knows nothing of Airflow's operators."""

import logging
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from lute.jid.client import JidClient
from lute.jid.documents import JobRecord, RunConf, control_document
from lute.jid.submission import Submission
from lute.operators.lifecycle import Lifecycle
from lute.operators.tokens import RunToken
from lute.seams import current_runtime
from lute.settings import environment, load_settings


class Step:
    """What an execution needs of the world, made once.

    Args:
        conf: of the DAG run.
        find_jid: returns the JID's base URL for the settings of the site.
        task: the managed Task.
        slurm_arguments: sbatch arguments, one token each.
        run_as_user: see `control_document`.
        stopped: see `Lifecycle`.

    Attributes:
        document: the control document of this try.
        authorization: as in the conf.
        base_url: the JID's.
    """

    def __init__(
        self,
        conf: RunConf,
        submission: Submission,
        *,
        find_jid: Callable[[Any], str],
        task: str,
        slurm_arguments: Sequence[str],
        run_as_user: str,
        log: logging.Logger,
        stopped: Callable[[], bool],
    ) -> None:
        self.runtime = current_runtime()
        self.settings = load_settings(environment())
        self.base_url = find_jid(self.settings)  # once: in a signal handler Airflow cannot be asked
        self.authorization = conf.authorization
        self._token = RunToken(conf.authorization)
        words = ["-c", conf.lute_params.config_file, "-t", task]
        if conf.lute_params.debug:
            words.append("--debug")
        words += [*submission.words(), *slurm_arguments]
        self.document = control_document(
            conf,
            task=task,
            executable=conf.submit_script,
            parameters=shlex.join(words),
            run_as_user=run_as_user,
            identity=self.runtime.identity,
        )
        self.lifecycle = Lifecycle(
            self._client(self._token, self.settings.timeouts.outage_s),
            self._client(self._token, 0.0),
            clock=self.runtime.clock,
            settings=self.settings,
            log=log,
            stopped=stopped,
        )

    def kill(self, record: JobRecord | None, patience_s: float) -> None:
        """Have the job cancelled, or, while none is known, whatever its submission leads to.

        Fit for a signal handler: with a session of its own, since the one in flight was interrupted, and
        without asking Airflow.

        Raises:
            LuteError: the job may still run.
        """
        client = self._client(lambda: self._token.last, patience_s)
        if record is None:
            client.cancel_submission(self.document)
        else:
            client.kill_job(record)

    def _client(self, token: Callable[[], str], patience_s: float) -> JidClient:
        return JidClient(
            self.base_url,
            token,
            runtime=self.runtime,
            timeouts=self.settings.timeouts,
            patience_s=patience_s,
            is_renewed=self._token.is_renewed,
        )
