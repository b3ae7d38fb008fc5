"""The pod that a supervisor runs in, as the downward API tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from ..domain.attempt import Whereabouts
from ..domain.job_names import slot_of_name
from .environment import Environment


class Pod(msgspec.Struct, frozen=True, kw_only=True):
    """Who this supervisor is: the pod is the attempt, and its Job the run unless somebody asked for one."""

    uid: UUID
    name: str | None
    namespace: str | None
    node: str | None
    job_uid: UUID | None
    job_name: str | None

    @property
    def slot(self) -> datetime | None:
        """The slot that the Job's name tells, where its schedule has made it."""
        return None if self.job_name is None else slot_of_name(self.job_name, datetime.now(UTC))

    def here(self, machine: Whereabouts) -> Whereabouts:
        """The machine's, with the pod's."""
        return msgspec.structs.replace(
            machine,
            host=self.name or machine.host,
            namespace=self.namespace,
            pod=self.name,
            node=self.node,
            job=self.job_uid,
        )


def load_pod(env: Environment) -> Pod | None:
    """The pod of the settings; None: this process is in none, or nobody has told it."""
    uid = env.uuid("POD_UID")
    if uid is None or env.text("ATTEMPT_ID"):  # what a payload starts is a part of it, and no attempt of its pod
        return None
    return Pod(
        uid=uid,
        name=env.text("POD_NAME"),
        namespace=env.text("POD_NAMESPACE"),
        node=env.text("NODE"),
        job_uid=env.uuid("JOB_UID"),
        job_name=env.text("JOB_NAME"),
    )
