"""What has become of the citations of an old answer: still there, changed, or gone. Pure."""

from collections.abc import Callable
from dataclasses import replace

from kb.values.answers import Citation
from kb.values.conversations import Standing


def standing(citation: Citation, text_of: Callable[[str], str | None]) -> tuple[Citation, Standing]:
    """Looks up a citation in its document as it is now.

    Args:
        text_of: The text of a document by its id; None: it is not indexed any more.

    Returns:
        The citation, with the place at which its quote stands now, and its standing.
    """
    text = text_of(citation.document_id)
    if text is None or not citation.quote:
        return citation, "gone"
    start = citation.start if text.startswith(citation.quote, citation.start) else text.find(citation.quote)
    if start < 0:
        return citation, "changed"
    return replace(citation, start=start, end=start + len(citation.quote)), "there"
