from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from upwell import errors
from upwell._author.policies import Backoff, RetryStrategy, Timeout, to_bounds, to_retry_policy
from upwell._author.reuse import ReusePolicy
from upwell._author.secret import Secret, to_secrets
from upwell._core.model import Bounds, ErrorInfo, RetryPolicy
from upwell._core.retry import retry_delay_s


class TestRetries:
    def test_a_number_is_retries_at_once(self) -> None:
        assert to_retry_policy(3) == RetryPolicy(count=3)

    def test_delays_grow_up_to_the_cap(self) -> None:
        backoff = Backoff(timedelta(seconds=10), factor=2.0, cap=timedelta(minutes=5))
        policy = to_retry_policy(RetryStrategy(count=8, backoff=backoff))
        error = ErrorInfo(code="X", message="")
        assert [retry_delay_s(policy, n, error) for n in range(1, 10)] == [
            10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0, None,
        ]  # fmt: skip

    @pytest.mark.parametrize("count", [-1, 1.5, True, "2"])
    def test_only_whole_numbers_from_0(self, count: Any) -> None:
        with pytest.raises(ValueError, match="retries"):
            to_retry_policy(count)

    def test_delays_that_shrink_are_refused(self) -> None:
        with pytest.raises(ValueError, match="factor"):
            Backoff(1, factor=0.5)

    def test_delays_that_grow_without_end_are_refused(self) -> None:
        with pytest.raises(ValueError, match="cap="):
            Backoff(1, factor=2)

    def test_a_constant_delay_needs_no_cap(self) -> None:
        assert to_retry_policy(RetryStrategy(1, Backoff(3))) == RetryPolicy(count=1, base_s=3.0)


class TestTimeouts:
    @pytest.mark.parametrize("timeout", [None, 0, timedelta(0), Timeout(), Timeout(max_runtime=0)])
    def test_nothing_and_0_are_no_bound(self, timeout: Any) -> None:
        assert to_bounds(timeout) == Bounds()

    @pytest.mark.parametrize("timeout", [90, 90.0, timedelta(seconds=90), Timeout(max_runtime=90)])
    def test_a_duration_is_the_running_time(self, timeout: Any) -> None:
        assert to_bounds(timeout) == Bounds(max_runtime_s=90.0)

    def test_all_three(self) -> None:
        timeout = Timeout(
            max_runtime=timedelta(minutes=30),
            max_queued_time=timedelta(minutes=15),
            deadline=timedelta(hours=2),
        )
        assert to_bounds(timeout) == Bounds(max_runtime_s=1800.0, max_queued_s=900.0, deadline_s=7200.0)

    @pytest.mark.parametrize("timeout", [-1, timedelta(seconds=-1), float("inf")])
    def test_other_lengths_are_refused(self, timeout: Any) -> None:
        with pytest.raises(ValueError, match="timeout"):
            to_bounds(timeout)

    @pytest.mark.parametrize("timeout", ["1h", True])
    def test_other_types_are_refused(self, timeout: Any) -> None:
        with pytest.raises(TypeError, match="not a duration"):
            Timeout(deadline=timeout)


class TestReusePolicies:
    def test_defaults(self) -> None:
        policy = ReusePolicy()
        assert (policy.replicas_min, policy.replicas_max, policy.concurrency) == (2, 2, 1)
        assert (policy.scaledown_ttl_s, policy.idle_ttl_s) == (30.0, 30.0)

    def test_ranges_and_durations(self) -> None:
        policy = ReusePolicy(
            replicas=(2, 10), concurrency=5, scaledown_ttl=timedelta(minutes=10), idle_ttl=timedelta(hours=1)
        )
        assert (policy.replicas_min, policy.replicas_max) == (2, 10)
        assert (policy.scaledown_ttl_s, policy.idle_ttl_s) == (600.0, 3600.0)

    @pytest.mark.parametrize("replicas", [0, -1, (3, 2), (0, 0), (-1, 2), (1, 2, 3), "2", True, (1.0, 2)])
    def test_bad_replicas_are_refused(self, replicas: Any) -> None:
        with pytest.raises(ValueError, match="replicas"):
            ReusePolicy(replicas=replicas)

    @pytest.mark.parametrize("concurrency", [0, -1, 1.5, True])
    def test_bad_concurrency_is_refused(self, concurrency: Any) -> None:
        with pytest.raises(ValueError, match="concurrency"):
            ReusePolicy(concurrency=concurrency)

    @pytest.mark.parametrize("name", ["idle_ttl", "scaledown_ttl"])
    def test_less_than_30_seconds_are_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"{name}=29"):
            ReusePolicy(**{name: 29})  # type: ignore[arg-type]  # one of the two

    def test_a_scope_that_a_pool_cannot_keep_is_refused_when_it_is_deployed(self) -> None:
        ReusePolicy().check_supported()
        with pytest.raises(errors.UnsupportedError, match="scope"):
            ReusePolicy(scope="run").check_supported()
        with pytest.raises(ValueError, match="scope"):
            ReusePolicy(scope="x")  # type: ignore[arg-type]  # that is the point


class TestSecrets:
    @pytest.mark.parametrize(
        ("secret", "env_var"),
        [
            (Secret("openai-api-key"), "OPENAI_API_KEY"),
            (Secret("key", group="team-a"), "TEAM_A_KEY"),
            (Secret("key", as_env_var="TOKEN"), "TOKEN"),
            (Secret("key", mount="/etc/flyte/secrets"), None),
        ],
    )
    def test_where_they_are_found(self, secret: Secret, env_var: str | None) -> None:
        assert secret.env_var == env_var

    @pytest.mark.parametrize("settings", [{"as_env_var": "token"}, {"as_env_var": "1A"}, {"mount": "/tmp"}])
    def test_bad_places_are_refused(self, settings: Any) -> None:
        with pytest.raises(ValueError, match="Secret"):
            Secret("key", **settings)

    def test_one_or_several(self) -> None:
        assert to_secrets(None) == ()
        assert to_secrets("a") == to_secrets(["a"]) == to_secrets(Secret("a")) == (Secret("a"),)
