"""The way to a server: what is in it, and what is said when it fails."""

import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest

from kb.adapters.openai_api import connection
from kb.adapters.openai_api.model import open_remote_model
from kb.errors import ModelError, ModelUnreachable, SettingsError
from kb.models.remote import RemoteModel, remote_model
from kb.settings import load
from kb.values.chat import GenerationOptions, Message
from tests.remote_doubles import KEY, VLLM, Refusal
from tests.remote_servers import engine, serving


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PAUSES_SECONDS", (0.01,))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai:a@http://h:8000", RemoteModel("openai", "a", "http://h:8000/v1")),
        ("openai:a/b@c@https://h/api/v1/", RemoteModel("openai", "a/b@c", "https://h/api/v1")),
        ("ollama:r1:8b@http://127.0.0.1:11434", RemoteModel("ollama", "r1:8b", "http://127.0.0.1:11434")),
        ("ollama:r1:8b@http://[::1]:11434/v1", RemoteModel("ollama", "r1:8b", "http://[::1]:11434")),
        ("hf:owner/repo/file.gguf", None),
        ("deepseek-r1-distill-qwen-7b", None),
        ("", None),
    ],
)
def test_name_of_a_model_on_a_server(name: str, expected: RemoteModel | None) -> None:
    assert remote_model(name) == expected


@pytest.mark.parametrize(
    "name", ["openai:a", "openai:@http://h", "openai:a@ftp://h", "openai:a@http://", "ollama:a@http://h:x", "openai:"]
)
def test_odd_name_is_refused_with_the_form(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        remote_model(name)
    assert "openai:MODEL@URL" in caught.value.hint


def test_key_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        remote_model("openai:a@https://user:sk-secret@h/v1")
    assert "sk-secret" not in f"{caught.value.message}{caught.value.hint}"


def test_which_machine_is_elsewhere() -> None:
    urls = {"http://127.0.0.1:1": False, "http://localhost": False, "http://[::1]": False, "https://API.x.com": True}
    assert {url: RemoteModel("openai", "a", url).is_elsewhere for url in urls} == urls
    assert RemoteModel("openai", "a", "https://API.x.com").host == "api.x.com"


def test_key_comes_from_environment_or_file_and_is_for_one_host(tmp_path: Path) -> None:
    model = "openai:a@https://api.example.com/v1"
    mine, other = RemoteModel("openai", "b", "https://api.example.com"), RemoteModel("openai", "a", "https://evil.com")
    settings = load({"KB_API_KEY": KEY}, home=tmp_path, model=model)
    assert (settings.key_for(mine), settings.key_for(other)) == (KEY, "")
    assert KEY not in f"{settings!r} {settings} {settings.model_dump_json()}"
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert load({}, home=tmp_path, model=model, api_key_file=str(tmp_path / "key")).key_for(mine) == KEY
    for content in ("", "two words"):
        (tmp_path / "key").write_text(content)
        with pytest.raises(SettingsError, match="holds no key"):
            load({}, home=tmp_path, model=model, api_key_file=str(tmp_path / "key")).key_for(mine)
    with pytest.raises(SettingsError, match="cannot be read"):
        load({}, home=tmp_path, model=model, api_key_file=str(tmp_path / "none")).key_for(mine)


def test_only_hosts_that_are_allowed_are_asked(tmp_path: Path) -> None:
    allowed = {"KB_REMOTE_ALLOW": "api.example.com, Other.example.com"}
    load(allowed, home=tmp_path, model="openai:a@https://other.example.com")
    load(allowed, home=tmp_path, model="ollama:a@http://127.0.0.1:11434")
    with pytest.raises(SettingsError, match=r"api\.deepseek\.com"):
        load(allowed, home=tmp_path, model="openai:a@https://api.deepseek.com")


def _open(url: str) -> None:
    model = remote_model(f"openai:some-model@{url}")
    assert model
    open_remote_model(model).close()


def test_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(ModelUnreachable, match="nothing answers at") as caught:
            _open(url)
    assert "start the server" in caught.value.hint
    monkeypatch.setenv("HTTP_PROXY", url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(ModelUnreachable):
        _open("http://models.example.com")


def test_machine_that_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ModelUnreachable, match=r"no machine is called nowhere\.invalid"):
        _open("http://nowhere.invalid")


def test_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "odd://proxy")
    with pytest.raises(ModelError) as caught:
        _open("http://models.example.com")
    assert "PROXY" in caught.value.hint


def test_what_listens_on_this_machine_is_not_asked_for_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with serving(VLLM()) as url:
        _open(url)


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(key), "-out", str(certificate), "-days", "2"]
    subprocess.run([*command, *subject, *files], check=True, capture_output=True)
    return key, certificate


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_certificate_that_nobody_trusts_is_told_with_what_to_do(tmp_path: Path) -> None:
    key, certificate = _certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            for _ in range(2):
                connected, _ = server.accept()
                try:
                    context.wrap_socket(connected, server_side=True).close()
                except OSError:
                    connected.close()

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(ModelUnreachable, match="certificate is not trusted") as caught:
            _open(f"https://localhost:{server.getsockname()[1]}")
    assert "SSL_CERT_FILE" in caught.value.hint


def test_server_without_tls_is_told_so() -> None:
    with serving(VLLM()) as url, pytest.raises(ModelUnreachable, match="does not speak TLS") as caught:
        _open(url.replace("http:", "https:"))
    assert "http://" in caught.value.hint


def test_error_repeats_no_more_than_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    double = VLLM(failures=[Refusal(418, "<html>\n" + "x" * 5000 + f" {KEY}</html>")])
    with engine(double, monkeypatch) as model, pytest.raises(ModelError) as caught:
        list(model.stream([Message("user", "?")], GenerationOptions()))
    assert len(caught.value.message) < 400
