"""llm, LiteLLM and the inspector of MCP against the service, each as its users start it."""

import json
from pathlib import Path

import pytest

from tests.clients.conftest import ANSWER, QUESTION, Run, program
from tests.harness import Served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

_LITELLM = """
import litellm, sys
url, question = sys.argv[1:]
messages = [{"role": "user", "content": question}]
asked = {"model": "openai/r1-kb", "api_base": url, "api_key": "none", "messages": messages}
message = litellm.completion(**asked).choices[0].message
print(message.content)
print(message.reasoning_content)
print(message.annotations[0]["url_citation"]["title"])
print("".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(**asked, stream=True)))
print(len(litellm.embedding("openai/r1-kb", ["a", "b"], api_base=url, api_key="none").data))
"""


def test_llm(service: Served, run: Run, tmp_path: Path) -> None:
    llm, user = program("llm"), tmp_path / "llm"
    user.mkdir()
    model = {"model_id": "r1-kb", "model_name": "r1-kb", "api_base": f"{service.url}/v1", "api_key_name": "r1-kb"}
    (user / "extra-openai-models.yaml").write_text(json.dumps([model]))
    (user / "keys.json").write_text('{"r1-kb": "none"}')
    for options in ((), ("--no-stream",)):
        said = run(llm, "-m", "r1-kb", *options, QUESTION, LLM_USER_PATH=str(user))
        assert said.strip() == f"{ANSWER} [1]"


def test_litellm(service: Served, run: Run) -> None:
    python = str(Path(program("litellm")).with_name("python"))
    local = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    content, reasoning, title, streamed, vectors = (
        run(python, "-W", "ignore", "-c", _LITELLM, f"{service.url}/v1", QUESTION, **local).strip().splitlines()
    )
    assert (content, streamed) == (f"{ANSWER} [1]", f"{ANSWER} [1]")
    assert (reasoning.strip(), title, vectors) == ("Look for the dome.", "dome.md · Dome", "2")


def test_inspector(service: Served, run: Run) -> None:
    inspector = program("mcp-inspector")

    def asked(*arguments: str) -> dict[str, object]:
        return json.loads(run(inspector, "--cli", f"{service.url}/mcp", "--transport", "http", *arguments))  # type: ignore[no-any-return]

    tools = asked("--method", "tools/list")["tools"]
    assert isinstance(tools, list)
    assert [tool["name"] for tool in tools] == ["search", "ask", "verify", "read", "list_documents"]
    assert all(tool["outputSchema"] and tool["annotations"]["readOnlyHint"] for tool in tools)
    for tool, argument in (("ask", f"question={QUESTION}"), ("verify", f"text={ANSWER}")):
        called = asked("--method", "tools/call", "--tool-name", tool, "--tool-arg", argument)
        content = called["content"]
        assert isinstance(content, list)
        assert ANSWER in content[0]["text"]
        assert content[1]["type"] == "resource_link"
        assert called["structuredContent"]
