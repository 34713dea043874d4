import pytest

from kb.text.words import marked_terms, word_terms


@pytest.mark.parametrize("name", ["max_file_bytes", "maxFileBytes", "MaxFileBytes", "max-file-bytes", "MAX_FILE_BYTES"])
def test_a_name_gives_the_same_terms_however_its_parts_are_joined(name: str) -> None:
    assert word_terms(name) == ("maxfilebyt", "max", "file", "byte")


@pytest.mark.parametrize(
    ("word", "terms"),
    [
        ("connections", ("connect",)),
        ("os.path.join", ("ospathjoin", "os", "path", "join")),
        ("HTTPServer2", ("httpserver2", "http", "server", "2")),
        ("GPT-4", ("gpt4", "gpt", "4")),
        ("Python-3.11", ("python3.11", "python", "3.11")),
        ("v3.11.2", ("v3.11.2", "v", "3.11.2", "3.11")),
        ("10kg", ("10kg", "10", "kg")),
        ("U.S", ("us",)),
        ("R&D", ("rd",)),
        ("URLs", ("url",)),
        ("20th", ("20",)),
        ("1990s", ("1990",)),
        ("Apple's", ("appl",)),
        ("O’Brien", ("obrien", "o", "brien")),
        ("don't", ("dont",)),
        ("1,250", ("1250",)),
        ("café", ("cafe",)),
        ("Größe-Tabelle", ("grossetabell", "grosse", "tabell")),
    ],
)
def test_word_terms(word: str, terms: tuple[str, ...]) -> None:
    assert word_terms(word) == terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("run it with `--max-results 5`", ["--max-results"]),
        ("a dash -- here --- or there", []),
        ("@lru_cache on a function", ["@lru_cache"]),
        ("write to me@example.org", []),
        ("__init__ and _stem and snake_case", ["__init__", "_stem"]),
        ("C++17, C# and F#", ["c++", "c#", "f#"]),
        ("a # b, issue#5, a#anchor, ## heading", []),
    ],
)
def test_marked_terms(text: str, terms: list[str]) -> None:
    assert marked_terms(text) == terms
