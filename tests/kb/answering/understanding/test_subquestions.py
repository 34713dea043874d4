import pytest

from kb.answering.understanding.subquestions import MAX_PARTS, split


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("What is the capital and what is the population?", ("What is the capital?", "What is the population?")),
        ("How old was she, and where did she live?", ("How old was she?", "Where did she live?")),
        ("Who built the dome and who designed it?", ("Who built the dome?", "Who designed it?")),
        ("Was the dome damaged and which rooms were closed?", ("Was the dome damaged?", "Which rooms were closed?")),
        ("What does the ticket cost as well as what is included?", ("What does the ticket cost?", "What is included?")),
        ("Is it open on Monday; is it open on Sunday?", ("Is it open on Monday?", "Is it open on Sunday?")),
        ("Who built the dome? And when was it opened?", ("Who built the dome?", "When was it opened?")),
        ("Where was he born and in which year did he die?", ("Where was he born?", "In which year did he die?")),
        (
            "In 2024, how many visitors came and what did they pay?",
            ("In 2024, how many visitors came?", "What did they pay?"),
        ),
        (
            "Who was king when the war began and how long did it last?",
            ("Who was king when the war began?", "How long did it last?"),
        ),
        (
            "How many beds does the house have, and who owns it?",
            ("How many beds does the house have?", "Who owns it?"),
        ),
        ("What is the dome made of and who built it?", ("What is the dome made of?", "Who built it?")),
        ('Who wrote "What and Why" and when was it printed?', ('Who wrote "What and Why"?', "When was it printed?")),
        ("圆顶是谁建的，什么时候建的？", ("圆顶是谁建的？", "什么时候建的？")),
        ("圆顶是谁建的,什么时候建的?", ("圆顶是谁建的？", "什么时候建的？")),
        ("谁是站长？他多大年纪？", ("谁是站长？", "他多大年纪？")),
        ("如何制作云针，以及如何保存？", ("如何制作云针？", "如何保存？")),
        ("文中提到了哪些人物以及他们做了什么？", ("文中提到了哪些人物？", "他们做了什么？")),
        ("红隼垭口在哪儿；海拔多少？", ("红隼垭口在哪儿？", "海拔多少？")),
        ("圆顶几点开放，能不能拍照？", ("圆顶几点开放？", "能不能拍照？")),
        ("几内亚的首都是哪里，首都有多少人？", ("几内亚的首都是哪里？", "首都有多少人？")),
        ("他是哪年获奖的，和平奖是谁颁发的？", ("他是哪年获奖的？", "和平奖是谁颁发的？")),
        ("门票多少钱，还有没有优惠票？", ("门票多少钱？", "还有没有优惠票？")),
        ("开放时间是什么时候，票价是多少？", ("开放时间是什么时候？", "票价是多少？")),
        ("《高山，为什么》是谁写的，哪年出版？", ("《高山，为什么》是谁写的？", "哪年出版？")),
    ],
)
def test_question_that_asks_two_things_is_cut(question: str, parts: tuple[str, ...]) -> None:
    assert split(question) == parts


def test_three_parts_are_cut_and_more_stay_together() -> None:
    asked = ["Who built the dome?", "When was the dome built?", "Where is the dome?", "What is the dome made of?"]
    assert split(" ".join(asked[:MAX_PARTS])) == tuple(asked[:MAX_PARTS])
    assert split(" ".join(asked)) == (" ".join(asked),)


@pytest.mark.parametrize(
    "question",
    [
        # one thing
        "When does the second dome open?",
        "Which of the three, the dome, the barn, or the guest house, was built first?",
        "What are the causes, symptoms and treatments of the disease?",
        "Which is larger, the sun or the moon?",
        "Who wrote War and Peace?",
        # what stands beside it is no whole question
        "When and where was the dome built?",
        "Who built the dome and when?",
        "What is the dome, and why?",
        "Who lives in and who owns the house?",
        "What is kept in and what is taken out of the barn?",
        "Which of them have and which of them sell horses?",
        "Which birds can and which cannot fly?",
        "How many people work in the dome and how many in the barn?",
        "What is the relation of who and whom?",
        "What is the depth of the lake? I can swim.",
        "What is the depth of the lake? Can you tell me?",
        "The dome was closed in 1987. Why?",
        "What is A; B; and C?",
        # conditions
        "If the battery is empty, what should I do?",
        "When the wind is too strong, what must be closed?",
        "What happens when the wind is strong and when it rains?",
        # relative clauses
        "What is the name of the person who built the dome and who died in 1987?",
        "Who is the man who lives in the house which is red and which is on the hill?",
        "How did Marx, who was exiled and whose works were banned, earn his living?",
        "Are there rooms for people who smoke and who have dogs?",
        "What is said of those who can and who will?",
        "What is the name of the house in which he was born and in which he died?",
        # indirect questions
        "What does the manual say about what to do and how to do it?",
        "What is the difference between what is planned and what is built?",
        "How does the author explain why the sky is blue and why the sea is green?",
        "What did the committee decide about where the dome should stand and when it should be built?",
        "Do you know where the key is and who has it?",
        "What does the manual say of the dome and when it was built?",
        "Tell me what it costs and how I can pay.",
        # quotations
        'What do the terms "what is" and “what was and why was it” mean?',
        'Where does the article "What Is Life? And Other Essays" appear?',
        "请问“何为正义，何为善”出自哪里？",
        "他说“你是谁？”的时候在哪里？",
        "《什么，为什么》是谁写的？",
        # 一件事
        "这是绿茶，还是红茶？",
        "谁更高，张三还是李四？",
        "云针和云毫有什么区别？",
        "哪些人、哪些地方和哪些时间被提到？",
        "哪些茶叶以及哪些茶具是当地产的？",
        "谁发现并且命名了什么元素？",
        "张三还有什么爱好？",
        "茶叶，以及茶具，是哪里产的？",
        "北京，上海，广州的人口是多少？",
        # 条件、时间
        "十分钟平均风速达到多少，就必须关闭圆顶？",
        "如果风速超过多少，那么必须关闭什么？",
        "人民币升值多少，会影响出口吗？",
        "多少度以上，才算高温？",
        "怎么样，才能成为会员？",
        "无论谁来，都需要登记什么？",
        "不管什么天气，值班员每天几点起床？",
        "除了谁以外，大家都参加了什么活动？",
        "在哪一年，谁发现了青霉素？",
        "他在几岁的时候，搬到了哪里？",
        "几百年来，这座城市有什么变化？",
        "为什么在冬天，值班员要做什么？",
        "多大规模的企业，需要缴纳多少税？",
        "什么样的茶，可以保存多久？",
        # 转述、客套
        "手册里有没有说明，下雨时怎么办？",
        "关于谁是作者，书中怎么说？",
        "圆顶是谁建的，你知道吗？",
        # 没有疑问的疑问词
        "任何人，都可以进入吗？",
        "何塞是画家，他来自哪里？",
        "好几年前，他住在哪里？",
    ],
)
def test_question_that_asks_one_thing_stays_whole(question: str) -> None:
    assert split(question) == (question,)


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Wer schrieb den Bericht und wann kam er?", ("Wer schrieb den Bericht?", "Wann kam er?")),
        ("¿Quién lo hizo, y cuándo?", ("¿Quién lo hizo?", "Cuándo?")),
        ("Puis-je payer par carte ? Où se gare-t-on ?", ("Puis-je payer par carte?", "Où se gare-t-on?")),
        ("敷金はいくらで、いつ返ってきますか？", ("敷金はいくらで？", "いつ返ってきますか？")),
    ],
)
def test_other_languages_are_cut_at_signs_where_it_is_sure_that_several_things_are_asked(
    question: str, parts: tuple[str, ...]
) -> None:
    assert split(question) == (question,)
    assert split(question, surely_several=True) == parts


@pytest.mark.parametrize(
    "question", ["Who built the dome and when?", "谁更高，张三还是李四？", "Wer schrieb den Bericht?"]
)
def test_where_words_tell_or_there_is_no_sign_nothing_is_cut_even_so(question: str) -> None:
    assert split(question, surely_several=True) == (question,)
