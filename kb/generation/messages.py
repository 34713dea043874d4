"""Messages as a model without a system role wants them. Pure."""

from collections.abc import Sequence

from kb.values.chat import Message


def fold_system(messages: Sequence[Message]) -> list[Message]:
    """Puts what the system says at the beginning of the first message of the user."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    others = [message for message in messages if message.role != "system"]
    if not system:
        return others
    if not others or others[0].role != "user":
        return [Message("user", system), *others]
    return [Message("user", f"{system}\n\n{others[0].content}"), *others[1:]]
