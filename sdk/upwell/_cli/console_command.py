"""`upwell console`: the console in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from upwell._cli.get_commands import AsJson
from upwell._cli.session import Session, shared_options


@shared_options
def console(
    session: Session,
    port: Annotated[
        int | None,
        typer.Option("--port", min=1, max=65535, help="Port on 127.0.0.1; else 8640, or any that is free."),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """See runs and steer them in a browser, until Ctrl-C. Only this machine can reach it."""
    import webbrowser

    from upwell._cli.terminal import note, print_json
    from upwell.errors import UsageError

    try:
        from upwell._console.server import serve
    except ModuleNotFoundError as e:
        raise UsageError(f"the console needs {e.name}; pip install 'upwell[console]'") from e
    config = session.configure()

    def ready(url: str) -> None:
        if as_json:
            print_json({"url": url, "backend": config.mode})
        else:
            print(url, flush=True)
            note(f"the console of backend {config.mode}; Ctrl-C ends it")
        if not no_open:
            webbrowser.open(url)

    serve(config, port=port, ready=ready)
