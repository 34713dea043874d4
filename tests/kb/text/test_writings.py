"""Questions find their text by words alone, though they write a name, a number, a date or a character otherwise."""

from collections.abc import Iterator

import pytest

from kb.catalog.catalog import Catalog
from kb.text.terms import search_terms
from kb.values.documents import Chunk, Document, FileVersion

PAIRS = [
    # Names of programs
    ("The limit is read from max_upload_bytes before a request begins.", "Where does maxUploadBytes come from?"),
    ("parseRequestLine splits the first line of a message.", "what does parse_request_line do"),
    ("Call os.path.join to put a folder and a name together.", "how to use os.path.join"),
    ("HTTPServer2 listens on port 8080 by default.", "default port of HTTPServer2"),
    ("Pass --dry-run to see what would be deleted.", "What is --dry-run for?"),
    ("A dry run of the engine lasted an hour.", "How long did the engine run dry?"),
    ("Mark it with @cached_property to compute it once.", "@cached_property"),
    ("Its __enter__ method opens the file.", "when is __enter__ called"),
    ("Drivers are written in C++ for speed.", "Which parts use C++?"),
    ("The editor plugin is written in C# by a student.", "who wrote the C# plugin"),
    ("The kernel is plain C without any library.", "Is the kernel plain C?"),
    ("Set the top-k value of the ranker to ten.", "what is topK"),
    ("Wi-Fi is free in the reading room.", "is there wifi"),
    ("The GPT-4 report gives no parameter count.", "GPT4 parameters"),
    ("Send an e-mail to the caretaker.", "caretaker email"),
    # Numbers, versions, shares
    ("The winch cost $1,234.5 when it was new.", "What was bought for 1234.5?"),
    ("Exactly 2500 visitors were counted.", "who counted 2,500"),
    ("Interest was 7 percent after the reform.", "7% interest"),
    ("失业率为百分之九。", "失业率 9%"),
    ("Release 3.11.2 mends the installer.", "what is new in v3.11.2"),
    ("Release 3.12.4 mends the updater.", "release 3.12"),
    ("The strike of 1911-1913 closed the mine.", "What happened in 1912 or 1913?"),
    # Dates
    ("The bridge opened on July 4, 2021.", "2021-07-04"),
    ("The tunnel opened on 2021-08-05.", "What opened on August 5th, 2021?"),
    ("The harbour opened on 6 September 2021.", "2021年9月6日"),
    ("Opened 10/25/2021: the lighthouse.", "25 October 2021"),
    ("灯塔于2019年3月8日熄灭。", "2019-03-08 发生了什么"),
    ("索道于二〇一八年五月二日停运。", "2018年5月2日什么停运"),
    ("The annual fair takes place on 9 November.", "11月9日"),
    ("Sales fell in the third quarter of 2020.", "Q3 2020"),
    ("二〇一七年第二季度利润上升。", "2017 Q2"),
    # Width and script
    ("ＰｏｓｔｇｒｅＳＱＬ１６ が動いています。", "PostgreSQL16"),
    ("ﾊﾞｽ停は駅の前にあります。", "バス停はどこ"),
    ("臺灣鐵路開往花蓮。", "台湾铁路开往哪里"),
    ("圆明园的铜首陈列于此。", "圓明園銅首"),
    ("香港衞生署發出指引。", "卫生署的指引"),
    ("The ﬁling cabinet is on the second ﬂoor.", "filing cabinet floor"),
    ("A naïve résumé was sent by Zoë.", "Zoe resume"),
    # Japanese and Korean
    ("東京スカイツリーの高さは634メートルです。", "スカイツリーの高さ"),
    ("ジョン・スミスは詩人だった。", "詩人ジョンスミス"),
    ("한국어 문서는 도서관에 있습니다.", "한국어 문서 어디"),
    ("축제는 2016년 4월 3일에 열렸다.", "2016-04-03"),
    # One character, broken lines
    ("院子里有一口井。", "井"),
    ("老人在河边钓\n鱼为生。", "钓鱼"),
    ("The obser-\nvatory closes at noon.", "When does the observatory close?"),
    ("The quick\u00adsilver is kept in the cellar.", "quicksilver"),
]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path_factory.mktemp("writings") / "catalog.sqlite3")
    document = Document("", "text/markdown", "\n\n".join(text for text, _ in PAIRS), ())
    starts = [document.text.index(text) for text, _ in PAIRS]
    chunks = [Chunk(start, start + len(text), text) for start, (text, _) in zip(starts, PAIRS, strict=True)]
    hashes = [f"hash of {text}" for text, _ in PAIRS]
    catalog.swap("d1", FileVersion("/notes", "a.md", 10, 1_000, "hash of a"), document, chunks, hashes)
    yield catalog
    catalog.close()


@pytest.mark.parametrize(("text", "question"), PAIRS)
def test_question_finds_its_text_before_all_others(catalog: Catalog, text: str, question: str) -> None:
    (first, best), *others = catalog.keywords.search(search_terms(question), 2)
    assert catalog.chunks.by_id([first])[first].chunk.text == text
    assert all(score < best for _, score in others)
