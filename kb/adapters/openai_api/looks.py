"""Reads a look out of the probabilities that a server gives with a reply.

Pure. A server shows some twenty likely tokens at each place. Of two words, the tokens at the first place count that are
a beginning of one of them and not of the other.
"""

import math
from typing import Any

from kb.values.chat import Look

SHOWN_TOKENS = 20
"""Most that vLLM, OpenAI, DeepSeek and Ollama give."""


def margin(look: Look, answer: Any) -> float | None:
    """The margin of a look; see `kb.values.chat.Looked`.

    Args:
        answer: Of the server, parsed.

    Returns:
        None if it shows no probabilities, or neither of two words is among them.
    """
    places = _places(answer)
    if not places:
        return None
    return _of_two(places[0], look.reply, look.other)


def _places(answer: Any) -> list[list[tuple[str, float]]]:
    """For each token of the reply the likely ones with the logarithms of their probabilities, the written one first."""
    try:
        written = answer["choices"][0]["logprobs"]["content"]
        return [
            [(place["token"], float(place["logprob"]))]
            + [(one["token"], float(one["logprob"])) for one in place["top_logprobs"]]
            for place in written
        ]
    except (KeyError, IndexError, TypeError, ValueError):
        return []


def _of_two(place: list[tuple[str, float]], reply: str, other: str) -> float | None:
    shares = [0.0, 0.0]
    for token, logarithm in dict(place).items():
        word = token.strip()
        begins = [bool(word) and text.startswith(word) for text in (reply, other)]
        if begins[0] != begins[1]:
            shares[begins.index(True)] += math.exp(logarithm)
    if not any(shares):
        return None
    least = math.exp(min(logarithm for _, logarithm in place))
    return math.log(max(shares[0], least)) - math.log(max(shares[1], least))
