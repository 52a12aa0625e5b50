"""compose.yaml says nothing that the product, the Dockerfile or the images would not understand."""

import re
import subprocess
import sys

import pytest

from tests.deploy.compose import REQUIRED, ROOT, Missing, compose, environment, last, proxy_configuration
from tests.services import Redis, or_skip, postgres_programs

SERVICES = compose()["services"]
WEB = [name for name in SERVICES if name.startswith("web")]
IMAGES_VARIABLES = {"database": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"}}
SETTINGS = set(
    re.findall(
        r'(?:setting|required_in_production|env\.str)\(\s*"([A-Z_]+)"',
        (ROOT / "tutor" / "settings.py").read_text(),
    )
)


def test_every_setting_can_be_given_to_the_web_processes_and_nothing_else() -> None:
    """Supabase's two aside, which nothing here needs; FORWARDED_ALLOW_IPS is uvicorn's."""
    assert set(SERVICES["web1"]["environment"]) == SETTINGS - {"SUPABASE_URL", "SUPABASE_ANON_KEY"} | {
        "FORWARDED_ALLOW_IPS"
    }
    assert SERVICES["web1"] == SERVICES["web2"]
    for name, variables in IMAGES_VARIABLES.items():
        assert set(SERVICES[name]["environment"]) == variables


@pytest.mark.parametrize("name", REQUIRED)
def test_nothing_starts_without_what_only_the_operator_knows(name: str) -> None:
    with pytest.raises(Missing, match=rf"^{name} must be"):
        compose({**REQUIRED, name: ""})


def test_the_settings_take_the_environment_of_the_web_processes() -> None:
    shown = "print(s.DEBUG, s.ALLOWED_HOSTS, s.DATABASES['default']['HOST'], s.CHUNK_SIZE)"
    told = subprocess.run(
        [sys.executable, "-c", f"import tutor.settings as s; {shown}"],
        cwd=ROOT,
        env=environment("web1", {**REQUIRED, "CHUNK_SIZE": "7"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.strip() == "False ['tutor.school.example', 'localhost'] database 7", told.stderr


def test_the_services_know_each_other() -> None:
    parts = compose()
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other] or other in WEB, f"{name} waits for {other}"
            else:
                assert how["condition"] == "service_completed_successfully"
                assert SERVICES[other]["restart"] == "no"
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in parts["volumes"]
        for config in service.get("configs", []):
            assert config["source"] in parts["configs"]
        assert name == "proxy" or "ports" not in service, "only the proxy is open to the outside"
    assert set(SERVICES["web1"]["depends_on"]) == {"database", "redis", "migrate"}
    assert set(SERVICES["proxy"]["depends_on"]) == set(WEB)


def test_hosts_and_ports_are_those_of_the_services() -> None:
    settings = SERVICES["web1"]["environment"]
    assert re.search(r"@(\w+):5432/(\w+)$", settings["DATABASE_URL"])[1] in SERVICES
    assert re.search(r"//(\w+):6379/", settings["REDIS_URL"])[1] in SERVICES
    password = SERVICES["database"]["environment"]["POSTGRES_PASSWORD"]
    assert settings["DATABASE_URL"].startswith(f"postgres://tutor:{password}@")
    port = last("EXPOSE").rest
    assert last("CMD").words[-1] == port
    named = re.findall(r"^\s*server (\S+) (\w+):(\d+)", proxy_configuration(), re.MULTILINE)
    assert {(host, number) for _, host, number in named} == {(name, port) for name in WEB}
    assert [name for name, *_ in named] == [*WEB, *(f"{name}-unready" for name in WEB)]
    bound = re.search(r"bind :(\d+)", proxy_configuration())
    assert bound
    assert SERVICES["proxy"]["ports"] == [f"8080:{bound[1]}"]


def test_images_are_pinned_by_minor_version() -> None:
    """PostgreSQL's minor versions are its patches."""
    for name in ("database", "redis", "proxy"):
        assert re.fullmatch(r"(postgres:\d+|[a-z]+:\d+\.\d+)", SERVICES[name]["image"])
    assert {SERVICES[name]["image"] for name in [*WEB, "migrate"]} == {"tutor"}


@pytest.mark.parametrize("name", [*WEB, "migrate", "proxy"])
def test_what_is_ours_may_do_little(name: str) -> None:
    service = SERVICES[name]
    # Compose cannot copy an inline configuration into a container that is read-only.
    assert service.get("read_only", False) != ("configs" in service)
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_web_processes_have_time_to_let_their_students_go() -> None:
    from tutor.serve import KILL_SECONDS

    assert int(SERVICES["web1"]["stop_grace_period"].removesuffix("s")) > KILL_SECONDS + 2


class ComposeRedis(Redis):
    """Redis with the options of compose.yaml."""

    def _command(self) -> list[str]:
        _, *options = SERVICES["redis"]["command"]
        return [str(self._program), *options, "--port", str(self.port), "--dir", str(self.folder)]


def test_redis_takes_its_options() -> None:
    import redis

    with or_skip(ComposeRedis) as running, redis.Redis.from_url(running.database()) as client:
        kept = client.config_get("save", "appendonly", "maxmemory-policy", "maxmemory")
    assert kept == {
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "maxmemory": str(2**30),
    }


def test_postgresql_takes_its_health_check() -> None:
    _, program, *options = SERVICES["database"]["healthcheck"]["test"]
    command = [str(or_skip(postgres_programs) / program), *options, "--port=1"]
    # 2: nobody answers there. 3 would be: it did not understand.
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
