from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import pytest

from upwell._author.logs import configure_logging, logger, system_logger


@pytest.fixture(autouse=True)
def _default_levels() -> Iterator[None]:
    yield
    configure_logging(log_level="warning", user_log_level="info")


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Callable[[Callable[[], object]], str]:
    """What is shown on the standard error while something runs; pytest's own handlers are put aside."""

    def run(work: Callable[[], object]) -> str:
        root = logging.getLogger()
        before, root.handlers = root.handlers, []
        try:
            work()
        finally:
            root.handlers = before
        return capsys.readouterr().err

    return run


Shown = Callable[[Callable[[], object]], str]


def test_the_users_messages_show_from_info_on(shown: Shown) -> None:
    assert "INFO upwell.user: start x" in shown(lambda: logger.info("start %s", "x"))
    assert shown(lambda: logger.debug("details")) == ""


def test_upwells_own_show_from_warning_on(shown: Shown) -> None:
    assert shown(lambda: system_logger.info("routine")) == ""
    assert "trouble" in shown(lambda: logging.getLogger("upwell.executor").warning("trouble"))


def test_levels_can_be_set_apart(shown: Shown) -> None:
    configure_logging(log_level="error", user_log_level=logging.DEBUG)
    assert "details" in shown(lambda: logger.debug("details"))
    assert shown(lambda: system_logger.warning("trouble")) == ""


def test_messages_can_be_json(shown: Shown) -> None:
    configure_logging(log_format="json")
    line = json.loads(shown(lambda: logger.error("failed", exc_info=OSError("gone"))))
    assert (line["level"], line["message"], line["logger"]) == ("ERROR", "failed", "upwell.user")
    assert "OSError: gone" in line["exception"]


def test_a_program_with_handlers_of_its_own_gets_each_message_once(shown: Shown) -> None:
    def work() -> None:
        logging.getLogger().addHandler(logging.StreamHandler())
        logger.info("once")

    assert shown(work).count("once") == 1


def test_unknown_formats_and_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="'xml'"):
        configure_logging(log_format="xml")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ValueError, match="LOUD"):
        configure_logging(log_level="loud")
