import pytest

from kb.answering.kinds.exhaustive.recognised import recognised


@pytest.mark.parametrize(
    ("form", "text", "items"),
    [
        ("phone", "Call 555-0134 or +49 (30) 901 820, not 2025-03-11.", ["555-0134", "+49 (30) 901 820"]),
        ("phone", "手机 13800138000，座机 010-62345678，共 12345678 元", ["13800138000", "010-62345678"]),
        ("email", "Write to a.b@kso.example, or c@d.example.", ["a.b@kso.example", "c@d.example"]),
        (
            "url",
            "See https://kso.example/a?b=1, and www.kso.example.",
            ["https://kso.example/a?b=1", "www.kso.example"],
        ),
        (
            "date",
            "On 8 April 2025, 2025-03-11 and 1/2/2024; March was cold.",
            ["8 April 2025", "2025-03-11", "1/2/2024"],
        ),
        ("date", "二〇二五年一月二十日开会，九月三日结束。", ["二〇二五年一月二十日", "九月三日"]),
        (
            "date",
            "Am 3. Mai 2025, le 14 juillet, el 2 de enero de 2024",
            ["3. Mai 2025", "14 juillet", "2 de enero de 2024"],
        ),
        ("time", "From 16:00 to 5 pm; 下午四点开始，有一点冷。", ["16:00", "5 pm", "下午四点"]),
        (
            "money",
            "18,400 crowns, $5.3 million, 2.6 万元 and €20 (万元)",
            ["18,400 crowns", "$5.3 million", "2.6 万元", "€20"],
        ),
        ("share", "12 percent, 3.5% and 百分之八十二", ["12 percent", "3.5%", "百分之八十二"]),
        ("temperature", "-31 °C in winter, 锅温是 236 度", ["-31 °C", "236 度"]),
        ("weight", "420 kg, 三斤六两, 1.2 两个品种", ["420 kg", "三斤六两"]),
        (
            "duration",
            "two and a half hours, 半分钟, 11 个小时, 第二天",
            ["two and a half hours", "半分钟", "11 个小时"],
        ),
        ("length", "the last 300 metres, 七十二厘米, 4,180 m", ["300 metres", "七十二厘米", "4,180 m"]),
    ],
)
def test_items_are_known_by_their_form(form: str, text: str, items: list[str]) -> None:
    assert [text[found.start : found.end] for found in recognised(form, text)] == items


def test_same_number_written_otherwise_has_the_same_key() -> None:
    (one,), (other,) = (list(recognised("phone", text)) for text in ("555 013 4000", "(555) 013-4000"))
    assert one.key == other.key
