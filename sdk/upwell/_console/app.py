"""The routes of the Run API, for any of powertools' resolvers: behind the local server and behind Lambda."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import ApiGatewayResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query

from upwell import __version__
from upwell._client.backend import Backend
from upwell._client.config import Config
from upwell._client.cost_document import cost_document, load_cost
from upwell._client.deployed_tasks import DeployedTask, deployed_task, deployed_tasks
from upwell._client.profile_document import load_profile
from upwell._client.run_list import RunFilter, wanted_labels
from upwell._console.details import Details
from upwell._console.lists import list_cache, list_pools
from upwell._console.log_pages import log_page
from upwell._console.models import (
    Abort,
    ActionDetail,
    CacheList,
    DeployedTaskInfo,
    Features,
    Info,
    LogLines,
    Pool,
    Recover,
    Rerun,
    RunDetail,
    Runs,
    Steered,
    Submit,
    Tree,
)
from upwell._console.problems import NotModifiedError, answer_problems, responses
from upwell._console.reading import Reading
from upwell._console.reports import report_page
from upwell._console.snapshot import Order, RowFilter, Timeline
from upwell._console.steering import Launcher, Steering

PREFIX = "/api/v1"
TITLE = "upwell Run API"
DOCS = "https://github.com/upwell-run/upwell/tree/main/docs"

RunId = Annotated[str, Path(description="Id of the run.")]
ActionId = Annotated[str, Path(description="Id of the action; the root's is a0.")]
TaskName = Annotated[str, Path(max_length=300, description="Full name of a deployed task.")]
Cursor = Annotated[str | None, Query(max_length=1000, description="`next` of the page before.")]
Instant = Annotated[float | None, Query(allow_inf_nan=False, description="Epoch seconds.")]
RunStatus = Literal["running", "interrupted", "succeeded", "failed", "aborted", "timed_out"]
ActionStatus = Literal["queued", "running", "suspended", "succeeded", "failed", "aborted", "timed_out"]
OF_STATUS = "`interrupted` is a running one whose process is gone; `running` leaves these out."
OF_TASK = "Full name of a task, or its function's."
OF_PARENT = "Empty for the root's own row; * for the actions of all levels."
OfAttempt = Annotated[int | None, Query(ge=1, description="Number of one attempt.")]
WithText = Annotated[str, Query(max_length=300, description="Only lines with this in them, whatever its case.")]
LogCursor = Annotated[str | None, Query(max_length=8000, description="`next` or `resume` of a page before.")]
LineLimit = Annotated[int, Query(ge=1, le=5000)]
OfTask = Annotated[str | None, Query(max_length=300, description=OF_TASK)]


class RunApi:
    """Answers requests.

    Args:
        backend: What is shown; open for as long as requests come.
        config: Where that is.
        launcher: For what needs the user's code; None where there is none.
    """

    def __init__(self, backend: Backend, config: Config, launcher: Launcher | None = None) -> None:
        self._backend = backend
        self._config = config
        self._reading = Reading(backend)
        self._details = Details(backend, self._reading)
        self._steering = Steering(backend, self._reading, launcher)

    def add_to(self, app: ApiGatewayResolver) -> None:
        """Add the routes to an application, and how it answers errors."""
        answer_problems(app)
        get = _adder(app.get)
        get("/info", self.info)
        get("/runs", self.runs, 400)
        get("/runs/<run>", self.run, 304, 404)
        get("/runs/<run>/tree", self.tree, 400, 404)
        get("/runs/<run>/timeline", self.timeline, 404)
        get("/runs/<run>/actions/<action>", self.action, 404)
        get("/runs/<run>/actions/<action>/reports/<attempt>", self.report, 404, type_="text/html")
        get("/runs/<run>/actions/<action>/logs", self.action_logs, 400, 404)
        get("/runs/<run>/logs", self.run_logs, 400, 404)
        get("/runs/<run>/profile", self.profile, 404)
        get("/runs/<run>/cost", self.cost, 404)
        get("/pools", self.pools)
        get("/cache", self.cache, 400)
        get("/tasks", self.tasks)
        get("/tasks/<task>", self.task, 404)
        post = _adder(app.post, 415)
        post("/runs/<run>/abort", self.abort_run, 404, 409)
        post("/runs/<run>/actions/<action>/abort", self.abort_action, 404, 409)
        post("/runs/<run>/recover", self.recover, 404, 409)
        post("/runs/<run>/rerun", self.rerun, 404, 409)
        post("/tasks/<task>/runs", self.submit, 404, 409)

        @app.get(f"{PREFIX}/openapi.json", include_in_schema=False, enable_validation=False)
        def openapi() -> Response[str]:
            return Response(200, content_type="application/json", body=openapi_document(app))

    async def info(self) -> Info:
        """Say where this is, and what it can do."""
        is_aws = self._backend.mode == "aws"
        return Info(
            version=__version__,
            backend=self._backend.mode,
            stage=self._config.stage if is_aws else None,
            region=self._config.region if is_aws else None,
            url_of_docs=DOCS,
            features=Features(logs=True, steer=True, submit=self._backend.mode != "local"),
        )

    async def runs(
        self,
        status: Annotated[list[RunStatus] | None, Query(max_length=10, description=OF_STATUS)] = None,
        task: OfTask = None,
        label: Annotated[list[str] | None, Query(max_length=20, description="`key=value`, or `key`.")] = None,
        after: Instant = None,
        before: Instant = None,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Runs:
        """List runs, newest first."""
        wanted = RunFilter(
            states=frozenset(status or ()),
            task=task,
            labels=wanted_labels(label or ()),
            after=after,
            before=before,
        )
        return await self._reading.runs(wanted, cursor=cursor, limit=limit)

    async def run(
        self, run: RunId, if_none_match: Annotated[str | None, Header(alias="If-None-Match")] = None
    ) -> Response[RunDetail]:
        """Show a run. Its version is its ETag: who has it already is answered 304."""
        detail = await self._reading.run(run)
        etag = f'"{detail.version}"'
        if if_none_match is not None and etag in if_none_match:
            raise NotModifiedError(etag)
        return Response(200, content_type="application/json", body=detail, headers={"ETag": etag})

    async def tree(
        self,
        run: RunId,
        parent: Annotated[str, Query(max_length=100, description=OF_PARENT)] = "",
        cursor: Cursor = None,
        offset: Annotated[int, Query(ge=0, description="Rows to skip, in a list with a `total`.")] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
        order: Annotated[Order, Query()] = "called",
        status: Annotated[list[ActionStatus] | None, Query(max_length=10)] = None,
        task: Annotated[list[str] | None, Query(max_length=20, description=OF_TASK)] = None,
        group: Annotated[str | None, Query(max_length=300, description="Empty for those of none.")] = None,
    ) -> Tree:
        """Show one level of a run's tree, or a part of it."""
        wanted = RowFilter(statuses=frozenset(status or ()), tasks=frozenset(task or ()), group=group)
        return await self._reading.tree(
            run, parent=parent, order=order, limit=limit, cursor=cursor, offset=offset, wanted=wanted
        )

    async def timeline(self, run: RunId, buckets: Annotated[int, Query(ge=1, le=2000)] = 200) -> Timeline:
        """Show how much of a run was under way when."""
        return await self._reading.timeline(run, buckets=buckets)

    async def action(self, run: RunId, action: ActionId) -> ActionDetail:
        """Show an action. Pickled values are named, not read."""
        return await self._details.action(run, action)

    async def report(
        self, run: RunId, action: ActionId, attempt: Annotated[int, Path(ge=1, le=1_000_000)]
    ) -> Response[str]:
        """Show the report that an attempt has made: a page that can do nothing but show itself."""
        return await report_page(self._backend.blobs, run, action, attempt)

    async def action_logs(
        self,
        run: RunId,
        action: ActionId,
        attempt: OfAttempt = None,
        text: WithText = "",
        cursor: LogCursor = None,
        limit: LineLimit = 1000,
    ) -> LogLines:
        """Show what an action, or an item of one, has printed and logged."""
        record = await self._reading.record(run)
        return await log_page(
            self._backend, record, action, attempt=attempt, text=text, cursor=cursor, limit=limit
        )

    async def run_logs(
        self, run: RunId, text: WithText = "", cursor: LogCursor = None, limit: LineLimit = 1000
    ) -> LogLines:
        """Show what all actions of a run have printed and logged."""
        record = await self._reading.record(run)
        return await log_page(self._backend, record, None, attempt=None, text=text, cursor=cursor, limit=limit)

    async def profile(self, run: RunId) -> dict[str, Any]:
        """Show where the time of a run went: what `upwell profile --json` prints."""
        record = await self._reading.record(run)
        return await load_profile(self._backend, record)

    async def cost(self, run: RunId) -> dict[str, Any]:
        """Show what a run costs, or would: what `upwell get cost --json` prints."""
        record = await self._reading.record(run)
        return cost_document(run, *await load_cost(self._backend, record))

    async def pools(self) -> list[Pool]:
        """List the pools of the newest runs."""
        return await list_pools(self._backend)

    async def cache(
        self,
        task: Annotated[str | None, Query(max_length=300, description="Full name of a task.")] = None,
        cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> CacheList:
        """List kept results, newest first; without a task, some of all."""
        return await list_cache(self._backend, task=task, cursor=cursor, limit=limit)

    async def tasks(self) -> list[DeployedTaskInfo]:
        """List the deployed tasks, by name."""
        return [_task_info(task) for task in await deployed_tasks(self._backend.blobs)]

    async def task(self, task: TaskName) -> DeployedTaskInfo:
        """Show a deployed task, with the schema of its inputs."""
        return _task_info(await deployed_task(self._backend.blobs, task))

    async def submit(self, task: TaskName, body: Annotated[Submit, Body()]) -> Steered:
        """Start a run of a deployed task."""
        return Steered(
            run_id=await self._steering.submit(task, body.inputs, name=body.name, labels=body.labels)
        )

    async def abort_run(self, run: RunId, body: Annotated[Abort, Body()]) -> Steered:
        """End a run and everything in it."""
        await self._steering.abort_run(run, body.reason)
        return Steered(run_id=run)

    async def abort_action(self, run: RunId, action: ActionId, body: Annotated[Abort, Body()]) -> Steered:
        """End an action and everything below it."""
        await self._steering.abort_action(run, action, body.reason)
        return Steered(run_id=run, action_id=action)

    async def recover(self, run: RunId, body: Annotated[Recover, Body()]) -> Steered:
        """Go on with a run: what succeeded is not done again."""
        await self._steering.recover(run, new_code=body.new_code)
        return Steered(run_id=run)

    async def rerun(self, run: RunId, body: Annotated[Rerun, Body()]) -> Steered:
        """Run a run again, as a new one."""
        return Steered(run_id=await self._steering.rerun(run, body.inputs, new_code=body.new_code))


def _task_info(task: DeployedTask) -> DeployedTaskInfo:
    return DeployedTaskInfo(
        task=task.spec.name,
        description=task.description,
        inputs=task.inputs,
        pool=task.spec.pool,
        bundle=task.bundle,
        deployed_at=task.deployed_at,
    )


def openapi_document(app: ApiGatewayResolver) -> str:
    """Return the description of an application's routes as OpenAPI."""
    return app.get_openapi_json_schema(title=TITLE, version=__version__)


def _adder(method: Callable[..., Any], *always: int) -> Callable[..., None]:
    def add(path: str, handler: Callable[..., Any], *codes: int, type_: str | None = None) -> None:
        done: dict[str, Any] = {"description": "Done."}
        if type_ is not None:
            done["content"] = {type_: {"schema": {"type": "string"}}}
        method(
            PREFIX + path,
            summary=(handler.__doc__ or "").partition(".")[0],
            operation_id=handler.__name__,
            responses={200: done, **responses(*always, *codes, 422, 503)},
            custom_response_validation_http_code=500,
            compress=True,
        )(handler)

    return add
