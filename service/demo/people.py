"""The staff of the synthetic hall: names, log-ins, posts; none of them exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID, uuid5

from domain.decider import NAMESPACE, THE_SYSTEM, Code, PersonKey
from domain.errors import Refused
from domain.register import REGISTER, STREAM, RegisterCommand, TakePost
from service.casebook import Ask, Asked
from service.directory import everyone
from service.parts import Parts
from service.passwords import folded

DEMO: Final[UUID] = uuid5(NAMESPACE, "demo")
"""Root of every id of the demo, so that loading it again asks for the same things."""
SOURCE: Final[Code] = "demo"

Cast: TypeAlias = Mapping[Code, PersonKey]
"""Who holds each post."""
Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being loaded, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the staff; who has no log-in is only complained of, or waits for what comes later."""

    name: str
    posts: tuple[Code, ...]
    login: str | None = None


STAFF: Final[tuple[Person, ...]] = (
    Person("李玉梅", ("desk-1",), "li.yumei"),
    Person("苏日娜", ("desk-2",), "surina"),
    Person("陈志远", ("desk-3",), "chen.zhiyuan"),
    Person("周晓岚", ("intake-W01",), "zhou.xiaolan"),
    Person("郑文博", ("intake-W02",), "zheng.wenbo"),
    Person("乌兰·图雅", ("intake-W24",), "wulan.tuya"),
    Person("何丽华", ("intake-XH",), "he.lihua"),
    Person("高娃", ("intake-YL",), "gaowa"),
    Person("马建军", ("intake-TX",), "ma.jianjun"),
    Person("韩德胜", ("ZX-head",), "han.desheng"),
    Person("冯欣怡", ("ZX-1",), "feng.xinyi"),
    Person("白音·吉雅", ("ZX-2",), "baiyin.jiya"),
    Person("赵䶮", ("SJ-head",), "zhao.yan"),
    Person("王思齐", ("SJ-1",), "wang.siqi"),
    Person("孙立新", ("SJ-2",), "sun.lixin"),
    Person("欧阳𬭎", ("SP-head",), "ouyang.hong"),
    Person("杜鹃", ("SP-1",), "du.juan"),
    # Two posts: revisits cases of other departments, and is refused where it would be her own work.
    Person("吴珊珊", ("SP-2", "revisit-3"), "wu.shanshan"),
    Person("钱福生", ("RS-head",), "qian.fusheng"),
    Person("朱琳", ("RS-1",), "zhu.lin"),
    Person("其其格", ("RS-2",), "qiqige"),
    Person("沈国栋", ("YB-head",), "shen.guodong"),
    Person("许佳音", ("YB-1",), "xu.jiayin"),
    Person("梁启明", ("YB-2",), "liang.qiming"),
    Person("曹卫东", ("GA-head",), "cao.weidong"),
    Person("邓雨桐", ("GA-1",), "deng.yutong"),
    Person("巴特尔", ("GA-2",), "bateer"),
    Person("彭慧敏", ("SW-head",), "peng.huimin"),
    Person("蒋一鸣", ("SW-1",), "jiang.yiming"),
    Person("田甜", ("SW-2",), "tian.tian"),
    Person("袁守正", ("BDC-head",), "yuan.shouzheng"),
    Person("潘晓菲", ("BDC-1",), "pan.xiaofei"),
    Person("任远航", ("BDC-2",), "ren.yuanhang"),
    Person("娜仁·高娃", ("GJJ-head",), "naren.gaowa"),
    Person("石磊", ("GJJ-1",), "shi.lei"),
    Person("姚瑶", ("GJJ-2",), "yao.yao"),
    Person("贺振华", ("ZJ-head",), "he.zhenhua"),
    Person("龚雪", ("ZJ-1",), "gong.xue"),
    Person("谭海涛", ("ZJ-2",), "tan.haitao"),
    Person("方正", ("supervisor-1",), "fang.zheng"),
    Person("萨仁", ("supervisor-2",), "saren"),
    Person("林静", ("revisit-1",), "lin.jing"),
    Person("斯琴·高娃", ("revisit-2",), "siqin.gaowa"),
    Person("夏冰", ("privacy",), "xia.bing"),
    Person("魏明察", ("auditor",), "wei.mingcha"),
    Person("程序", ("admin",), "cheng.xu"),
    Person("段修平", ("reviewer",)),
    Person("邵真", ("verifier",), "shao.zhen"),
    Person("陶然", ("panel-1",), "tao.ran"),
    Person("牧兰", ("panel-2",), "mu.lan"),
    # Those who took a rating out do not decide on the objection: it takes two more.
    Person("安宁", ("panel-3",), "an.ning"),
    Person("乔木", ("panel-4",), "qiao.mu"),
    Person("冯晓燕", ("clerk-W03",), "feng.xiaoyan"),
    *(
        Person(name, (f"clerk-{window}",))
        for window, name in (
            ("W04", "丁凯"), ("W05", "塔娜"), ("W06", "黄蓓"), ("W07", "范鑫"), ("W08", "谷雨"),
            ("W09", "秦岚"), ("W10", "尹航"), ("W11", "阿茹娜"), ("W12", "郝敏"), ("W13", "毛宁"), ("W14", "常乐"),
            ("W15", "武思源"), ("W16", "康健"), ("W17", "严瑾"), ("W18", "温馨"), ("W19", "莫日根"), ("W20", "崔颖"),
            ("W21", "童欣"), ("W22", "路遥"), ("W23", "查干"),
        )
    ),
)  # fmt: skip


def enlist(parts: Parts, password: str, at: datetime, progress: Progress) -> Cast:
    """Make what is missing of accounts and give the posts, from `at` (UTC) on; who is there already stays as they are.

    Raises what refuses a post: BeforeLast when the register has gone on since.
    """
    known = {folded(one.login): one.person for one in everyone(parts.pool, parts.vault)}
    cast: dict[Code, PersonKey] = {}
    for done, person in enumerate(STAFF, 1):
        if person.login is None:
            key = PersonKey(uuid5(DEMO, f"person:{person.posts[0]}"))
        elif folded(person.login) in known:
            key = known[folded(person.login)]
        else:
            key = parts.accounts.add(person.login, person.name, password=password).person
        cast |= dict.fromkeys(person.posts, key)
        progress("people", done, len(STAFF))
    registered = parts.book.facts().register
    given = parts.book.transact_many(
        REGISTER, [_take(post, key, at) for post, key in cast.items() if not registered.holds(key, post, at)]
    )
    for outcome in given:
        if isinstance(outcome, Refused):
            raise outcome
    return cast


def _take(post: Code, person: PersonKey, at: datetime) -> Ask[RegisterCommand]:
    asked = Asked(command_id=uuid5(DEMO, f"take:{post}:{person}"), source=SOURCE, name="take-post", moment=at)
    return Ask(stream=STREAM, command=TakePost(at=at, by=THE_SYSTEM, post=post, person=person), asked=asked)
