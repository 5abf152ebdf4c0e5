"""How files reach S3: as boto3's configuration says, or as the environment of an executor does."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from upwell._aws.clients import Clients
from upwell._aws.s3_access import access_of_clients, access_of_process
from upwell.errors import UsageError

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        *KEYS,
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_a_profile_gives_region_endpoint_and_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        "[profile team]\nregion = eu-west-1\nendpoint_url = https://s3.example.com\n"
        "credential_process = echo "
        '\'{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c", '
        '"Expiration": "2999-01-01T00:00:00Z"}\'\n'
    )
    access = access_of_clients(Clients(profile="team"))
    assert (access.region, access.endpoint) == ("eu-west-1", "https://s3.example.com")
    given = access.credentials()
    assert (given["access_key_id"], given["secret_access_key"], given["token"]) == ("a", "b", "c")
    assert 0 < (given["expires_at"] - datetime.now(UTC)).total_seconds() <= 600
    monkeypatch.setenv("AWS_PROFILE", "team")
    assert access_of_process().region == "eu-west-1"


def test_what_is_given_stands_for_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://elsewhere")
    environment = {**KEYS, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    access = access_of_clients(Clients(environment=environment))
    assert access.endpoint == "http://127.0.0.1:4566"
    assert access.credentials()["access_key_id"] == "key"


def test_without_credentials_the_error_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no usable AWS credentials for S3"):
        access_of_clients(Clients(region="us-east-1"))


def test_an_executor_needs_no_boto3_to_move_files() -> None:
    access = access_of_process({**KEYS, "AWS_REGION": "eu-west-1", "AWS_SESSION_TOKEN": "t"})
    assert access.endpoint == "https://s3.eu-west-1.amazonaws.com"
    assert access.credentials()["token"] == "t"
    emulated = {
        **KEYS,
        "AWS_DEFAULT_REGION": "r",
        "AWS_ENDPOINT_URL": "http://a",
        "AWS_ENDPOINT_URL_S3": "http://b",
    }
    assert access_of_process(emulated).endpoint == "http://b"
    code = (
        "import sys; from upwell._aws.s3_transfer import S3Transfer; "
        "S3Transfer().locate('s3://b/k'); assert 'boto3' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**KEYS, "AWS_REGION": "eu-west-1"})
