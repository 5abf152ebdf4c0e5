"""`upwell get config`: where runs go from here."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from upwell._cli.get_commands import AsJson
from upwell._cli.session import Session, shared_options


@shared_options
def config(session: Session, as_json: AsJson = False) -> None:
    """Show where runs go from here, as options, the environment and upwell.toml say; none of it is secret."""
    from upwell._cli.tables import print_fields
    from upwell._cli.terminal import print_json

    found = session.configure()
    values = {field.name: getattr(found, field.name) for field in fields(found)}
    shown = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
    if as_json:
        print_json(shown)
    else:
        print_fields({name: str(value) for name, value in shown.items() if value not in (None, "", False)})
