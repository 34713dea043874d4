"""What tests of both kinds of service have in common."""

from kb.knowledge_base import KnowledgeBase
from server.http import schemas

QUESTION = "When was the second dome repaired?"


def show_nothing(knowledge_base: KnowledgeBase, answering: bool) -> None:
    knowledge_base.wait_for_index()


def ignore(status: schemas.Status) -> None:
    pass
