"""What is shipped for containers: it is what their formats allow, and names what there is here."""

import re
import subprocess
import sys
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from monitor.adapters.keys import SharedKey
from monitor.cli.app import build
from monitor.settings.table import table
from tests.architecture.test_docs import fault_of
from tests.architecture.test_repository import committed
from tests.parts.running import script, untested

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
FILES: Final = ("compose.yml", "compose.cluster.yml")
VERSION: Final = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
OURS: Final = f"redpost:{VERSION[1] if VERSION else ''}"
_PINNED: Final = re.compile(r"[a-z0-9]+(?:/[a-z0-9-]+)?:v?\d+\.\d+(?:\.\d+)?(?:-[a-z0-9-]+)?")
"""An image by name and version, of no host in particular."""


@cache
def compose(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8")))


def services(name: str) -> dict[str, dict[str, Any]]:
    return dict(compose(name)["services"])


def ours(name: str) -> dict[str, dict[str, Any]]:
    return {service: facts for service, facts in services(name).items() if facts["image"].startswith("redpost:")}


EACH: Final = [(name, service) for name in FILES for service in services(name)]


@cache
def steps() -> tuple[Any, ...]:
    """The instructions of the Dockerfile, by Docker's own parser."""
    try:
        import dockerfile
    except ImportError:
        untested("there is no wheel of `dockerfile` for this machine, so the Dockerfile was NOT tested")
    return tuple(dockerfile.parse_file(str(DEPLOY / "Dockerfile")))


def last_stage() -> list[Any]:
    begins = [i for i, step in enumerate(steps()) if step.cmd.upper() == "FROM"]
    return list(steps()[begins[-1]:])


def of(kind: str, among: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [step for step in among if step.cmd.upper() == kind]


def setting_of(variable: str) -> str:
    return variable.removeprefix("REDPOST_").lower().replace("__", ".")


def settings() -> set[str]:
    return {*table(), *(row.twin for row in table().values() if row.twin)}


def in_context(path: str) -> bool:
    """Whether .dockerignore lets it into the build."""
    seen = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.strip().removeprefix("!").removeprefix("**/")
        if pattern and not line.startswith("#") and any(
                fnmatchcase(part, pattern) for part in (path, *map(str, Path(path).parents), Path(path).name)):
            seen = line.startswith("!")
    return seen


def test_images_are_pinned_by_version() -> None:
    found = [step.value[0].partition("=")[2] for step in of("ARG", steps()[:4])]
    assert len(found) == 2 and all(map(_PINNED.fullmatch, found))
    stages = {step.value[2] for step in of("FROM", steps()) if len(step.value) > 1}
    assert stages == {"console", "built"}
    assert {step.value[0] for step in of("FROM", steps())} <= {"${NODE}", "${PYTHON}"}


def test_what_is_copied_is_there_and_let_in() -> None:
    copied = [path for step in of("COPY", steps()) if not step.flags for path in step.value[:-1]]
    assert "pyproject.toml" in copied and "deploy/locks/image.txt" in copied
    files = committed()
    for path in copied:
        inside = [file for file in files if file == path or file.startswith(f"{path}/")]
        assert inside, f"{path} is not there"
        assert [file for file in inside if not in_context(file)] == []
    assert not in_context("tests/__init__.py") and not in_context("deploy/secrets/pseudonym_key")
    assert not in_context("monitor/console/node_modules/x/index.js")


def test_everything_that_the_wheel_holds_is_let_in() -> None:
    import tomllib

    with (ROOT / "pyproject.toml").open("rb") as file:
        wheel = tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]
    for path in (*wheel["packages"], *wheel["force-include"]):
        assert all(map(in_context, [file for file in committed() if file.startswith(f"{path}/")])), path


def test_what_is_installed_is_locked() -> None:
    installs = [part for step in of("RUN", steps()) for part in " ".join(step.value).split("&&")
                if re.search(r"\bpip\b.* (?:install|wheel) ", part)]
    assert len(installs) == 3
    assert all("--require-hashes" in part or {"--no-index", "--no-deps"} <= set(part.split()) for part in installs)
    assert any("npm ci" in " ".join(step.value) for step in of("RUN", steps()))


def test_it_runs_without_rights_keeps_its_data_and_says_how_it_is() -> None:
    stage = last_stage()
    user = of("USER", stage)[0].value[0]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert of("VOLUME", stage)[0].value == ("/var/lib/redpost",)
    health = of("HEALTHCHECK", stage)[0]
    assert "/healthz" in health.value[-1] and f":{table()['http.port'].default}/" in health.value[-1]
    compile(health.value[-1], "healthcheck", "exec")
    assert of("EXPOSE", stage)[0].value == (str(table()["http.port"].default),)
    assert (of("ENTRYPOINT", stage)[0].value, of("CMD", stage)[0].value) == (("redpost",), ("serve",))
    variables = [name for step in of("ENV", stage) for name in step.value if name.startswith("REDPOST_")]
    assert len(variables) >= 3 and {setting_of(name) for name in variables} <= settings()


@pytest.mark.parametrize("name", FILES)
def test_compose_files_are_what_compose_allows(name: str) -> None:
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(DEPLOY / name)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "service"), EACH)
def test_a_service_uses_what_there_is(name: str, service: str) -> None:
    whole, facts = compose(name), services(name)[service]
    assert facts["image"] == OURS or _PINNED.fullmatch(facts["image"])
    assert all(port.startswith("127.0.0.1:") for port in facts.get("ports", ()))
    for secret in facts.get("secrets", ()):
        assert whole["secrets"][secret]["file"] == f"./secrets/{secret}"
    for volume in facts.get("volumes", ()):
        source = volume.partition(":")[0]
        assert (DEPLOY / source).is_file() if source.startswith(".") else source in whole["volumes"]
    for other, how in facts.get("depends_on", {}).items():
        waited = services(name)[other]
        if how["condition"] == "service_healthy":
            assert "test" in waited["healthcheck"]
        else:
            assert how["condition"] == "service_completed_successfully" and waited["restart"] == "on-failure"


@pytest.mark.parametrize("name", FILES)
def test_ours_are_told_what_they_know(name: str) -> None:
    for service, facts in ours(name).items():
        assert fault_of(facts["command"]) == "" and build().parse_commands(facts["command"])[0], service
        variables = facts.get("environment", {})
        assert {setting_of(each) for each in variables} <= settings(), service
        assert all(isinstance(value, str) for value in variables.values())
        files = [value for each, value in variables.items() if setting_of(each).endswith("_file")]
        assert [f"/run/secrets/{secret}" for secret in facts.get("secrets", ())] == files
        assert facts["read_only"] and facts["cap_drop"] == ["ALL"]
        context = (DEPLOY / facts["build"]["context"]).resolve()
        assert context == ROOT and (context / facts["build"]["dockerfile"]).is_file()


def test_each_node_has_a_data_folder_of_its_own_and_waits_for_what_is_made_once() -> None:
    nodes = {name: facts for name, facts in ours(FILES[1]).items() if facts["command"] in (["worker"], ["web"])}
    assert sum(facts["command"] == ["worker"] for facts in nodes.values()) == 3 and len(nodes) == 5
    assert all(f"{name}:/var/lib/redpost" in facts["volumes"] for name, facts in nodes.items())
    assert all("shared:/shared" in facts["volumes"] for facts in nodes.values())
    assert all(facts["depends_on"].keys() == {"migrate", "topics"} for facts in nodes.values())


def test_brokers_are_set_as_those_of_the_tests() -> None:
    known = set(re.findall(r"^([a-z.]+)=", (DEPLOY / "dev/kafka.sh").read_text(encoding="utf-8"), re.MULTILINE))
    brokers = {name: facts for name, facts in services(FILES[1]).items() if name.startswith("kafka-")}
    listed = ours(FILES[1])["topics"]["environment"]["REDPOST_BUS__BROKERS"].split(",")
    assert listed == [f"{name}:9092" for name in brokers] and len(listed) == 3
    pom = (DEPLOY / "dev/kafka/pom.xml").read_text(encoding="utf-8")
    for name, facts in brokers.items():
        given = {variable.removeprefix("KAFKA_").lower().replace("_", ".") for variable in facts["environment"]
                 if variable not in ("CLUSTER_ID", "KAFKA_HEAP_OPTS")}
        assert given <= known, given - known
        assert facts["environment"]["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{name}:9092"
        assert f"{facts['environment']['KAFKA_NODE_ID']}@{name}:9093" in facts["environment"][
            "KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",")
        assert f"<version>{facts['image'].partition(':')[2]}</version>" in pom


def test_prometheus_scrapes_all_of_them() -> None:
    tool = script("promtool.sh")
    done = subprocess.run([tool, "check", "config", "--syntax-only", str(DEPLOY / "prometheus/prometheus.yml")],  # noqa: S603
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    read = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
    (job,) = read["scrape_configs"]
    nodes = {f"{name}:{table()['http.port'].default}" for name, facts in ours(FILES[1]).items()
             if facts["command"] in (["worker"], ["web"])}
    assert set(job["static_configs"][0]["targets"]) == nodes
    assert set(job["dns_sd_configs"][0]["names"]) <= ours(FILES[1]).keys()
    mounted = [volume.split(":")[1] for volume in services(FILES[1])["prometheus"]["volumes"]]
    assert [f"/etc/prometheus/{file}" for file in ("prometheus.yml", *read["rule_files"])] == mounted[:2]
    assert job["authorization"]["credentials_file"] == "/run/secrets/metrics_token"


def test_secrets_are_made_once_and_fit(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"

    def made() -> dict[str, str]:
        done = subprocess.run([DEPLOY / "secrets.sh", folder], capture_output=True, text=True, check=False)  # noqa: S603
        assert done.returncode == 0, done.stderr
        return {path.name: path.read_text(encoding="ascii") for path in folder.iterdir()}

    first = made()
    assert first.keys() == compose(FILES[1])["secrets"].keys()
    assert first["store_url"] == f"postgresql://redpost:{first['postgres_password']}@postgres/redpost"
    assert first["postgres_password"] != first["pseudonym_key"] and first["metrics_token"] == ""
    assert len(SharedKey(str(folder / "pseudonym_key")).key_of("local")) == 32
    assert folder.stat().st_mode & 0o077 == 0
    (folder / "metrics_token").write_text("rp_x", encoding="ascii")
    assert made() == first | {"metrics_token": "rp_x"}
