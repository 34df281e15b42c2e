"""Which Ray cluster is joined, and what is said when there is none: before anything of Ray's runs."""

from pathlib import Path

import pytest

from cluster.errors import SettingsError, Unavailable
from cluster.gcs import Gcs, listens
from cluster.head import free_port
from cluster.settings import load_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of settings that says nothing of Ray."""
    file = tmp_path / "settings.yaml"
    file.write_text(f"root: {tmp_path}\n")
    return file


@pytest.mark.parametrize(
    ("said", "variables", "address"),
    [
        ("", {}, None),
        ("", {"RAY_ADDRESS": ""}, None),
        ("", {"RAY_ADDRESS": "10.0.0.1:6379"}, "10.0.0.1:6379"),
        ("ray: {namespace: mine}", {"RAY_ADDRESS": "10.0.0.1:6379"}, "10.0.0.1:6379"),
        ("ray: {address: auto}", {"RAY_ADDRESS": "10.0.0.1:6379"}, "auto"),
        ("ray: {address: null}", {"RAY_ADDRESS": "10.0.0.1:6379"}, None),
        ("", {"RAY_ADDRESS": "10.0.0.1:6379", "BRIGHTROOM_RAY__ADDRESS": "10.0.0.2:6379"}, "10.0.0.2:6379"),
        ("", {"RAY_ADDRESS": "10.0.0.1:6379", "BRIGHTROOM_RAY__ADDRESS": "null"}, None),
    ],
)
def test_rays_own_variable_names_the_cluster_where_no_setting_does(
    file: Path, monkeypatch: pytest.MonkeyPatch, said: str, variables: dict[str, str], address: str | None
):
    """A null that is written out is a setting: a head of our own, whatever the environment of a shell says."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    file.write_text(f"{file.read_text()}{said}\n")

    assert load_settings(file).ray.address == address


@pytest.mark.parametrize("address", ["local", "ray://10.0.0.1:10001", "http://10.0.0.1:8265"])
@pytest.mark.parametrize("variable", ["RAY_ADDRESS", "BRIGHTROOM_RAY__ADDRESS"])
def test_what_is_no_gcs_address_is_refused_and_the_variable_named(
    file: Path, monkeypatch: pytest.MonkeyPatch, variable: str, address: str
):
    """`ray job submit` wants the dashboard's address in the same variable; Ray's client is no member of the cluster."""
    monkeypatch.setenv(variable, address)

    with pytest.raises(SettingsError, match=f"{variable}.*not the address of a cluster's GCS.*host:6379"):
        load_settings(file)


def test_where_nobody_listens_is_a_sentence():
    """Ray itself would try for two minutes."""
    address = f"127.0.0.1:{free_port()}"

    assert not listens(address)
    with pytest.raises(Unavailable, match=r"no Ray cluster answers at .*; start that cluster, or mend ray\.address"):
        Gcs(address)


@pytest.mark.parametrize("address", ["nowhere.invalid:6379", "127.0.0.1", "127.0.0.1:port", "[::1]:1"])
def test_an_address_that_leads_nowhere_has_nobody_who_listens(address: str):
    """Whatever is wrong with it."""
    assert not listens(address)
