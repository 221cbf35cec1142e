"""Settings: each documented, a bad value named by the variable it came from."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy.engine import make_url

from server.settings import BadSetting, Settings

README = Path(__file__).parents[2] / "README.md"
NAMES = sorted(Settings.model_fields)
each = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(f"UNMASK_{name.upper()}", raising=False)


@each
def test_each_setting_is_described(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description is not None
    assert description.endswith(".")


@each
def test_each_setting_is_documented(name: str) -> None:
    assert f"`UNMASK_{name.upper()}`" in README.read_text(encoding="utf-8")


def test_the_defaults_stand_without_any_variable() -> None:
    assert Settings.from_env() == Settings()
    assert Settings().public_lookup is False


def test_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNMASK_PORT", "8080")
    monkeypatch.setenv("UNMASK_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("UNMASK_PUBLIC_LOOKUP", "true")
    monkeypatch.setenv("UNMASK_FETCH_ALLOW", "10.0.0.0/8, fd00::/8")
    monkeypatch.setenv("PORT", "1")
    settings = Settings.from_env()
    assert (settings.port, settings.data_dir, settings.public_lookup) == (8080, tmp_path, True)
    assert settings.fetch_allow == "10.0.0.0/8, fd00::/8"


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNMASK_PORT", "")
    assert Settings.from_env().port == 8000


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_trust_list_holds_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "trust.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("UNMASK_TRUST_LIST", str(path))
    with pytest.raises(BadSetting, match="UNMASK_TRUST_LIST"):
        Settings.from_env()
    path.write_text("-----BEGIN CERTIFICATE-----")
    assert Settings.from_env().trust_list == path


@pytest.mark.parametrize(("name", "hint"), [("UNMASK_PROT", " Is it UNMASK_PORT?"), ("UNMASK_XYZZY_QUUX", "")])
def test_a_slip_in_a_name_is_named(monkeypatch: pytest.MonkeyPatch, name: str, hint: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(BadSetting) as refused:
        Settings.from_env()
    assert str(refused.value) == f"{name}: there is no such setting.{hint}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UNMASK_PORT", "eighty"),
        ("UNMASK_PORT", "0"),
        ("UNMASK_PORT", "65536"),
        ("UNMASK_PUBLIC_LOOKUP", "perhaps"),
        ("UNMASK_KEEP_MEDIA", "forever"),
        ("UNMASK_LOG_LEVEL", "loud"),
        ("UNMASK_FACE_FINDER", "yolo"),
        ("UNMASK_FETCH_ALLOW", "10.0.0.0/8, everywhere"),
        ("UNMASK_FETCH_ALLOW", "10.0.0.1/8"),
        ("UNMASK_LEASE_SECONDS", "inf"),
        ("UNMASK_LEASE_SECONDS", "nan"),
        ("UNMASK_URL_HOURS", "inf"),
        ("UNMASK_URL_HOURS", "1e12"),
        ("UNMASK_VERDICT_DAYS", "1000000000"),
        ("UNMASK_RATE_LOOKUPS", "a lot"),
        ("UNMASK_RATE_CHECKS", "60/fortnight"),
        ("UNMASK_RATE_LOGINS", "ten/minute"),
    ],
)
def test_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as refused:
        Settings.from_env()
    assert str(refused.value).startswith(f"{name}: ")
    assert value in str(refused.value)


def test_a_bad_address_is_not_repeated_with_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNMASK_DATABASE_URL", "postgresql+psycopg//unmask:hunter2@db/unmask")
    with pytest.raises(BadSetting, match="UNMASK_DATABASE_URL") as refused:
        Settings.from_env()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_that_each_process_would_have_for_itself_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("UNMASK_DATABASE_URL", address)
    with pytest.raises(BadSetting, match=r"UNMASK_DATABASE_URL: .* needs a file"):
        Settings.from_env()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]


@pytest.mark.parametrize("folder", ["data", "with space", "100%", "a#b", "ä"])
def test_everything_lies_in_the_data_folder(tmp_path: Path, folder: str) -> None:
    settings = Settings(data_dir=tmp_path / folder)
    assert make_url(settings.database).database == str(tmp_path / folder / "unmask.db")
    assert settings.evidence == f"file://{tmp_path / folder}/evidence"
    assert settings.spool == tmp_path / folder / "spool"


def test_addresses_given_win() -> None:
    settings = Settings(database_url="sqlite:////x.db", evidence_url="memory://e", public_url="https://unmask.example/")
    assert settings.database == "sqlite:////x.db"
    assert settings.evidence == "memory://e"
    assert settings.address == "https://unmask.example"
    assert Settings(host="0.0.0.0", port=81).address == "http://0.0.0.0:81"
