"""Reads a look out of the probabilities that a server gives with a reply.

Pure. A server shows some twenty likely tokens at each place. Of two words, the tokens at the first place count that are
a beginning of one of them and not of the other. A whole reply is followed as far as the model writes it itself: what
surprises is mostly where they part, and what would come after cannot be seen.
"""

import math
from typing import Any

from kb.values.chat import Look

SHOWN_TOKENS = 20
"""Most that vLLM, OpenAI, DeepSeek and Ollama give."""

WHOLE_REPLY_TOKENS = 48
"""So far a whole reply is followed."""


def reply_tokens(look: Look) -> int:
    """How many tokens are to be generated for a look."""
    return 1 if look.other else WHOLE_REPLY_TOKENS


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
    return _of_two(places[0], look.reply, look.other) if look.other else _of_whole(places, look.reply)


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


def _of_whole(places: list[list[tuple[str, float]]], reply: str) -> float:
    rest = reply.strip()
    for place in places:
        (written, own), *likely = place
        fitting = [logarithm for token, logarithm in likely if token.strip() and rest.startswith(token.strip())]
        if not written.strip():
            continue
        if not rest.startswith(written.strip()):
            least = min((logarithm for _, logarithm in likely), default=own)
            return min(0.0, max(fitting, default=least) - own)
        rest = rest[len(written.strip()) :].lstrip()
        if not rest:
            break
    return 0.0
