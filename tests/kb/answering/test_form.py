import pytest

from kb.answering.form import asks_for_thought, form_line

FORMS = {
    "table": ("Markdown table", "表格"),
    "list": ("list", "清单"),
    "arithmetic": ("calculation", "算式"),
    "length": ("two or three", "两三个"),
    "sentence": ("one complete sentence", "一个完整的中文句子"),
}

WORDED: dict[str, list[str]] = {
    "table": [
        "Make a table of the members and their ages.",
        "Compare the two winches in a table.",
        "Could you list the stations and their heights as a table?",
        "In a table, what did the stations measure?",
        "Please tabulate the results.",
        "请用表格对比两种茶。",
        "把成员列成表格。",
        "列个表说明各站的海拔。",
    ],
    "list": [
        "List the members of the council.",
        "Please list all tools.",
        "Name three birds that nest here.",
        "What are the steps of cleaning the lens?",
        "What are the main causes of the failure?",
        "What are the three rules of the house?",
        "Which steps start the rover?",
        "Give the tools in bullet points.",
        "有哪些鸟在这里筑巢？",
        "列出所有成员。",
        "清洗的步骤是什么？",
        "两个站的海拔分别是多少？",
    ],
    "arithmetic": [
        "Calculate the mean of both columns.",
        "What is the sum of the two invoices?",
        "How many more visitors came in 2024 than in 2023?",
        "How much older is the dome than the barn?",
        "How much do the winch and the rope cost in total?",
        "How many times as heavy is the rover?",
        "What is the difference in height between the two ridges?",
        "计算两次的总和。",
        "请算一下平均值。",
        "两个站的海拔相差多少？",
        "2024年比2023年多多少？",
        "东站比西站高多少米？",
        "绞盘和绳子一共多少钱？",
        "新站是旧站的几倍？",
    ],
    "length": [
        "Why was the bridge closed?",
        "What was closed, and why?",
        "Do you know why it was closed?",
        "Explain how the winch works.",
        "Can you describe the dome?",
        "Please summarise the report.",
        "Give me an overview of the station.",
        "How does the winch work?",
        "What is the difference between a transit and an occultation?",
        "为什么关闭圆顶？",
        "请介绍一下圆顶。",
        "详细说明绞盘的用法。",
        "比较两种茶。",
        "云针和云毫有什么区别？",
    ],
    "sentence": [
        "When does the second dome open?",
        "What are the office hours of the guest house?",
        "What are the coordinates of the dome?",
        "What were the total costs of the winch?",
        "What is the average wind speed in January?",
        "What percentage of visitors came from abroad?",
        "What is the ratio of water to tea?",
        "How many times was the dome closed in 2024?",
        "How many visitors came in total in 2024?",
        "How many more days is it open?",
        "What stands on the table in the kitchen?",
        "What does the table on page three show?",
        "Show me the table of contents.",
        "Is it on the list of World Heritage sites?",
        "When was the checklist written?",
        "Who wrote the summary?",
        "Who explained the photoelectric effect?",
        "What does the overview show?",
        "What did the committee discuss in March?",
        "How does the service compare hashes?",
        "When was the first computer built?",
        "Name the author.",
        "红隼垭口观测站 2024 年一共接待了多少访客？",
        "和平站一共有多少人？",
        "一月的平均气温是多少？",
        "湿度的百分比是多少？",
        "地图的比例尺是多少？",
        "计算机房在哪里？",
        "使用表格的人是谁？",
        "表格第三行写的是什么？",
        "清单上的第一项是什么？",
        "第三个步骤用什么工具？",
        "步骤三用什么工具？",
        "说明书在哪里？",
        "使用说明写在第几页？",
        "这里比较冷吗？",
        "谁写的总结报告？",
        "详细地址是什么？",
        "他们在哪里分别？",
    ],
}


@pytest.mark.parametrize(("form", "question"), [(form, question) for form in WORDED for question in WORDED[form]])
def test_wording_of_a_question_tells_the_form_of_its_answer(form: str, question: str) -> None:
    line = form_line(question, question)
    assert [name for name, words in FORMS.items() if any(word in line for word in words)] == [form]


def test_what_must_be_worked_out_is_thought_about_and_what_must_be_found_is_not() -> None:
    thought_about = {form: {asks_for_thought(question) for question in WORDED[form]} for form in WORDED}
    assert thought_about["arithmetic"] == thought_about["length"] == {True}
    assert thought_about["sentence"] == {False}


def test_several_parts_get_a_sentence_each_but_a_table_or_a_calculation_comes_first() -> None:
    assert form_line("Why is it closed? When does it open?", "", 2).startswith("Answer each part")
    assert "每个问题" in form_line("为什么关闭？几点开放？", "", 2)
    assert "table" in form_line("Make a table of both.", "", 2)
    assert "calculation" in form_line("Calculate both.", "", 2)


def test_table_comes_before_all_and_a_list_before_length() -> None:
    assert "table" in form_line("Calculate the costs and explain them in a table.", "")
    assert "a list" in form_line("Explain which steps start the rover.", "")


def test_line_is_in_the_language_of_the_question_and_names_it_where_the_sources_have_another() -> None:
    assert (
        form_line("When does it open?", "九点开放。")
        == form_line("When does it open?", "At nine.") + " Write in English."
    )
    assert "中文" in form_line("几点开放？", "At nine.")
