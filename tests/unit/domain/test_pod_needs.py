"""What a pod may be said to need."""

from __future__ import annotations

from typing import Any

import pytest

from kubescribe import pipeline
from kubescribe.domain.errors import BadDeclaration
from kubescribe.domain.pod_needs import PodNeeds


@pytest.mark.parametrize("memory", ["1Gi", "512Mi", "1.5G", "1073741824", "64k"])
@pytest.mark.parametrize("cpu", ["1", "0.5", "250m", "16"])
def test_what_kubernetes_takes(memory: str, cpu: str) -> None:
    assert PodNeeds(memory=memory, cpu=cpu).memory == memory


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"memory": "1GB"}, "'1GB'"),
        ({"memory": "128m"}, "'128m'"),
        ({"memory": "0"}, "memory"),
        ({"memory": ""}, "memory"),
        ({"memory": 1024}, "memory"),
        ({"cpu": "0"}, "cpu"),
        ({"cpu": "half"}, "'half'"),
        ({"cpu": "-1"}, "cpu"),
        ({"image": ""}, "image"),
        ({"image": "a b"}, "image"),
        ({"secrets": ("UPPER",)}, "'UPPER'"),
        ({"secrets": ("../etc",)}, "secrets"),
    ],
)
def test_what_it_would_refuse_is_refused_at_the_declaration(wrong: dict[str, Any], named: str) -> None:
    def job(run: object) -> None: ...

    with pytest.raises(BadDeclaration, match=named) as refused:
        pipeline(**wrong)(job)
    assert "test_pod_needs" in str(refused.value)


def test_the_decorators_words_are_the_pods() -> None:
    @pipeline(memory="2Gi", cpu=1.5, image="jobs:7", secrets=["crm", "erp"])
    def job(run: object) -> None: ...

    assert job.pipeline.pod == PodNeeds(memory="2Gi", cpu="1.5", image="jobs:7", secrets=("crm", "erp"))
