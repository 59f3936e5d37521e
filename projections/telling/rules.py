"""What happens to register and rulebook, in sentences."""

from __future__ import annotations

from domain import register, rulebook
from domain.decider import Event
from projections.telling.teller import Teller


def told(t: Teller, event: Event) -> tuple[str, str] | None:
    """Give the sentence of what happens to register and rulebook."""
    match event:
        case register.SiteAdded(entry=entry):
            return f"登记场所{t.name(entry)}", f"entered the site {t.name(entry)}"
        case register.DepartmentAdded(entry=entry):
            return f"登记部门{t.name(entry)}", f"entered the department {t.name(entry)}"
        case register.WindowAdded(entry=entry):
            return f"登记窗口{t.name(entry)}", f"entered the window {t.name(entry)}"
        case register.ItemAdded(entry=entry):
            return f"登记事项{t.name(entry)}", f"entered the item {t.name(entry)}"
        case register.PostAdded(entry=entry):
            return f"设立岗位{t.name(entry)}", f"created the post {t.name(entry)}"
        case register.PostTaken(post=post):
            return f"任用人员到岗：{t.post(post)}", f"gave somebody the post {t.post(post)}"
        case register.PostLeft(post=post):
            return f"人员离岗：{t.post(post)}", f"took the post {t.post(post)} from somebody"
        case register.DeputyAppointed() as e:
            until = "" if e.until is None else t.moment(e.until)
            end = (f"，至 {until}", f" until {until}") if until else ("", "")
            return (
                f"指定代理人：{t.post(e.post)}，自 {t.moment(e.since)}{end[0]}",
                f"let somebody stand in at the post {t.post(e.post)} from {t.moment(e.since)}{end[1]}",
            )
        case register.DeputyEnded(post=post):
            return f"结束代理：{t.post(post)}", f"let nobody stand in any more at the post {t.post(post)}"
        case register.Renamed() as e:
            kind = t.code(e.kind, "entry_")
            return f"{kind}更名为{e.name_zh}", f"gave the {kind} the name {e.name_en}"
        case register.DepartmentMerged() as e:
            old, into = t.department(e.department), t.department(e.into)
            return f"{old}并入{into}", f"merged {old} into {into}"
        case rulebook.PolicyAdopted(policy=policy):
            profile = t.codes([policy.profile], "profile_")
            return f"采用{profile}规则第{policy.version}版", f"adopted version {policy.version} of the rules: {profile}"
        case rulebook.CalendarAdopted(calendar=year):
            return (
                f"采用{year.year}年工作日历第{year.version}版",
                f"adopted version {year.version} of the working calendar of {year.year}",
            )
        case rulebook.CategoriesAdopted(version=version):
            return f"采用投诉分类第{version}版", f"adopted version {version} of the categories"
        case rulebook.StagesAdopted(version=version):
            return f"采用环节名称第{version}版", f"adopted version {version} of the names of the steps"
        case rulebook.CodeSetAdopted(code_set=adopted):
            what = t.codes([adopted.name], "codes_")
            return f"采用{what}指标第{adopted.version}版", f"adopted version {adopted.version} of the codes {what}"
        case _:
            return None
