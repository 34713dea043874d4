"""The same questions and texts in English and Chinese, to measure how an embedding model sees the two languages. Data.

Texts are as long as chunks are, and begin with a title as they do.
"""

from typing import NamedTuple


class Parallel(NamedTuple):
    """A question and a text that answers it, in both languages."""

    question: str
    text: str
    chinese_question: str
    chinese_text: str


PARALLEL = (
    Parallel(
        "How long is the bridge across the bay?",
        "The bridge\nThe bridge across the bay was opened in 1932 after nine years of work. It is 1,149 metres long and"
        " carries eight lanes of traffic, two railway tracks and a path for cyclists.",
        "跨海大桥有多长？",
        "大桥\n这座跨海大桥历时九年建成，于1932年通车。桥长1149米，有八条车道、两条铁轨和一条自行车道。",
    ),
    Parallel(
        "Why did the price of wheat rise?",
        "Markets in autumn\nThe price of wheat rose by a third because the harvest had failed in the north. The"
        " government allowed imports without duty until the end of the following year.",
        "小麦价格为什么上涨？",
        "秋季市场\n由于北方歉收，小麦价格上涨了三分之一。政府允许免税进口，直到第二年年底。",
    ),
    Parallel(
        "What must not be taken together with this medicine?",
        "Taking the tablets\nTake one tablet in the morning and one in the evening, with a glass of water. Do not drink"
        " alcohol as long as you are being treated with this medicine.",
        "哪些东西不能与本药同时服用？",
        "服药方法\n早晚各服一片，用一杯水送服。使用本药治疗期间请勿饮酒。",
    ),
    Parallel(
        "Who discovered that the star has planets?",
        "A distant system\nAstronomers in Chile discovered two planets around the star by the way its light grows dim"
        " when they pass in front of it. The larger one is a ball of gas; on the smaller there might be water.",
        "谁发现了这颗恒星有行星？",
        "遥远的星系\n智利的天文学家根据行星从恒星前面经过时星光变暗的现象，发现这颗恒星有两颗行星。较大的一颗是气态行星，较小的一颗"
        "上可能有水。",
    ),
    Parallel(
        "What does the function return if the file does not exist?",
        "Reading settings\nThe function opens the file and returns its content as a dictionary. If the file does not"
        " exist, it returns an empty dictionary and writes a warning to the log.",
        "如果文件不存在，这个函数返回什么？",
        "读取设置\n该函数打开文件，并把内容作为字典返回。如果文件不存在，则返回空字典，并在日志中写入一条警告。",
    ),
    Parallel(
        "When was the university founded?",
        "History of the university\nThe university was founded in 1810 by a reformer who wanted teaching and research"
        " under one roof. At first it had four faculties: law, medicine, philosophy and theology.",
        "这所大学是什么时候成立的？",
        "大学的历史\n这所大学于1810年由一位改革家创办，他希望教学与研究合为一体。最初它有四个学院：法学院、医学院、哲学院和神学院。",
    ),
    Parallel(
        "How did the army cross the river?",
        "The winter campaign\nIn January the army crossed the frozen river at night and surprised the garrison on the"
        " other bank. The city surrendered after a siege of three weeks, and its walls were pulled down.",
        "军队是怎样过河的？",
        "冬季战役\n一月，军队趁夜从结冰的河面过河，出其不意地袭击了对岸的守军。被围三周之后，城市投降，城墙被拆除。",
    ),
    Parallel(
        "How often should the filter be replaced?",
        "Care of the machine\nReplace the filter every six months, or earlier if the red lamp is lit. Switch the"
        " machine off and pull the plug before you open the lid at the back.",
        "滤网应该多久更换一次？",
        "机器保养\n滤网每六个月更换一次；如果红灯亮起，应提前更换。打开后盖之前，请先关机并拔掉插头。",
    ),
    Parallel(
        "What is the main theme of the novel?",
        "About the novel\nThe novel tells of a family that loses its farm and moves to the city. Its main theme is how"
        " people keep their dignity when they have lost everything else.",
        "这部小说的主题是什么？",
        "关于这部小说\n小说讲述一个家庭失去农场、迁往城市的故事。它的主题是人们在失去一切之后如何保持尊严。",
    ),
    Parallel(
        "Which animals live in the forest?",
        "The forest\nDeer, foxes and more than a hundred kinds of birds live in the forest. Since hunting was"
        " forbidden, wolves have come back, too, from the mountains in the east.",
        "森林里有哪些动物？",
        "森林\n森林里生活着鹿、狐狸和一百多种鸟类。自从禁止打猎以来，狼也从东边的山里回来了。",
    ),
    Parallel(
        "What was decided about the budget?",
        "Minutes of the meeting\nThe committee decided to cut the budget for travel by ten percent and to hire two"
        " engineers. The next meeting will take place on the first Monday in March.",
        "关于预算作出了什么决定？",
        "会议纪要\n委员会决定将差旅预算削减百分之十，并聘用两名工程师。下次会议将于三月的第一个星期一举行。",
    ),
    Parallel(
        "How is the cheese made?",
        "From milk to cheese\nThe milk is warmed and mixed with rennet until it sets; then the curd is cut, salted and"
        " pressed. The cheese ripens for at least four months in a cool cellar.",
        "这种奶酪是怎样制作的？",
        "从牛奶到奶酪\n将牛奶加热，加入凝乳酶，使其凝固；然后把凝乳切块、加盐、压紧。奶酪要在阴凉的地窖里成熟至少四个月。",
    ),
)
