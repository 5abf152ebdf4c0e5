"""The public surface beside tasks: names that programs written elsewhere use, and what each does here."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import upwell
import upwell.app.extras
import upwell.config
import upwell.durable
import upwell.git
import upwell.models
import upwell.notify
import upwell.remote
import upwell.report
import upwell.storage
import upwell.syncify
from upwell import errors
from upwell.errors import (
    RemoteTaskNotFoundError,
    SyncTaskCallInAsyncContextError,
    UnsupportedError,
)

env = upwell.TaskEnvironment("surface")


@env.task
def add(x: int, y: float = 2.5, who: list[str] | None = None) -> float:
    return x + y


NAMES = {
    "upwell.errors": (
        "ActionAbortedError BaseRuntimeError ConditionAlreadyExistsError ConditionFailedError "
        "ConditionNotFoundError ConditionTimedoutError CustomError DeadlineExceededError "
        "InlineIOMaxBytesBreached MaxQueuedTimeExceededError MaxRuntimeExceededError NonRecoverableError "
        "OOMError RemoteTaskNotFoundError RemoteTaskUsageError RetriesExhaustedError "
        "RuntimeDataValidationError RuntimeSystemError RuntimeUnknownError RuntimeUserError "
        "SyncTaskCallInAsyncContextError TaskInterruptedError TaskTimeoutError "
        "TraceDoesNotAllowNestedTasksError"
    ),
    "upwell.io": "Dir Directory File HashFunction",
    "upwell.report": "current_report flush get_tab log replace",
    "upwell.durable": "now sleep time",
    "upwell.models": "ActionID ActionPhase TaskContext",
    "upwell.notify": "Email Slack Teams Webhook",
    "upwell.storage": "ABFS GCS S3 exists get join open put",
    "upwell.remote": "Action ActionDetails ActionInputs ActionOutputs Run RunDetails Task",
    "upwell.git": "config_from_root",
    "upwell.syncify": "syncify",
    "upwell.config": "Config",
}


@pytest.mark.parametrize("module", NAMES)
def test_modules_have_the_names_that_programs_use(module: str) -> None:
    found = vars(importlib.import_module(module))
    assert not set(NAMES[module].split()) - found.keys()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            upwell.Run,
            "abort action details done first_failure get get_report inputs listall name outputs phase "
            "raise_for_status sync url wait watch",
        ),
        (
            upwell.TaskContext,
            "action attempt checkpoint code_bundle custom_context data disable_run_cache group_data "
            "interactive_mode is_in_cluster mode raw_data_path report run_base_dir run_start_time "
            "task_action version",
        ),
        (
            upwell.Task,
            "aio cache docs forward json_schema links native_interface override parent_env report resources "
            "retries short_name triggers",
        ),
        (upwell.Checkpoint, "load load_sync path prev_exists save save_sync"),
        (
            upwell.Image,
            "clone from_base from_debian_base from_dockerfile from_pixi_script from_ref_name "
            "from_uv_script uri with_apt_packages with_code_bundle with_commands with_dockerignore "
            "with_env_vars with_local_v2 with_pip_packages with_pixi_project with_poetry_project "
            "with_requirements with_source_file with_source_folder with_uv_project with_workdir",
        ),
    ],
)
def test_classes_have_the_members_that_programs_use(kind: type, names: str) -> None:
    assert not set(names.split()) - set(dir(kind))


@pytest.mark.parametrize(
    "use",
    [
        lambda: upwell.serve(env),
        lambda: upwell.serve.aio(env),
        lambda: upwell.with_servecontext(mode="local"),
        lambda: upwell.new_condition("approve"),
        lambda: upwell.run_python_script("a.py"),
        lambda: upwell.app.AppEnvironment(name="a"),
        lambda: upwell.app.extras.FastAPIAppEnvironment(name="a"),
        lambda: upwell.extras.ContainerTask(name="a", image="b"),
        lambda: upwell.extras.shell.create("ls"),
        lambda: upwell.artifacts.new(1),
        lambda: upwell.prefetch.hf_model("a"),
        lambda: upwell.sandbox.orchestrator(add),
        lambda: env.sandbox.orchestrator(add),
        lambda: upwell.extend.TaskPluginRegistry.register(int),
        lambda: upwell.ai.Agent(),
        lambda: upwell.clustered.Clustered(),
        lambda: upwell.connectors.Connector(),
        lambda: upwell.remote.Secret.create("a"),
        lambda: upwell.Resources(gpu=upwell.GPU("T4", 1)),
        lambda: upwell.build(upwell.Image.from_debian_base().with_apt_packages("git")),
        lambda: upwell.rerun("run", action_name="a1"),
        lambda: upwell.rerun("run", force_rerun_actions=["a1"]),
    ],
)
def test_what_upwell_has_not_is_refused_when_it_is_used(use: Callable[[], Any]) -> None:
    with pytest.raises(UnsupportedError, match=r"\w+.*[:;] \w+"):
        use()


def test_what_upwell_has_not_may_stand_in_annotations() -> None:
    def serves(app: upwell.app.AppEnvironment | None = None) -> None: ...

    assert inspect.signature(serves, eval_str=True).parameters["app"].default is None


# --- settings -------------------------------------------------------------------------------------


def test_settings_of_other_platforms_are_accepted(tmp_path: Path) -> None:
    upwell.init(endpoint="dns:///x", org="o", project="p", domain="d", api_key="k", state_dir=tmp_path)
    assert (upwell.current_project(), upwell.current_domain()) == ("p", "d")
    assert not upwell.is_control_plane_available()
    for again in (upwell.init_in_cluster, upwell.init_passthrough, upwell.init_from_api_key):
        again(project="q")
        assert upwell.current_project() == "q"


async def test_settings_can_be_awaited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    await upwell.init_from_config.aio(project="p")
    assert upwell.current_project() == "p"
    await upwell.init.aio(project="q")
    await upwell.init_in_cluster.aio(project="r")
    assert upwell.current_project() == "r"


def test_a_configuration_is_read_from_the_repositorys_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    assert upwell.git.config_from_root() is None
    (tmp_path / "upwell.toml").write_text('project = "of the root"\n')
    assert upwell.git.config_from_root() == tmp_path / "upwell.toml"
    upwell.init_from_config(upwell.config.Config.auto())
    assert upwell.current_project() == "of the root"


def test_a_yaml_file_is_of_another_platform_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "upwell.toml").write_text('project = "ours"\n')
    with pytest.warns(UserWarning, match=r"\.\./config\.yaml configures another platform"):
        upwell.init_from_config("../config.yaml")
    assert upwell.current_project() == "ours"
    with pytest.raises(errors.UsageError, match="does not exist"):
        upwell.init_from_config("../upwell.toml")


def test_run_options_are_known_or_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        upwell.with_runcontext(project="p", version="v", annotations={}, cache_lookup_scope="global")
        upwell.with_runcontext(dry_run=False, raw_data_path=None)
    with pytest.warns(UserWarning, match=r"with_runcontext: notifications=, raw_data_path= .*ignored"):
        upwell.with_runcontext(raw_data_path="s3://x", notifications=upwell.notify.Slack("failed"))
    with pytest.raises(TypeError, match="'overwrite_cach'; did you mean 'overwrite_cache'"):
        upwell.with_runcontext(overwrite_cach=True)


# --- tasks ----------------------------------------------------------------------------------------


def test_a_task_describes_its_inputs() -> None:
    schema = add.json_schema
    assert schema["required"] == ["x"]
    assert schema["properties"]["x"] == {"type": "integer"}
    assert schema["properties"]["y"] == {"type": "number", "default": 2.5}
    assert isinstance(add, upwell.TaskTemplate)
    assert isinstance(env, upwell.Environment)


def test_tasks_of_the_program_are_found_by_name() -> None:
    assert upwell.remote.Task.get("surface.add", project="p", auto_version="latest") is add
    with pytest.raises(RemoteTaskNotFoundError, match=r"task 'surface\.none'"):
        upwell.remote.Task.get("surface.none")


@dataclass
class Dashboard:
    name: str = "dashboard"

    def get_link(self, *args: Any, **kwargs: Any) -> str:
        return "https://example.com"


def test_what_people_write_about_tasks_is_kept() -> None:
    nightly = upwell.Trigger("nightly", upwell.Cron("0 3 * * *", timezone="Europe/Oslo"), inputs={"x": 1})

    @env.task(triggers=nightly, links=Dashboard(), docs=upwell.Documentation("adds"), entrypoint=True)
    def documented(x: int, at: datetime | None = None) -> int:
        return x

    assert documented.triggers == (nightly,)
    assert documented.docs == upwell.Documentation("adds")
    assert isinstance(documented.links[0], upwell.Link)
    with pytest.warns(UserWarning, match="triggers= has no meaning here"):
        upwell.deploy(env, dry_run=True)


def test_deploying_locally_checks_nothing_and_a_dry_run_does() -> None:
    special = upwell.TaskEnvironment("special", image=upwell.Image().with_apt_packages("git"))
    upwell.deploy(special)
    with pytest.raises(UnsupportedError, match="with_apt_packages"):
        upwell.deploy(special, dry_run=True)


def test_a_deployment_names_environments_and_tasks() -> None:
    env, other = upwell.TaskEnvironment("given"), upwell.TaskEnvironment("needed")
    env.add_dependency(other)

    @other.task
    def work(x: int) -> int:
        return x

    first, second = upwell.deploy(env, other)
    assert list(first.envs) == ["given", "needed"]
    assert list(second.envs) == ["needed"]
    assert first.envs["needed"].env is other
    assert not first.envs["needed"].is_changed
    assert first.summary_repr() == "Deployment(envs=['given', 'needed'], tasks=1)"
    assert first.table_repr() == [[("task", "needed.work"), ("environment", "needed")]]
    assert [dict(row)["environment"] for row in first.env_repr()] == ["given", "needed"]


def test_triggers_have_short_forms() -> None:
    hourly = upwell.Trigger.hourly("at", inputs={"x": 1}, description="often")
    assert hourly.automation == upwell.Cron("0 * * * *")
    assert (hourly.name, hourly.inputs) == ("hourly", {"x": 1, "at": upwell.TriggerTime})
    assert upwell.Trigger.weekly(name="w").automation == upwell.Cron("0 0 * * 0")
    every = upwell.Trigger("f", upwell.FixedRate(5, start_time=datetime(2026, 1, 1, tzinfo=UTC)))
    assert every.automation != upwell.FixedRate(5)
    bound = upwell.OnArtifact("model", region="eu")
    assert bound.partitions == {"region": "eu"}


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: upwell.Cron("every day"), "no schedule"),
        (lambda: upwell.FixedRate(0), "1 minute or more"),
        (lambda: upwell.Trigger("", upwell.Cron("@daily")), "no name"),
        (lambda: upwell.Trigger("a", "0 3 * * *"), "no Cron"),
        (lambda: env.task(triggers="nightly")(lambda: None), "no Trigger|named function|lambda"),
        (lambda: env.task(triggers=upwell.Trigger("t", inputs={"z": 1}))(add.func), "no parameter"),
        (lambda: env.task(triggers=[upwell.Trigger("t"), upwell.Trigger("t")])(add.func), "two triggers"),
    ],
)
def test_triggers_that_cannot_be_are_refused(make: Callable[[], Any], error: str) -> None:
    with pytest.raises((TypeError, ValueError), match=error):
        make()


# --- errors, outside of runs ----------------------------------------------------------------------


def test_errors_can_be_made_of_exceptions() -> None:
    error = errors.CustomError.from_exception(KeyError("k"))
    assert (error.code, str(error), error.kind) == ("KeyError", "'k'", "user")
    assert errors.RuntimeDataValidationError("x").code == "DataValidationError"


def test_reports_and_clocks_work_outside_of_tasks() -> None:
    upwell.report.log("<p>nobody reads this</p>", do_flush=True)
    upwell.report.flush()
    with pytest.raises(ValueError, match="no tab 'x'"):
        upwell.report.get_tab("x", create_if_missing=False)
    assert upwell.durable.now().tzinfo is UTC
    upwell.durable.sleep(0)
    assert abs(upwell.durable.time() - datetime.now(UTC).timestamp()) < 60
    assert upwell.ctx().checkpoint is None


async def test_sleeping_does_not_block_async_code() -> None:
    await upwell.durable.sleep.aio(0)
    with pytest.raises(SyncTaskCallInAsyncContextError, match=r"durable\.sleep\.aio"):
        upwell.durable.sleep(1)


async def test_async_functions_can_be_called_from_sync_code_and_awaited() -> None:
    @upwell.syncify.syncify
    async def double(x: int) -> int:
        return 2 * x

    @upwell.syncify.syncify
    async def count(n: int) -> Any:
        for i in range(n):
            yield i

    class Box:
        @upwell.syncify.syncify
        async def get(self) -> Box:
            return self

    box = Box()
    assert (double(2), await double.aio(3)) == (4, 6)
    assert (list(count(3)), [i async for i in count.aio(2)]) == ([0, 1, 2], [0, 1])
    assert (box.get() is box, await box.get.aio() is box) == (True, True)
    with pytest.raises(TypeError, match="not an async function"):
        upwell.syncify.syncify(len)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "a.txt").write_text("text")
    return tmp_path  # type: ignore[return-value]  # a fixture gives what it returns


async def test_storage_copies_between_paths(folder: Path) -> None:
    copied = await upwell.storage.put(str(folder / "a.txt"), str(folder / "b" / "b.txt"))
    assert await upwell.storage.exists(copied)
    fetched = await upwell.storage.get(str(folder / "b"), str(folder / "c"), recursive=True)
    assert (Path(fetched) / "b.txt").read_text() == "text"
    async with upwell.storage.open(copied, "r") as file:
        assert await file.read() == "text"
    assert not upwell.storage.exists_sync(str(folder / "missing"))
    assert upwell.storage.join("s3://bucket/", "a", "b") == "s3://bucket/a/b"
    assert upwell.storage.S3.auto(region="x").settings == {"region": "x"}


def test_images_are_checked_when_they_are_built() -> None:
    image = upwell.Image.from_debian_base().with_pip_packages("idna")
    assert upwell.build(image).uri == image.uri
    assert [built.uri for built in upwell.build_images(env)] == [upwell.Image().uri]
