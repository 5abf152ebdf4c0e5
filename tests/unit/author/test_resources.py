from __future__ import annotations

from typing import Any

import pytest

from upwell import errors
from upwell._author.resources import Resources, fit_fargate, fit_lambda
from upwell._core.capacity import FargateSize, LambdaSize, Need


@pytest.mark.parametrize(
    ("resources", "need"),
    [
        (Resources(), Need()),
        (Resources(cpu=2, memory="4Gi"), Need(cpus=(2, 2), memory_mib=(4096, 4096))),
        (Resources(cpu="350m", memory="500Mi"), Need(cpus=(0.35, 0.35), memory_mib=(500, 500))),
        (Resources(cpu=("2", "4"), memory=("2Gi", "12Gi")), Need(cpus=(2, 4), memory_mib=(2048, 12288))),
        (Resources(memory="1G"), Need(memory_mib=(954, 954))),
        (Resources(memory=1024**3), Need(memory_mib=(1024, 1024))),
        (Resources(disk="50Gi", shm="8Gi"), Need(disk_mib=51200, shm_mib=8192)),
        (Resources(shm="auto", gpu=0), Need()),
    ],
)
def test_amounts_are_read(resources: Resources, need: Need) -> None:
    assert resources.need == need


@pytest.mark.parametrize(
    "amounts",
    [
        {"cpu": "two"},
        {"cpu": 0},
        {"cpu": -1},
        {"cpu": "2Gi"},
        {"memory": "lots"},
        {"memory": "2GB"},
        {"memory": ("2Gi", "1Gi")},
        {"memory": ("1Gi", "2Gi", "3Gi")},
        {"disk": "-1Gi"},
    ],
)
def test_nonsense_is_refused_where_it_is_written(amounts: Any) -> None:
    with pytest.raises(ValueError, match=r"cpu|memory|disk|range"):
        Resources(**amounts)


@pytest.mark.parametrize("gpu", [1, "T4:1", object()])
def test_gpus_are_refused_with_the_reason(gpu: object) -> None:
    with pytest.raises(errors.UnsupportedError, match="Lambda and Fargate"):
        Resources(gpu=gpu)


class TestLambda:
    @pytest.mark.parametrize(
        ("resources", "memory_mib"),
        [
            (None, 1769),
            (Resources(memory="64Mi"), 128),
            (Resources(memory="4Gi"), 4096),
            (Resources(cpu=1, memory="1Gi"), 1769),
            (Resources(cpu=2, memory="4Gi"), 4096),
            (Resources(cpu=6), 10240),
            (Resources(memory=("2Gi", "12Gi")), 10240),
            (Resources(cpu=("1", "20")), 10240),
        ],
    )
    def test_memory_follows_memory_and_cpu(self, resources: Resources | None, memory_mib: int) -> None:
        assert fit_lambda(resources) == LambdaSize(memory_mib=memory_mib)

    def test_disk_is_tmp(self) -> None:
        assert fit_lambda(Resources(disk="2Gi")).tmp_mib == 2048

    @pytest.mark.parametrize("resources", [Resources(memory="24Gi"), Resources(cpu=8)])
    def test_too_much_names_the_nearest_and_the_other_way(self, resources: Resources) -> None:
        with pytest.raises(errors.UnsupportedError, match=r"nearest.*memory='10Gi'.*reuse_policy=.*Fargate"):
            fit_lambda(resources)

    def test_too_much_disk_too(self) -> None:
        with pytest.raises(errors.UnsupportedError, match="'10Gi'"):
            fit_lambda(Resources(disk="50Gi"))


class TestFargate:
    @pytest.mark.parametrize(
        ("resources", "cpu_units", "memory_mib"),
        [
            (None, 1024, 2048),
            (Resources(cpu="100m"), 256, 512),
            (Resources(cpu=1, memory="500Mi"), 1024, 2048),
            (Resources(cpu=1, memory="16Gi"), 2048, 16384),
            (Resources(cpu=4, memory="24Gi"), 4096, 24576),
            (Resources(cpu=4, memory="31Gi"), 8192, 32768),
            (Resources(memory="120Gi"), 16384, 122880),
            (Resources(cpu=("2", "4"), memory=("2Gi", "12Gi")), 4096, 12288),
            (Resources(cpu=("2", "64"), memory="4Gi"), 2048, 4096),
        ],
    )
    def test_the_smallest_size_that_fits(
        self, resources: Resources | None, cpu_units: int, memory_mib: int
    ) -> None:
        assert fit_fargate(resources) == FargateSize(cpu_units=cpu_units, memory_mib=memory_mib)

    @pytest.mark.parametrize("resources", [Resources(cpu=17), Resources(memory="121Gi")])
    def test_too_much_names_the_nearest(self, resources: Resources) -> None:
        with pytest.raises(errors.UnsupportedError, match="16 vCPU with 120Gi"):
            fit_fargate(resources)

    def test_disk(self) -> None:
        assert fit_fargate(Resources(disk="10Gi")).disk_gib is None
        assert fit_fargate(Resources(disk="100Gi")).disk_gib == 100
        with pytest.raises(errors.UnsupportedError, match="'200Gi'"):
            fit_fargate(Resources(disk="300Gi"))


@pytest.mark.parametrize("fit", [fit_lambda, fit_fargate])
def test_shared_memory_is_refused_only_when_it_is_deployed(fit: Any) -> None:
    resources = Resources(shm="8Gi")
    with pytest.raises(errors.UnsupportedError, match="shm"):
        fit(resources)
