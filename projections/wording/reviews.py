"""The words of visits and what people say of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "told_served_at": ("；服务时间 ", "; served "),
    "codes_eval-detail": ("评价详情", "of detail"),
    "invited_qr": ("二维码", "QR code"),
    "invited_sms": ("短信", "text message"),
    "invited_kiosk": ("评价器", "kiosk"),
    "invited_web": ("网页", "web"),
    "online": ("线上", "online"),
    "on_site": ("现场", "on site"),
    "computer": ("电脑端", "computer"),
    "mobile": ("移动端", "mobile"),
    "qr": ("二维码", "QR code"),
    "tablet": ("平板电脑", "tablet"),
    "terminal": ("其他终端", "terminal"),
    "sms": ("短信", "text message"),
    "paper": ("纸质", "on paper"),
}
