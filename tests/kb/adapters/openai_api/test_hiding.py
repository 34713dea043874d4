"""What a server gets to see of personal data: nothing, with all that is asked of it."""

import json
from pathlib import Path

import pytest

from kb.adapters.openai_api.model import CountingLookingModel, open_remote_model
from kb.adapters.openai_api.texts import RemoteEmbedder, RemoteReranker
from kb.adapters.personal_data import find_personal
from kb.models.remote import remote_model
from kb.settings import load
from kb.values.chat import Delta, GenerationOptions, Look, Message
from kb.values.happenings import Happening, PersonalDataHidden
from kb.wiring import load_answering_model
from tests.remote_doubles import VLLM
from tests.remote_servers import serving
from tests.text_doubles import TextServer

PHONE, IDENTITY = "13812345678", "11010519491231002X"
TEXT = f"Li Lei (mobile {PHONE}, identity card {IDENTITY}) has the key."
FIND = find_personal(["CN"])


def seen(double: VLLM | TextServer) -> str:
    return json.dumps([body for _, _, body in double.requests], ensure_ascii=False)


def test_an_engine_elsewhere_sees_placeholders_and_its_answer_is_restored() -> None:
    double = VLLM(answer=("His", " number", " is", " PHONE", "_", "1", "."))
    told: list[Happening] = []
    with serving(double) as url:
        remote = remote_model(f"openai:{double.model}@{url}")
        assert remote
        model = open_remote_model(remote, double.key, observe=told.append, find=FIND)
        assert isinstance(model, CountingLookingModel)
        messages = [Message("user", f"{TEXT} What is his number?")]
        look = Look((Message("user", f"{TEXT} Is {PHONE} there?"),), "Yes", "No")
        assert model.count_tokens(TEXT) > 0
        assert model.prompt_tokens(messages) > 0
        items = list(model.stream_after_looks([look], messages, GenerationOptions(seconds=10)))
        model.close()
    assert "".join(each.text for each in items if isinstance(each, Delta)) == f"His number is {PHONE}."
    assert PHONE not in seen(double)
    assert IDENTITY not in seen(double)
    assert "mobile PHONE_1, identity card ID_NUMBER_1" in seen(double)
    assert PersonalDataHidden("remote", {"phone": 1, "id_number": 1}) in told


def test_texts_to_be_embedded_or_ranked_elsewhere_have_placeholders() -> None:
    double = TextServer()
    with serving(double) as url:
        remote = remote_model(f"openai:{double.model}@{url}")
        assert remote
        embedder, reranker = RemoteEmbedder(remote, double.key, FIND), RemoteReranker(remote, double.key, FIND)
        alone, among = embedder.embed_passages([TEXT]), embedder.embed_passages([f"Ring 13987654321. {TEXT}", TEXT])
        embedder.embed_query(f"Whose number is {PHONE}?")
        reranker.scores(f"Whose number is {PHONE}?", [TEXT, "Ring 13987654321."])
        embedder.close()
        reranker.close()
    assert (alone[0] == among[1]).all()  # whatever stands beside it
    assert not any(number in seen(double) for number in (PHONE, IDENTITY, "13987654321"))


@pytest.mark.parametrize(
    ("choice", "host", "hides"),
    [
        ("mask-remote", "elsewhere.example", True),
        ("mask", "elsewhere.example", True),
        ("mark", "elsewhere.example", False),
        ("off", "elsewhere.example", False),
        ("mask-remote", "", False),
    ],
)
def test_the_setting_says_what_is_hidden_and_from_whom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: str, host: str, hides: bool
) -> None:
    double = VLLM()
    with serving(double) as url:
        if host:  # the double is the proxy on the way to it
            monkeypatch.setenv("HTTP_PROXY", url.removesuffix("/v1"))
            monkeypatch.delenv("NO_PROXY", raising=False)
        name = f"openai:{double.model}@{f'http://{host}/v1' if host else url}"
        settings = load({}, home=tmp_path, models=tmp_path, model=name, pii=choice, api_key=double.key)
        model = load_answering_model(settings, lambda _: None)
        list(model.stream([Message("user", TEXT)], GenerationOptions(seconds=10)))
        model.close()
    assert (PHONE not in seen(double)) == hides
    assert "Li Lei" in seen(double)
