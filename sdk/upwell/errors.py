"""Everything that upwell raises on purpose.

UpwellError                         what upwell itself reports to its caller
├── UsageError                      the call, the program or the command line is wrong
│   ├── TaskNotFoundError           no such task in the module or file
│   │   └── RemoteTaskNotFoundError no such task is deployed
│   ├── InputsError                 inputs given as JSON do not fit a deployed task
│   ├── RemoteTaskUsageError        a deployed task is used as it cannot be
│   ├── SecretNotFoundError         a task needs a secret that is not there
│   ├── NotDeployedError            no platform or pool where one is needed
│   └── UnsupportedError            asks for what Lambda and Fargate cannot give
├── UnavailableError                a service cannot be reached or is overloaded; nobody's fault, try again
├── RunNotFoundError                no such run
├── ActionNotFoundError             no such action in the run
└── RunStateError                   the run is not in a state that allows this

BaseRuntimeError(RuntimeError)      how an action failed: `.code`, `.kind`, `.worker`
├── RuntimeUserError                an exception of the task's code; `.code` is its class name
│   ├── NonRecoverableError         raise it in a task to skip the remaining retries
│   │   └── RunawayRunError         the run has more actions, or deeper ones, than it may
│   ├── RuntimeDataValidationError  a task returned what its annotation does not allow
│   ├── InlineIOMaxBytesBreached    a value is too large to be passed by value
│   ├── ActionAbortedError          the action was aborted from outside
│   ├── OOMError                    the task ran out of memory
│   ├── ProcessDiedError            the process of the task died: a signal, or an exit that nobody expects
│   ├── RetriesExhaustedError       reported by an executor that gave up
│   ├── TaskInterruptedError        the task's machine was taken away
│   ├── ConditionError              and four below it: named in programs, never raised
│   ├── CustomError                 made of an exception; `.code` is its class name
│   ├── SyncTaskCallInAsyncContextError   a sync task called without `.aio` from async code
│   ├── TraceDoesNotAllowNestedTasksError a task called inside a trace
│   ├── NonDeterminismError         a strict run's replay made other calls than its journal holds
│   └── TaskTimeoutError            a bound of `timeout=` was passed
│       ├── MaxRuntimeExceededError
│       ├── MaxQueuedTimeExceededError
│       └── DeadlineExceededError
├── RuntimeSystemError              the platform lost or could not run the action
└── RuntimeUnknownError             neither of the two

ReusePolicyError(ValueError)        a reuse policy does not fit its tasks
PickledValueWarning(UserWarning)    a value was pickled because its type has no schema
NonDeterminismWarning(UserWarning)  a replay made other calls than its journal holds
"""

from __future__ import annotations

from typing import Literal, NoReturn, Self

ErrorKind = Literal["user", "system", "unknown"]


class UpwellError(Exception):
    """What upwell itself reports to its caller."""


class UsageError(UpwellError):
    """The call, the program or the command line is wrong; the message says what to do."""


class TaskNotFoundError(UsageError):
    """No such task in the module or file."""


class RemoteTaskNotFoundError(TaskNotFoundError):
    """No such task is deployed, or none of the modules that are loaded defines it."""


class InputsError(UsageError):
    """Inputs that were given as JSON do not fit the interface of a deployed task."""


class RemoteTaskUsageError(UsageError):
    """A deployed task is used as it cannot be."""


class SecretNotFoundError(UsageError):
    """A task needs a secret that does not exist where it runs."""


class NotDeployedError(UsageError):
    """No platform or pool is deployed where one is needed."""


class UnsupportedError(UsageError):
    """The program asks for what Lambda and Fargate cannot give."""


class UnavailableError(UpwellError):
    """A service cannot be reached or is overloaded. An attempt that meets it does not count as failed."""


class RunNotFoundError(UpwellError):
    """No such run."""


class ActionNotFoundError(UpwellError):
    """No such action in the run."""


class RunStateError(UpwellError):
    """The run is not in a state that allows this."""


class ReusePolicyError(ValueError):
    """A reuse policy does not fit its tasks."""


class PickledValueWarning(UserWarning):
    """A value was pickled because its declared type has no schema."""


class NonDeterminismWarning(UserWarning):
    """A replay made other calls than its journal holds; it fails the action only if the run is strict."""


class BaseRuntimeError(RuntimeError):
    """How an action failed.

    Arithmetic on an instance raises it, so that a failure kept as a value in a list of results (as
    `map(return_exceptions=True)` gives) is not mistaken for a number.

    Attributes:
        code: Class name of the original exception, or the name of the platform's failure.
        kind: `user`, `system` or `unknown`.
        worker: Executor that reported it, where known.
        remote_traceback: Traceback text of the executor, where there is one.
    """

    kind: ErrorKind = "unknown"

    def __init__(self, code: str, message: str, worker: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.worker = worker
        self.remote_traceback: str | None = None

    def _raise(self, *_: object) -> NoReturn:
        raise self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _raise
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _raise
    __pow__ = __rpow__ = __neg__ = __pos__ = __abs__ = __int__ = __float__ = _raise


class RuntimeUserError(BaseRuntimeError):
    """An exception of the task's code."""

    kind: ErrorKind = "user"


class RuntimeSystemError(BaseRuntimeError):
    """The platform lost or could not run the action."""

    kind: ErrorKind = "system"


class RuntimeUnknownError(BaseRuntimeError):
    """A failure that is neither the task's nor the platform's."""


class _NamedUserError(RuntimeUserError):
    """A user error whose code is its own class name."""

    def __init__(self, message: str = "", worker: str | None = None) -> None:
        super().__init__(type(self).__name__, message, worker)


class NonRecoverableError(_NamedUserError):
    """Raise it in a task to skip the remaining retries."""


class RunawayRunError(NonRecoverableError):
    """The run has more actions, or deeper ones, than it may; nothing above is tried again either."""


class NonDeterminismError(_NamedUserError):
    """A strict run's replay made other calls than its journal holds."""


class RuntimeDataValidationError(RuntimeUserError):
    """A task returned what its annotation does not allow; the code is `DataValidationError`."""

    def __init__(self, message: str = "", worker: str | None = None) -> None:
        super().__init__("DataValidationError", message, worker)


class InlineIOMaxBytesBreached(_NamedUserError):  # noqa: N818  # the name is the programming model's
    """A value is too large to be passed by value."""


class ActionAbortedError(_NamedUserError):
    """The action was aborted from outside."""


class OOMError(_NamedUserError):
    """The task ran out of memory."""


class ProcessDiedError(_NamedUserError):
    """The process of the task died under it: a signal killed it, or it exited in the middle of the task."""


class RetriesExhaustedError(_NamedUserError):
    """Reported by an executor that gave up."""


class TaskInterruptedError(_NamedUserError):
    """The task's machine was taken away."""


class CustomError(RuntimeUserError):
    """An error of the user's with a code of its own."""

    @classmethod
    def from_exception(cls, error: Exception) -> Self:
        """Make it of an exception; the code is its class name."""
        made = cls(type(error).__name__, str(error))
        made.__cause__ = error
        return made


class ConditionError(_NamedUserError):
    """Of conditions, which upwell has not; programs may name it in an `except` clause."""


class ConditionTimedoutError(ConditionError):
    """A condition was not signalled in time."""


class ConditionFailedError(ConditionError):
    """A condition failed."""


class ConditionNotFoundError(ConditionError):
    """No such condition."""


class ConditionAlreadyExistsError(ConditionError):
    """A condition of this name exists."""


class SyncTaskCallInAsyncContextError(_NamedUserError):
    """A sync task was called from async code; use `await task.aio(...)`."""


class TraceDoesNotAllowNestedTasksError(_NamedUserError):
    """A task was called inside a trace; call the function itself with `task.forward(...)`."""


class TaskTimeoutError(_NamedUserError):
    """A bound of `timeout=` was passed."""


class MaxRuntimeExceededError(TaskTimeoutError):
    """An attempt ran longer than `max_runtime`."""


class MaxQueuedTimeExceededError(TaskTimeoutError):
    """An attempt waited longer than `max_queued_time`."""


class DeadlineExceededError(TaskTimeoutError):
    """The action was not done by its `deadline`."""
