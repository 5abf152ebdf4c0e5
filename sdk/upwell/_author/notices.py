"""Whom to tell of a run's end. Rules are accepted where programs give them; nothing is sent yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

Phases = str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Notification:
    """A rule.

    Attributes:
        on_phase: The phase, or phases, of a run that somebody is told of.
    """

    on_phase: Phases


@dataclass(frozen=True, slots=True)
class Email(Notification):
    """Tells by mail."""

    _: KW_ONLY
    recipients: Sequence[str] = ()
    subject: str = ""
    body: str = ""
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    html_body: str | None = None


@dataclass(frozen=True, slots=True)
class Slack(Notification):
    """Tells a Slack channel."""

    _: KW_ONLY
    webhook_url: str = ""
    message: str | None = None
    blocks: object = None


@dataclass(frozen=True, slots=True)
class Teams(Notification):
    """Tells a Teams channel."""

    _: KW_ONLY
    webhook_url: str = ""
    title: str | None = None
    message: str | None = None
    card: object = None


@dataclass(frozen=True, slots=True)
class Webhook(Notification):
    """Calls an address."""

    _: KW_ONLY
    url: str = ""
    method: str = "POST"
    headers: Mapping[str, str] | None = None
    body: object = None


@dataclass(frozen=True, slots=True, init=False)
class NamedDelivery(Notification):
    """A rule that is configured elsewhere, by name."""

    name: str

    def __init__(self, on_phase: Phases, name: str) -> None:
        object.__setattr__(self, "on_phase", on_phase)
        object.__setattr__(self, "name", name)
