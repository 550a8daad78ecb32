# SPDX-License-Identifier: GPL-2.0-only
"""With which exit status does a run end, and what is told about it?"""

from .error import GUEST_FAILED, OUT_OF_TIME
from .session import FAREWELL, Session


def judge(session: Session) -> tuple[int, str]:
    """The exit status of vm/run; and what went wrong with the guest, or nothing.

    What the kernel reports outweighs whatever the command said.
    """
    status, cause = _cause(session)
    if cause is None:
        return status, ""
    said = "" if session.status is None else f" The command had ended with status {session.status}."
    return status, f"vm/run: {cause}. The console:\n{session.console.excerpt()}\nvm/run: {cause}.{said}"


def _cause(session: Session) -> tuple[int, str | None]:
    if session.console.report is not None:
        return GUEST_FAILED, "the guest's kernel reported a fault"
    if session.timed_out and not session.booted:
        return OUT_OF_TIME, f"the guest did not come up within {session.limits.boot:g} s"
    if session.timed_out:
        return OUT_OF_TIME, f"the command did not end within {session.limits.command:g} s"
    if session.status is None:
        return GUEST_FAILED, "the guest died"
    if not session.console.says(FAREWELL):
        return GUEST_FAILED, "the guest's console fell silent"
    return session.status, None
