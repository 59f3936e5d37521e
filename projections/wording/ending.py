"""The words for how a case ends, for what is proposed, reviewed, reopened, published and disclosed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    # steps
    "refused": ("不予受理", "not accepted"),
    "transferred_out": ("已转送", "sent elsewhere"),
    "withdrawn": ("已撤回", "withdrawn"),
    "terminated": ("已终止", "terminated"),
    "archived": ("已归档", "archived"),
    "under_review": ("复核中", "under review"),
    # why a complaint is not accepted
    "litigation_arbitration_reconsideration": (
        "已进入诉讼、仲裁或复议程序",
        "it is before a court, an arbitrator or a reconsideration body",
    ),
    "discipline_channel": ("属于纪检监察受理范围", "it is for the discipline inspection"),
    "in_petition_procedure": ("已进入信访程序", "it is in the petition procedure"),
    "not_gov_service": ("不属于政务服务事项", "it is not about a government service"),
    "out_of_jurisdiction": ("不属于本辖区管辖", "it lies outside this jurisdiction"),
    "no_respondent_or_fact": ("没有明确的被投诉方或者事实", "it names no respondent or no facts"),
    "already_in_handling": ("同一事项正在办理", "the same matter is in hand already"),
    "closed_no_new_fact": ("已办结且无新的事实", "it was closed, and there are no new facts"),
    "secret_or_privacy": ("涉及国家秘密、商业秘密或者他人隐私", "it is about secrets or the privacy of others"),
    "final_after_re_review": ("已经复核终结", "the second review ended it"),
    # where it belongs
    "court": ("人民法院", "the court"),
    "arbitration_body": ("仲裁机构", "the arbitration body"),
    "reconsideration_body": ("行政复议机关", "the reconsideration body"),
    "discipline_inspection": ("纪检监察机关", "the discipline inspection"),
    "petition_office": ("信访部门", "the petition office"),
    "hotline_12345": ("12345热线", "the hotline 12345"),
    "competent_authority": ("有权处理的机关", "the competent authority"),
    "other_region": ("其他地区", "another region"),
    "complaint_window": ("本投诉窗口", "this complaint window"),
    "petition": ("信访部门", "the petition office"),
    "discipline": ("纪检监察机关", "the discipline inspection"),
    "reconsideration": ("行政复议机关", "the reconsideration body"),
    "procuratorate": ("人民检察院", "the procuratorate"),
    "public_security": ("公安机关", "the public security"),
    # why the handling ends
    "turned_out_non_acceptable": ("办理中发现不属于受理范围", "it turned out not to be acceptable"),
    "complainant_refuses_to_cooperate": ("投诉人不配合调查", "the complainant refuses to cooperate"),
    # how it is known that the complainant said so
    "query_code": ("凭查询码", "by the query code"),
    "signature": ("签名", "by signature"),
    "message_code": ("短信验证码", "by a code sent to the phone"),
    "recorded_call": ("录音电话", "in a recorded call"),
    # ways of appeal
    "review_request": ("申请复核", "a request for review"),
    "administrative_reconsideration": ("行政复议", "administrative reconsideration"),
    # reviews and new rounds
    "review_upheld": ("维持原处理", "the decision stands"),
    "review_modified": ("变更原处理", "the decision is changed"),
    "review_overturned": ("撤销原处理", "the decision is overturned"),
    "modified": ("变更", "changed"),
    "overturned": ("撤销", "overturned"),
    "new_facts": ("有新的事实", "new facts"),
    "supervision": ("督查决定", "a supervisor's order"),
    "failed_rectification": ("整改未落实", "a failed rectification"),
    "review": ("复核决定", "a review"),
    "ex_officio": ("依职权继续办理", "the case goes on ex officio"),
    "source": ("原台账记载", "the ledger it came from"),
    # what is sealed, by the name of its field
    "field_explanation": ("说明", "explanation"),
    "field_doc_no": ("文号", "number of the letter"),
    "field_grounds": ("申请复核的理由", "grounds of the request for review"),
    "field_redaction": ("脱敏后的内容", "redacted text"),
    "field_reply": ("公开的答复", "published reply"),
    # commands
    "command_propose-refuse": ("提议不予受理", "propose not to accept it"),
    "command_confirm-refuse": ("确认不予受理", "confirm that it is not accepted"),
    "command_transfer-out": ("转送其他机关", "send it elsewhere"),
    "command_withdraw": ("撤回投诉", "withdraw the complaint"),
    "command_propose-terminate": ("提议终止办理", "propose to end the handling"),
    "command_confirm-terminate": ("确认终止办理", "confirm the end of the handling"),
    "command_decline-proposal": ("不同意所提议的事项", "decline a proposal"),
    "command_resolve-on-spot": ("当场办结", "settle it on the spot"),
    "command_request-review": ("申请复核", "ask for a review"),
    "command_decide-review": ("作出复核决定", "decide a review"),
    "command_reopen": ("重新办理", "reopen the case"),
    "command_order-rework": ("发回重办", "order a rework"),
    "command_propose-publish": ("提议公示", "propose a publication"),
    "command_confirm-publish": ("确认公示", "confirm a publication"),
    "command_unpublish": ("撤下公示", "take it out of publication"),
    "command_propose-disclose": ("提议披露投诉人身份", "propose to disclose who complained"),
    "command_confirm-disclose": ("确认披露投诉人身份", "confirm a disclosure"),
    # why an attempt was refused that goes on record
    "refusal_own-proposal": ("提议人不得自行确认或者否决", "nobody decides on what they proposed themselves"),
    "refusal_own-work-ended": ("经办人不得确认终止办理", "nobody who handled it confirms its end"),
    "refusal_own-work-reviewed": ("参与过办理的人员不得复核", "nobody reviews what they had a part in"),
    "refusal_withdrawal-invalid": (
        "被投诉方或者办理单位不得经手撤回",
        "a withdrawal is not taken by whom it suits",
    ),
}
"""Code to (Chinese, English)."""
