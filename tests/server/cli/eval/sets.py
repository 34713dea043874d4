"""Tiny test sets, and how tests run `kb eval`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENGLISH = {
    "Dome": {
        "The first dome was built by Halden Bronk in 1998.": [("e1", "Who built the first dome?", "Halden Bronk")],
        "The second dome was repaired in March with copper rivets.": [
            ("e2", "When was the second dome repaired?", "March")
        ],
    },
    "Otters": {"Otters float on their backs and eat urchins.": [("e3", "What do otters eat?", "urchins")]},
    "茶园": {"云顶园的茶树种在山的北坡，每年四月采摘。": [("e4", "云顶园的茶树种在哪里？", "北坡")]},
}

CHINESE = {"圆顶": {"第二座圆顶在三月修好。": [("e2", "第二座圆顶 second dome 是什么时候修好的？", "三月")]}}

Run = Callable[..., Any]


def write_squad(path: Path, articles: dict[str, Any], *, impossible: tuple[str, ...] = ()) -> Path:
    data = [
        {
            "title": title,
            "paragraphs": [
                {
                    "context": context,
                    "qas": [
                        {"id": id_, "question": asked, "answers": [{"text": gold}], "is_impossible": id_ in impossible}
                        for id_, asked, gold in questions
                    ],
                }
                for context, questions in paragraphs.items()
            ],
        }
        for title, paragraphs in articles.items()
    ]
    path.write_text(json.dumps({"version": "v2.0", "data": data}), "utf-8")
    return path


def ranks(result: Any) -> dict[str, int | None]:
    return {outcome["id"]: outcome["ranks"]["paragraph"] for outcome in result["outcomes"]}
