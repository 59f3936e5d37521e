"""The evidence package of one case: its events with their proofs, told in words, with all it takes to check it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from importlib import resources
from typing import Final
from uuid import UUID

from domain.complaint import Registered
from domain.errors import Unknown
from domain.handling import HALL_ZONE
from domain.register import Register
from projections.histories import Language, history
from projections.tables import Entry, entry
from projections.telling import Teller
from projections.words import word
from service import receipts
from service.parts import Parts
from service.receipts import File, SealUpTo
from service.signing import Checkpoint

MANIFEST: Final = "manifest.txt"
VERIFIER: Final = "verifier.py"
ONE_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a package, the earliest a zip can tell: the same case gives the same bytes."""
ORDINARY: Final = 0o100644 << 16
UNIX: Final = 3

README: Final = """\
投诉 {number} 的证据包

本包由 {name} 出具，可在不信任本大厅、不联网的情况下核验：

1. 向大厅公布栏、公报或更早的回执核对签名公钥，不要只相信本包中的这一行：
   {vkey}
2. 安装了 Python 3.9 以上的任何电脑：
   python3 -I verifier.py 本包.zip --key '上述公钥'
   verifier.py 只用 Python 标准库，可以先读一遍；也可以从别处取得同一文件，或按公开的格式自己写一个。
3. 如您另存有检查点：再加 --checkpoint 文件。

手工核验：
- manifest.txt 列出每个文件的 SHA-256（sha256sum -c 可核对其中各行），其后是大厅对这份清单的签名
  （Ed25519，C2SP signed note）。
- history.json 是此件的各个事件，按存储的原样；每个事件的哈希与 inclusion 中的各值逐层合并（RFC 9162），
  得出 checkpoint 中签名的根。
- 各流的版本从 1 起连续，因此所列事件之间没有缺少；最后一个事件之后是否还有，本包不能证明。
- attachments.json 列出各附件密文的 SHA-256 及其所在事件的位置；手中的附件密文可据此核对。
- told.zh.txt 与 told.en.txt 是本大厅对这些事件的文字说明；被证明的是事件本身，说明以签名为据。

姓名、电话和各项文字在事件中是密文；证明不需要打开它们，密钥销毁后证明仍然成立。

Evidence package of complaint {number}

Issued by {name}. It can be checked without trusting this hall and without a network:

1. Compare the verifying key with the one on the hall's wall, in its bulletin, or on an older receipt; not with this
   line alone:
   {vkey}
2. On any machine with Python 3.9 or later:
   python3 -I verifier.py THIS.zip --key 'the key above'
   verifier.py needs the standard library alone. Read it first, take the same file from elsewhere, or write your own
   from the published formats.
3. If you keep a checkpoint of your own, add: --checkpoint FILE

By hand:
- manifest.txt lists the SHA-256 of every file (sha256sum -c checks these lines); behind them stands the hall's
  signature over the list (Ed25519, C2SP signed note).
- history.json holds all events of the case as they are stored. The hash of each, joined level by level with the values
  in `inclusion` (RFC 9162), gives the root that is signed in `checkpoint`.
- The versions of each stream run from 1 without a gap, so no event is missing between those shown; whether another
  one came after the last, this package cannot show.
- attachments.json gives the SHA-256 of every attachment's ciphertext and the position of the event that names it.
- told.zh.txt and told.en.txt are what this hall says in words about these events. The events are proved; the words are
  signed.

Names, phone numbers and texts stand in the events as ciphertext. The proofs need none of them opened, and hold after
their keys were destroyed.
"""
HEADS: Final[Mapping[Language, str]] = {
    Language.CHINESE: """\
投诉 {number} 的经过
检查点：{size} 条记录，签于 {signed}。
时间为大厅当地时间；方括号内是封存而未打开的内容。
""",
    Language.ENGLISH: """\
History of complaint {number}
Checkpoint of {size} records, signed {signed}.
Times are local to the hall; what stands in brackets is sealed and was not opened.
""",
}


@dataclass(frozen=True, slots=True)
class Package:
    """A zip, whose case it is of, the name to keep it under, and how far the log was when it was made."""

    number: str
    name: str
    data: bytes
    checkpoint: Checkpoint


def package(parts: Parts, case: UUID, seal_up_to: SealUpTo = receipts.sealed_up_to) -> Package:
    """Make the evidence package of a case; the same case under the same checkpoint gives the same bytes.

    It holds keys of persons, and who read or tried what: it is for those who may read that. Raises Unknown,
    NotSealedYet, LogAltered, and whatever `seal_up_to` raises.
    """
    found = receipts.history(parts, case, seal_up_to)
    entries = [
        entry((one.position, one.stream_id, one.version, one.name, one.recorded_at, one.state)) for one in found.leaves
    ]
    number = _number(case, entries)
    checkpoint = found.sealed.checkpoint
    register = parts.book.facts().register
    files = {
        "README.txt": README.format(number=number, name=parts.signer.name, vkey=parts.signer.vkey).encode(),
        "attachments.json": _json(attachments(entries)),
        "history.json": _json(found.file()),
        VERIFIER: resources.files("service").joinpath(VERIFIER).read_bytes(),
        **{f"told.{language}.txt": _told(number, checkpoint, entries, register, language) for language in Language},
    }
    files[MANIFEST] = _manifest(parts, number, files)
    name = number.replace("/", "_").replace(":", "_")
    return Package(number, f"{name}.zip", _zipped(files), checkpoint)


def attachments(entries: Sequence[Entry]) -> list[File]:
    """Give position and digest of every attachment that an event names; the digest is of its ciphertext."""
    found = ((one.position, getattr(one.event, "sha256", None)) for one in entries)
    return [{"position": position, "digest": digest} for position, digest in found if digest is not None]


def _number(case: UUID, entries: Sequence[Entry]) -> str:
    for one in entries:
        if one.stream == case and isinstance(one.event, Registered):
            return one.event.complaint_no
    raise Unknown


def _told(
    number: str, checkpoint: Checkpoint, entries: Sequence[Entry], register: Register, language: Language
) -> bytes:
    signed = f"{checkpoint.signed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    lines = [HEADS[language].format(number=number, size=checkpoint.size, signed=signed)]
    moment = Teller(register, language, HALL_ZONE).moment
    comma = "、" if language is Language.CHINESE else ", "
    for line in history(entries, register, language):
        sealed = comma.join(word(f"field_{kind}", language) for kind in line.sealed)
        lines.append(
            f"{line.position:>9}  {moment(line.at)}  {line.who}: {line.said}{f' [{sealed}]' if sealed else ''}"
        )
    return ("\n".join(lines) + "\n").encode()


def _manifest(parts: Parts, number: str, files: Mapping[str, bytes]) -> bytes:
    listed = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return parts.signer.sign(f"{parts.signer.name}/package\ncomplaint {number}\n{listed}").encode()


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """Pack files without compressing them: what a packer makes of the same bytes differs from version to version."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as box:
        for name in sorted(files):
            about = zipfile.ZipInfo(name, ONE_TIME)
            about.create_system, about.external_attr = UNIX, ORDINARY
            box.writestr(about, files[name])
    return packed.getvalue()
