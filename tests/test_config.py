"""Settings: what each accepts, which source wins, and that docs/settings.md tells the truth about them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest

import config
from config import SETTINGS, ConfigError, load
from tests.services import ROOT

WRONG = {
    "DATABASE_URL": ["", "vexar.db", "sqlite://", "postgres://localhost/x", "mysql://"],
    "DATA_DIR": [""],
    "UPLOAD_DIR": [""],
    "BIND": ["", "8000", "localhost", ":8000", "127.0.0.1:http", "127.0.0.1:65536", "unix:"],
    "WORKERS": ["", "0", "65", "-1", "two", "1.5"],
    "AI_BASE_URL": ["api.example.com/v1", "ftp://example.com", "http://", "https://example.com/v1?key=1"],
    "AI_EMBEDDING_MODEL": ["m" * 201, "two\nlines", "no-endpoint-for-it"],
    "AI_FALLBACK": ["maybe", "2"],
    "AI_CONNECT_TIMEOUT_S": ["", "0", "-3", "3s", "nan", "inf", "1e3"],
    "AI_FIRST_TOKEN_TIMEOUT_S": ["0"],
    "AI_TOKEN_TIMEOUT_S": ["soon"],
    "AI_ANSWER_TIMEOUT_S": ["0.0"],
    "AI_MAX_ANSWER_CHARS": ["0", "many", "1000001"],
    "REDIS_URL": ["localhost:6379", "http://localhost"],
    "PUBLIC_URL": ["chat.example.com", "https://chat.example.com/#top", "https://chat.example.com:99999", "http://[x"],
    "TRUSTED_PROXIES": ["proxy", "10.0.0.0/33", "10.0.0.1,x"],
    "DEMO": ["demo"],
    "LOG_FORMAT": ["", "xml", "JSON"],
    "MAX_MESSAGE_CHARS": ["0", "1000001"],
    "MAX_BODY_BYTES": ["1023", "64K"],
    "MAX_IMAGE_BYTES": ["10MB"],
    "MAX_IMAGE_PIXELS": ["0"],
    "MAX_IMAGE_SIDE": ["15", "16385"],
    "FETCH_ALLOW": ["everything"],
}  # fmt: skip
LIMITS = [setting.name for setting in SETTINGS if setting.name.startswith("LIMIT_")]
FREE_TEXT = {"SECRET_KEY", "AI_API_KEY", "AI_MODEL", "METRICS_TOKEN"}
WRONG |= {name: ["", "-1", "sixty", "1.5"] for name in LIMITS}
DOCS = ROOT / "docs" / "settings.md"


def read(**values: str) -> config.Config:
    return load({f"VEXAR_{name}": value for name, value in values.items()}, env_file=None)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_one_line_that_names_the_variable(name, value):
    with pytest.raises(ConfigError) as refused:
        read(**{name: value})
    sentence = str(refused.value)
    assert sentence.startswith(f"VEXAR_{name}: ")
    assert "\n" not in sentence
    assert len(sentence) > len(f"VEXAR_{name}: ") + 5


def test_every_setting_that_is_not_free_text_refuses_something():
    assert {setting.name for setting in SETTINGS} == WRONG.keys() | FREE_TEXT


def test_without_any_setting_everything_has_its_default():
    settings = load({}, env_file=None)
    assert settings.database_url == "sqlite:///var/vexar.db"
    assert settings.bind == "127.0.0.1:8000"
    assert (settings.workers, settings.demo, settings.ai_fallback) == (1, False, True)
    assert (settings.limit_messages_per_minute, settings.limit_runs_per_session) == (60, 3)
    assert (settings.max_message_chars, settings.max_body_bytes, settings.max_image_bytes) == (4000, 65536, 10 * 2**20)


def test_values_get_their_types():
    settings = read(
        WORKERS="4", DEMO="On", AI_FALLBACK="0", AI_TOKEN_TIMEOUT_S="0.5", TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8",
        AI_BASE_URL="https://example.com/v1/", DATA_DIR="~/vexar", LIMIT_POLLS_PER_MINUTE="0", BIND="[::1]:80",
    )  # fmt: skip
    assert (settings.workers, settings.demo, settings.ai_fallback, settings.ai_token_timeout_s) == (4, True, False, 0.5)
    assert settings.trusted_proxies == (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"))
    assert settings.ai_base_url == "https://example.com/v1"
    assert settings.data_dir == Path.home() / "vexar"
    assert (settings.limit_polls_per_minute, settings.bind) == (0, "[::1]:80")


def test_blanks_around_a_value_do_not_count():
    assert read(WORKERS=" 3 ").workers == 3


def test_the_environment_wins_over_the_env_file(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("# ours\nVEXAR_WORKERS=2\nexport VEXAR_AI_MODEL='small one'\nOTHER=1\n")
    settings = load({"VEXAR_WORKERS": "3"}, env_file=env_file)
    assert (settings.workers, settings.ai_model) == (3, "small one")


def test_a_wrong_value_in_the_env_file_is_refused_too(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("VEXAR_WORKERS=lots\n")
    with pytest.raises(ConfigError, match="VEXAR_WORKERS"):
        load({}, env_file=env_file)


def test_an_env_file_that_is_not_utf_8_is_refused_in_one_line(tmp_path):
    file = tmp_path / ".env"
    file.write_bytes(b"VEXAR_AI_MODEL=\xff\n")
    with pytest.raises(ConfigError, match=r"\.env: .*UTF-8") as refused:
        load({}, env_file=file)
    assert "\n" not in str(refused.value)


def test_an_env_file_that_is_not_there_is_no_error(tmp_path):
    assert load({}, env_file=tmp_path / ".env").workers == 1


def test_the_env_file_of_the_working_folder_is_read_by_itself(tmp_path):
    (tmp_path / ".env").write_text("VEXAR_AI_MODEL=from-the-file\n")
    script = "import config; print(config.load().ai_model)"
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "from-the-file\n"


def test_gunicorn_refuses_a_wrong_setting_with_one_line(tmp_path):
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "VEXAR_WORKERS": "lots"}
    command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "wsgi:app"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"vexar: VEXAR_WORKERS: must be .*\n", done.stderr)


@pytest.mark.parametrize("name", ["DATA_DIR", "UPLOAD_DIR"])
def test_a_folder_that_cannot_be_made_is_a_wrong_value_at_the_start(tmp_path, name):
    (tmp_path / "file").write_text("in the way")
    folders = {"DATA_DIR": str(tmp_path / "var"), "UPLOAD_DIR": str(tmp_path / "up"), name: str(tmp_path / "file/x")}
    with pytest.raises(ConfigError, match=rf"^VEXAR_{name}: .*file/x.*$"):
        config.make_folders(read(**folders))


def test_folders_are_made_at_the_start_and_kept_from_others(tmp_path):
    environ = {"PATH": os.environ["PATH"], "VEXAR_DATA_DIR": str(tmp_path / "var"), "VEXAR_UPLOAD_DIR": "up"}
    environ["VEXAR_DATABASE_URL"] = "sqlite:///var/vexar.db"
    command = [sys.executable, str(ROOT / "app.py"), "init-db"]
    subprocess.run(command, cwd=tmp_path, env=environ, check=True, capture_output=True, umask=0o022)
    made = list((tmp_path / "var").rglob("*"))
    assert tmp_path / "var" / "vexar.db" in made
    assert not [path for path in [tmp_path / "var", *made] if path.stat().st_mode & 0o007]


def settings_table() -> str:
    """The table of docs/settings.md, made from config.py."""
    lines = ["| setting | default | unit | meaning |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = f"`{setting.default}`" if setting.default else "(empty)"
        meaning = setting.meaning.replace("|", "\\|")
        lines.append(f"| `{setting.variable}` | {default} | {setting.unit} | {meaning[0].upper()}{meaning[1:]}. |")
    return "\n".join(lines) + "\n"


def test_the_docs_list_every_setting_as_it_is():
    """`python -m tests.test_config` writes the table anew."""
    assert settings_table() in DOCS.read_text(encoding="utf-8")


def test_no_page_speaks_of_a_setting_that_does_not_exist():
    known = {setting.variable for setting in SETTINGS}
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*")]
    for page in pages:
        if page.is_file():
            named = set(re.findall(r"\bVEXAR_[A-Z][A-Z0-9_]*[A-Z0-9]\b", page.read_text(encoding="utf-8")))
            assert named <= known, page.name


def test_no_module_speaks_of_a_setting_that_does_not_exist():
    known = {setting.name.lower() for setting in SETTINGS}
    for path in [ROOT / "app.py", *(ROOT / "vexar").rglob("*.py")]:
        if path.exists():
            used = set(re.findall(r"\b(?:self\._)?config\.([a-z_]+)\b(?!\()", path.read_text(encoding="utf-8")))
            assert used <= known, path.name


if __name__ == "__main__":
    page = DOCS.read_text(encoding="utf-8")
    DOCS.write_text(re.sub(r"\| setting \|.*?(?=\n\n|\Z)", lambda _: settings_table().rstrip(), page, flags=re.S))
