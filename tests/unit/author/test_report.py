"""Reports take what people draw with, and are pages that need nothing from elsewhere."""

from __future__ import annotations

import re

import pandas
import plotly.graph_objects
import pytest
from matplotlib.figure import Figure

from upwell._author.report import Report


def drawn() -> Figure:
    figure = Figure(figsize=(4, 3))
    figure.subplots().plot([1, 3, 2])
    return figure


def test_a_figure_of_matplotlib_is_a_picture_in_the_page() -> None:
    report = Report("train")
    report.get_tab().log(drawn())
    page = report.get_final_report()
    assert re.search(
        r'<img alt="figure" style="width:384px;max-width:100%" src="data:image/png;base64,iVBOR', page
    )


def test_the_current_figure_of_pyplot_is_taken_where_pyplot_itself_is_given() -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    pyplot.figure(figsize=(2, 1)).suptitle("loss & more")
    report = Report("train")
    report.get_tab().replace(pyplot)
    assert '<img alt="loss &amp; more" style="width:192px;' in report.get_final_report()
    pyplot.close()


def test_figures_of_plotly_share_one_script_which_is_in_the_page() -> None:
    report = Report("train")
    for y in ([1, 2], [2, 1]):
        report.get_tab("curves").log(plotly.graph_objects.Figure(plotly.graph_objects.Scatter(y=y)))
    page = report.get_final_report()
    assert page.count("Plotly.newPlot(") >= 2
    assert len(re.findall(r"<script>/\*\*?\s*\n?\* plotly\.js", page)) == 1
    assert "<script src=" not in page
    report.get_tab("curves").replace("<p>none</p>")
    assert len(report.get_final_report()) < 5_000


def test_data_frames_are_tables() -> None:
    report = Report("train")
    report.get_tab().log(pandas.DataFrame({"loss": [0.5]}))
    assert "<th>loss</th>" in report.get_final_report()


def test_what_has_no_html_is_refused() -> None:
    with pytest.raises(TypeError, match="not int"):
        Report("train").get_tab().log(3)


def test_tabs_are_chosen_without_a_script() -> None:
    report = Report("train")
    report.get_tab().log("<p>first</p>")
    report.get_tab("a < b").log("<p>second</p>")
    page = report.get_final_report()
    assert '<label for="t1">a &lt; b</label>' in page
    assert "#t1:checked~#s1{visibility:visible" in page
    assert "<script" not in page


def test_a_single_tab_is_the_page() -> None:
    report = Report("train")
    report.get_tab().log("<p>first</p>")
    page = report.get_final_report()
    assert ("<label" in page, "#s0{visibility:visible" in page) == (False, True)
