import re

import pytest

from server.http.rendering import MAX_CHARS, render


def marked(text: str, stretch: str) -> tuple[str, str]:
    """The HTML of a text in which a stretch is marked, and what is marked."""
    html = render(text, text.index(stretch), text.index(stretch) + len(stretch)).html
    return html, "".join(re.findall(r"<mark>(.*?)</mark>", html, re.DOTALL))


@pytest.mark.parametrize(
    ("text", "stretch", "expected"),
    [
        ("# Beds\n\nThere are *16 beds* here.", "are *16 beds", "are 16 beds"),
        ("- one `two three`\n- four", "one `two three`\n- four", "one two threefour"),
        ("| a | b |\n|---|---|\n| 1 | two |\n| 1 | 2 |", "| 1 | two |", "1two"),
        ("Fish &amp; chips \\* here", "Fish &amp; chips \\* here", "Fish &amp; chips * here"),
        ("```py\nx = 1\n  y < 2\n```", "y < 2", "y &lt; 2"),
        ("---\ntitle: Beds\nrooms: 8\n---\n\n# Beds", "rooms: 8", "rooms: 8"),
        ("> quoted\n> on two lines", "quoted\n> on two", "quotedon two"),
        (
            "[a link](https://example.org) and ![a map](map.png)",
            "a link](https://example.org) and ![a map",
            "a link and a map",
        ),
        ("beds\n\nbeds\n\nthe beds", "the beds", "the beds"),
        ("几个房间，**十六张**床。", "房间，**十六张**床", "房间，十六张床"),
    ],
)
def test_a_stretch_is_marked_where_it_stands(text: str, stretch: str, expected: str) -> None:
    html, found = marked(text, stretch)
    assert found == expected
    without = render(text, 0, 0).html
    assert html.replace("<mark>", "").replace("</mark>", "") == without


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The ==guest *house*== has beds.", "<p>The <u>guest <em>house</em></u> has beds.</p>"),
        ("Beds %%or cots%% here.%% and\nmore %%", "<p>Beds  here.</p>"),
        ("Sixteen beds. ^beds-1", "<p>Sixteen beds. </p>"),
        (
            "> [!warning]- Wet paint\n> Wait.",
            "<blockquote>\n<p><strong>warning</strong> Wet paint\nWait.</p>\n</blockquote>",
        ),
        ("`==a== %%b%% ^c-1`", "<p><code>==a== %%b%% ^c-1</code></p>"),
        ("a == b, c == d, 5 %% 3, x^2, [!] [!a b]", "<p>a == b, c == d, 5 %% 3, x^2, [!] [!a b]</p>"),
        ("==<script>alert(1)</script>==", "<p><u></u></p>"),
    ],
)
def test_what_note_taking_programs_add_is_shown_as_they_show_it(text: str, expected: str) -> None:
    assert render(text, 0, 0).html.strip() == expected


def test_a_stretch_with_a_comment_is_marked_around_it() -> None:
    assert marked("Beds %%sixteen%% and ==sixteen cots==.", "sixteen cots")[1] == "sixteen cots"
    assert marked("> [!note] Beds\n> Sixteen.", "Beds\n> Sixteen")[1] == "BedsSixteen"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "[x](javascript:alert(1)) [y](JaVaScRiPt:alert(1)) [z](data:text/html,<script>alert(1)</script>)",
        "<a href='java\nscript:alert(1)'>x</a>",
        "<iframe src='javascript:alert(1)'></iframe><object data=x></object><embed src=x>",
        "<div style='background:url(http://evil.example/x)' onmouseover=alert(1) id=viewer class=primary>x</div>",
        "<form action=/documents method=post><input name=x><button>send</button></form>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
        "![x](http://evil.example/pixel.png) <img src=http://evil.example/pixel.png>",
        "<base href=http://evil.example/><link rel=stylesheet href=http://evil.example/x.css><meta http-equiv=refresh>",
        "[delete](/documents/7/file) <a href='/documents/7/file'>x</a> <a href='//evil.example'>x</a>",
        "```<script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```",
    ],
)
def test_nothing_runs_is_fetched_or_leads_into_the_service(text: str) -> None:
    html = render(text, 0, len(text)).html
    tags = re.findall(r"<(\w+)([^>]*)>", html)
    assert {tag for tag, _ in tags} <= {"p", "a", "div", "mark", "pre", "code", "table"}
    names = {name for _, attributes in tags for name in re.findall(r'(\w+)="', attributes)}
    assert names <= {"href", "rel", "target", "class"}
    assert set(re.findall(r'class="([^"]*)"', html)) <= {"picture"}
    assert all(address.startswith("http://evil.example/pixel") for address in re.findall(r'href="([^"]*)"', html))


def test_of_a_long_document_the_part_around_a_place_is_rendered() -> None:
    text = "\n\n".join(f"## Part {n}\n\nRoom {n} has a bed." for n in range(5000))
    place = text.index("Room 3000 ")
    part = render(text, place, place + len("Room 3000"))
    assert "<mark>Room 3000</mark> has" in part.html
    assert 0 < part.start < place < part.end < len(text)
    assert part.end - part.start <= MAX_CHARS
    assert part.html.startswith("<h2>Part")
    later = render(text, place, place + 4, at=part.end)
    assert later.start < part.end < later.end
    assert render(text, 0, 0).start == 0
    assert render(text, 0, 0, at=len(text)).end == len(text)
