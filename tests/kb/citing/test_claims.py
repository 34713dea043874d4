import pytest

from kb.citing.analysed_text import AnalysedText
from kb.citing.claims import Support, is_borne_out

CONTEXT = "Station handbook › Winter 2023"


def borne_out(sentence: str, quote: str, question: str = "") -> bool:
    source = [AnalysedText(quote, CONTEXT)]
    return is_borne_out(AnalysedText(sentence), Support(source, [source], AnalysedText(question)))


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("The dome opens at nine.", "Every morning the dome opens at 9."),
        ("It was 27 km in 2023.", "Their wavelength was 27 km."),
        ("It was built by Ilse Brandt.", "Ilse Brandt built the second dome."),
        ("17.5 米每秒", "十分钟平均风速达到 17.5 米每秒，必须关闭圆顶，不必请示。"),
        ("圆顶九点打开。", "圆顶每天早上9点打开。"),
        ("It was built by Jean-Luc Brandt.", "Jean Luc Brandt built the second dome."),
        ("It opened on July 1, 2023.", "It opened on 2023-07-01."),
        ("The gate is not locked.", "At night the gate is never locked."),
        ("It costs 1250 crowns.", "The winch cost １,250 crowns."),
    ],
)
def test_what_agrees_is_borne_out(sentence: str, quote: str) -> None:
    assert borne_out(sentence, quote)


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("It was built by Anna Meier.", "It was built by Ilse Brandt."),
        ("The dome opens at ten.", "The dome opens at nine."),
        ("The third dome is open.", "The second dome is open."),
        ("The dome does not open at nine.", "The dome opens at nine."),
        ("The dome opens at nine.", "The dome does not open at nine."),
        ("圆顶十点打开。", "圆顶九点打开。"),
        ("圆顶早上不打开。", "圆顶早上打开。"),
        ("It opened in July.", "It opened in 2023."),
        ("It opened on July 1, 2023.", "It opened on 2023-08-01."),
        ("In 1999 it was 27 km.", "Their wavelength was 27 km."),
    ],
)
def test_what_differs_in_a_number_a_name_or_a_negation_is_not(sentence: str, quote: str) -> None:
    assert not borne_out(sentence, quote)


def test_a_number_does_not_belong_to_a_name_that_has_another_of_its_own() -> None:
    said = "By then Toyota will have closed its works in 2017.", "In Geelong Ford will close its plant in October 2016."
    question = AnalysedText("When does the plant close?")
    support = Support([AnalysedText(" ".join(said))], [[AnalysedText(one) for one in said]], question)
    assert is_borne_out(AnalysedText("The works of Toyota will have closed in 2017."), support)
    assert is_borne_out(AnalysedText("The plant in Geelong will close in 2016."), support)
    assert not is_borne_out(AnalysedText("The plant in Geelong will close in 2017."), support)


@pytest.mark.parametrize(
    ("sentence", "quote", "expected"),
    [
        ("The Caspian Sea lay to the east.", "The empire stretched from the Caspian Sea to the Sea of Japan.", False),
        ("The Sea of Japan lay to the east.", "In the eastern provinces the Sea of Japan lay before them.", True),
        ("The path climbs to the north.", "The path climbs to the northwest.", True),
        ("The path climbs northwest.", "The path climbs northward.", False),
        ("They rest at the lake.", "They rest at the southern lake.", True),
        ("水库在村子的东边。", "水库在村子的西边。", False),
        ("水库在村子以东。", "水库在村子东侧。", True),
        ("这是什么东西，大家都知道。", "大家都知道这是什么。", True),
    ],
)
def test_a_direction_must_be_in_the_quote(sentence: str, quote: str, expected: bool) -> None:
    assert borne_out(sentence, quote, "Which sea lay to the east? 什么在东边？") is expected


@pytest.mark.parametrize(
    ("sentence", "quote", "question"),
    [
        ("Meier built the second dome in 1987.", "Brandt built the second dome in 1987.", "When did Meier build it?"),
        ("Yes, the house is heated with oil.", "The house is heated with wood.", "Is the house heated with oil?"),
        ("The library is on the first floor.", "The library is on the second floor.", "Where is the library?"),
        ("小屋里有一张床。", "小屋里有两张床。", "小屋里有什么？"),
        ("Dogs are allowed in the house.", "Dogs are forbidden in the house.", "Which animals are allowed?"),
        ("宾馆允许带狗入内。", "宾馆禁止带狗入内。", "可以带什么入内？"),
        ("It falls to 15 °C.", "It falls to -15 °C.", "How cold does it get?"),
        ("气温降到15度。", "气温降到零下15度。", "气温降到多少度？"),
        ("三分之一的会员投了票。", "三分之二的会员投了票。", "多少会员投了票？"),
        ("它由芝加诺·山克曼创办。", "它由索尼娅•山克曼创办。", "它由谁创办？"),
    ],
)
def test_what_the_question_supposes_is_not_taken_for_granted(sentence: str, quote: str, question: str) -> None:
    source = [AnalysedText(quote, CONTEXT)]
    is_yes_or_no = question.startswith("Is ")
    assert not is_borne_out(
        AnalysedText(sentence), Support(source, [source], AnalysedText(question), frozenset(), is_yes_or_no)
    )
    assert is_borne_out(
        AnalysedText(quote), Support(source, [source], AnalysedText(question), frozenset(), is_yes_or_no)
    )


def test_a_name_of_the_question_may_be_repeated() -> None:
    assert borne_out("It was Ilse Brandt who built it.", "She built it in the winter.", "What did Ilse Brandt build?")
