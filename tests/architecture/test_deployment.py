"""The examples for serving others agree with the program: what an image has, how large uploads are, what is closed."""

from __future__ import annotations

import configparser
import re
import tomllib

import yaml

from tests.conftest import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_the_image_has_everything_that_an_installed_package_has():
    kept = {line[1:].partition("/")[0] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    wheel = tomllib.loads(read("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*wheel["packages"], *wheel["force-include"], "requirements.lock"} <= kept
    assert all((ROOT / name).exists() for name in kept)


def test_a_container_has_no_rights_and_no_way_out():
    compose = yaml.safe_load(read("compose.yaml"))
    for service in compose["services"].values():
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["build"] == "."
        assert service["volumes"] == ["store:/srv/store"] and "no-new-privileges:true" in service["security_opt"]
    dashboard, commands = compose["services"]["dashboard"], compose["services"]["narratives"]
    assert all(port.startswith("127.0.0.1:") for port in dashboard["ports"])
    assert commands["network_mode"] == "none"
    [network] = (compose["networks"][name] for name in dashboard["networks"])
    assert network["driver_opts"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    dockerfile = read("Dockerfile")
    assert re.findall(r"^USER (\w+)", dockerfile, re.MULTILINE) == ["narratives"]
    assert "--require-hashes" in dockerfile and "/_stcore/health" in dockerfile


def test_the_proxy_accepts_the_largest_upload_and_little_more():
    largest = tomllib.loads(read(".streamlit/config.toml"))["server"]["maxUploadSize"]
    assert re.findall(r"client_max_body_size (\d+)m;", read("deploy/nginx.conf")) == [str(largest + 1)]


def test_the_proxy_says_that_it_forwards():
    """Without these headers the dashboard takes every visitor for the user of its machine."""
    sent = re.findall(r'proxy_set_header (\S+) (?!"")', read("deploy/nginx.conf"))
    assert {"X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"} <= set(sent)


def test_the_service_unit_can_be_read():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(re.findall(r"```ini\n(.*?)```", OPERATIONS, re.DOTALL)[0])
    assert unit["Service"]["ExecStart"].endswith("-m narratives dashboard --port 8501")
    assert unit["Service"]["ProtectSystem"] == "strict" and unit["Service"]["IPAddressDeny"] == "any"
