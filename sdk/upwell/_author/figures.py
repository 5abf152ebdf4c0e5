"""Figures and tables in reports: what other packages draw, as HTML. None of these packages is imported here."""

from __future__ import annotations

import base64
import html
import io
from typing import Any, Protocol, runtime_checkable

PNG_DPI = 144
"""Dots per inch of pictures: twice those of the page, for screens that have them."""
CSS_DPI = 96


@runtime_checkable
class HasHtml(Protocol):
    """What notebooks show as HTML: data frames of pandas and polars, and much else."""

    def _repr_html_(self) -> str | None: ...


def to_html(content: object) -> str:
    """Return HTML for what a report was given.

    Args:
        content: HTML as a text; a figure of matplotlib (or `pyplot` itself, for the current one) or plotly; or
            what has a `_repr_html_`, as data frames have.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(content, str):
        return content
    if hasattr(content, "gcf"):
        return _picture(content.gcf())
    if hasattr(content, "savefig"):
        return _picture(content)
    if is_plotly(content):
        return str(content.to_html(full_html=False, include_plotlyjs=False))  # type: ignore[attr-defined]  # plotly's
    if isinstance(content, HasHtml) and (shown := content._repr_html_()) is not None:
        return shown
    raise TypeError(
        f"a report takes HTML, figures of matplotlib and plotly, and what has a _repr_html_, "
        f"not {type(content).__name__}"
    )


def is_plotly(content: object) -> bool:
    """Whether this is a figure that plotly's script draws."""
    return any(base.__module__.startswith("plotly.") for base in type(content).__mro__)


def plotly_script() -> str:
    """Return the element with plotly's script, 4 MB, so that a report needs nothing from elsewhere."""
    from plotly.offline import get_plotlyjs  # type: ignore[import-not-found,import-untyped,unused-ignore]  # the user's

    return f"<script>{get_plotlyjs()}</script>"


def _picture(figure: Any) -> str:
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=PNG_DPI)
    title = getattr(figure, "get_suptitle", str)() or "figure"
    width = round(figure.get_figwidth() * CSS_DPI)
    data = base64.b64encode(target.getvalue()).decode()
    style = f"width:{width}px;max-width:100%"
    return f'<img alt="{html.escape(title)}" style="{style}" src="data:image/png;base64,{data}">'
