"""The verifier's own Ed25519 and its notes: against the RFC's vectors, another library, and forgers."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import example as such_as
from hypothesis import given
from hypothesis import strategies as st

from domain.decider import beside
from service.verifier import (
    BASE,
    NEUTRAL,
    Checkpoint,
    Frontier,
    Invalid,
    Key,
    L,
    P,
    Rows,
    Versions,
    _sum,
    opened,
    verify_consistency,
    verify_inclusion,
    verify_signature,
)
from tests.service.sealed_files import CASE, b64, example, growth, path, root

SHARED: Final = Path(os.environ.get("BIHUAN_SHARED") or Path(__file__).parents[3] / "shared") / "data" / "vectors"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not beside this clone: set BIHUAN_SHARED")
VECTORS: Final = json.loads((Path(__file__).parent / "rfc8032.json").read_text(encoding="utf-8"))
HALL: Final = example()
KEY: Final = Key.parse(HALL.vkey)


def other_library(public: bytes, message: bytes, signature: bytes) -> bool:
    """Ask the library that signs."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize("vector", VECTORS, ids=[one["name"] for one in VECTORS])
def test_the_vectors_of_the_standard_hold(vector: dict[str, str]) -> None:
    """All five of RFC 8032 §7.1, and none of them after any of a few small changes."""
    public, message, signature = (bytes.fromhex(vector[name]) for name in ("public", "message", "signature"))
    assert verify_signature(public, message, signature)
    assert Ed25519PrivateKey.from_private_bytes(bytes.fromhex(vector["secret"])).sign(message) == signature
    for place in (0, 31, 32, 63):
        assert not verify_signature(public, message, flipped(signature, place))
    assert not verify_signature(flipped(public, 7), message, signature)
    assert not verify_signature(public, message + b"\x00", signature)
    assert not verify_signature(public, message, signature + b"\x00")
    assert not verify_signature(public, message, signature[:63])
    assert not verify_signature(public[:31], message, signature)


def flipped(data: bytes, place: int, bit: int = 0) -> bytes:
    """Turn one bit over."""
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=300), data=st.data())
def test_the_verifier_judges_as_the_library_that_signs(seed: bytes, message: bytes, data: st.DataObject) -> None:
    """Whatever is signed holds, and a bit turned over anywhere is seen by both."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert verify_signature(public, message, signature)
    whole = public + signature + message
    turned = flipped(whole, data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7)))
    parts = turned[:32], turned[96:], turned[32:96]
    assert verify_signature(*parts) is other_library(*parts) is False


def test_a_second_spelling_of_a_signature_is_refused() -> None:
    """S + L stands for the same number as S, and would make two signatures of one (RFC 8032 §8.4)."""
    private = Ed25519PrivateKey.from_private_bytes(HALL.seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"text")
    again = int.from_bytes(signature[32:], "little") + L
    assert not verify_signature(public, b"text", signature[:32] + again.to_bytes(32, "little"))


def encoded(y: int, sign: int = 0) -> bytes:
    """Write a point as its y and the sign of its x."""
    return (y | sign << 255).to_bytes(32, "little")


# The points of order 1, 2, 4 and 8, and what is no canonical spelling of a point. With the first kinds "signatures" can
# be made that hold for many texts, without any secret.
ORDER_8: Final = 2707385501144840649318225287225658788936804267575313519463743609750303021022
WEAK: Final = {
    "order 1": encoded(1),
    "order 2": encoded(P - 1),
    "order 4": encoded(0),
    "order 4, the other": encoded(0, 1),
    "order 8": encoded(ORDER_8),
    "order 8, the other": encoded(P - ORDER_8),
    "y = p + 1": encoded(P + 1),
    "y = p": encoded(P),
    "minus zero": encoded(1, 1),
    "no point": encoded(2),
    "all bits": b"\xff" * 32,
}


@pytest.mark.parametrize("public", WEAK.values(), ids=WEAK.keys())
def test_a_key_with_which_anybody_could_sign_is_refused(public: bytes) -> None:
    """R = S·B fits a key of small order whenever the challenge is a multiple of its order: eight tries find one."""
    for n in range(1, 40):
        x, y, z, _ = _sum(n, BASE, 0, NEUTRAL)
        r = encoded(y * pow(z, -1, P) % P, x * pow(z, -1, P) % P & 1)
        assert not verify_signature(public, b"text", r + n.to_bytes(32, "little"))
    raw = b"\x01" + public
    key_id = hashlib.sha256(HALL.name.encode() + b"\n" + raw).hexdigest()[:8]
    with pytest.raises(Invalid, match="no Ed25519 key"):
        Key.parse(f"{HALL.name}+{key_id}+{b64(raw)}")


def test_a_key_with_a_part_of_small_order_is_refused() -> None:
    """Two verifiers could differ about its signatures, so it is no key."""
    private = Ed25519PrivateKey.from_private_bytes(HALL.seed)
    public = private.public_key().public_bytes_raw()
    # Minus the point, with the point of order 2 added: (x, y) becomes (-x, -y), whose sign of x is turned over.
    y = int.from_bytes(public, "little")
    mixed = encoded(P - (y & (1 << 255) - 1), 1 - (y >> 255))
    assert other_library(public, b"text", private.sign(b"text"))
    with pytest.raises(Invalid, match="no Ed25519 key"):
        Key.parse(f"name+00000000+{b64(bytes([1]) + mixed)}")


@shared
def test_the_notes_of_the_field_open() -> None:
    """The example everybody has, and not with one letter changed."""
    (vector,) = json.loads((SHARED / "signed_notes.json").read_text(encoding="utf-8"))["notes"]
    key, line = Key.parse(vector["vkey"]), f"\u2014 {vector['name']} {vector['sig']}\n"
    assert opened(f"{vector['text']}\n{line}", key) == vector["text"]
    with pytest.raises(Invalid, match="signature by PeterNeumann is not that of this text"):
        opened(f"{vector['text'].replace('answer', 'Answer')}\n{line}", key)
    with pytest.raises(Invalid, match="the name of the key"):
        _ = key.log


@shared
def test_every_proof_of_the_field_is_judged_as_it_says() -> None:
    """Good proofs hold, broken ones do not; size 0 in a proof of consistency is an error."""
    files = sorted((SHARED / "merkle").glob("*/**/*.json"))
    vectors = [json.loads(one.read_text(encoding="utf-8")) for one in files]
    assert len(vectors) == 196
    assert [one["desc"] for one in vectors if proves(one) is one["wantErr"]] == []


def proves(vector: dict[str, Any]) -> bool:
    """Judge a proof."""

    def raw(name: str) -> bytes:
        return base64.b64decode(vector[name] or "")

    proof = [base64.b64decode(one) for one in vector["proof"] or []]
    try:
        if "leafIdx" in vector:
            verify_inclusion(raw("leafHash"), vector["leafIdx"], vector["treeSize"], raw("root"), proof)
        else:
            verify_consistency(vector["size1"], raw("root1"), vector["size2"], raw("root2"), proof)
    except Invalid:
        return False
    return True


LEAVES: Final = [hashlib.sha256(bytes([n])).digest() for n in range(70)]


def test_every_proof_of_a_small_tree_holds_and_no_other() -> None:
    """All places, sizes and pairs of sizes of up to seventy leaves, against the definitions of the standard."""
    frontier = Frontier()
    roots = [frontier.root()]
    for one in LEAVES:
        frontier.append(one)
        roots.append(frontier.root())
    assert roots == [root(LEAVES[:size]) for size in range(len(LEAVES) + 1)]
    for size in (*range(1, 20), 32, 33, 63, 64, 65, 70):
        for index in range(size):
            proof = path(LEAVES[:size], index)
            verify_inclusion(LEAVES[index], index, size, roots[size], proof)
            with pytest.raises(Invalid):
                verify_inclusion(
                    LEAVES[index], (index + 1) % size, size, roots[size], [*proof, b""][: -(size > 1) or 1]
                )
        for smaller in range(1, size + 1):
            proof = growth(LEAVES[:size], smaller)
            verify_consistency(smaller, roots[smaller], size, roots[size], proof)
            with pytest.raises(Invalid):
                verify_consistency(smaller, roots[smaller - 1], size, roots[size], proof)
            with pytest.raises(Invalid):
                verify_consistency(smaller, roots[smaller], size, roots[size], [*proof, LEAVES[0]])


def test_a_proof_has_no_surplus_and_no_hash_of_another_length() -> None:
    """Two trees of one size need no proof, and bytes cannot move from one hash to the next."""
    whole = root(LEAVES[:3])
    with pytest.raises(Invalid, match="2 hashes, or hashes of these lengths, prove nothing"):
        verify_consistency(3, whole, 3, whole, [LEAVES[2], root(LEAVES[:2])])
    with pytest.raises(Invalid, match="does not lead to the root of 1 events"):
        verify_consistency(1, LEAVES[0], 2, LEAVES[0], [])
    proof = growth(LEAVES[:7], 3)
    with pytest.raises(Invalid, match="hashes of these lengths, prove nothing"):
        verify_consistency(3, whole, 7, root(LEAVES[:7]), [proof[0][:31], proof[0][31:] + proof[1], *proof[2:]])
    first, second = path(LEAVES[:3], 0)
    moved = [first[:31], first[31:] + second]
    with pytest.raises(Invalid, match="hashes of these lengths, do not prove"):
        verify_inclusion(LEAVES[0], 0, 3, whole, moved)


def test_a_proof_from_an_empty_tree_or_backwards_is_an_error() -> None:
    """Nothing can be shown of them."""
    for size1, size2 in ((0, 0), (0, 5), (6, 5), (-1, 5)):
        with pytest.raises(Invalid, match="nothing can be proved"):
            verify_consistency(size1, root(LEAVES[: max(size1, 0)]), size2, root(LEAVES[:size2]), [])


def test_a_place_that_no_tree_has_is_an_error() -> None:
    """Counted from the end, or beyond it."""
    for index, size in ((-1, 1), (-1, 5), (5, 5), (0, 0)):
        with pytest.raises(Invalid, match=f"a tree of {size} events has no position {index + 1}"):
            verify_inclusion(LEAVES[0], index, size, LEAVES[0], [])


def test_signatures_of_others_are_no_matter() -> None:
    """A witness may sign a checkpoint too, in front or behind, also under our name with another key."""
    note = HALL.checkpoint()
    text, ours = note.split("\n\n")
    witness = f"\u2014 witness.example {b64(b'abcd' + bytes(100))}\n"
    namesake = f"\u2014 {HALL.name} {b64(b'abcd' + bytes(64))}\n"
    same_id = f"\u2014 witness.example {b64(HALL.key_id + bytes(64))}\n"
    assert opened(f"{text}\n\n{witness}{namesake}{ours}{same_id}", KEY) == text + "\n"
    with pytest.raises(Invalid, match="not signed by"):
        opened(f"{text}\n\n{witness}{namesake}{same_id}", KEY)
    assert Checkpoint.open(note, KEY).size == len(HALL.rows)


@given(text=st.text())
@such_as(text="")
@such_as(text="\n\n")
@such_as(text="\n\n\u2014 a b\n")
@such_as(text="a\n\n\u2014 b YWJjZGVm\n")
def test_no_text_passes_for_a_note(text: str) -> None:
    """Whatever it is: refused in a sentence, never by an error of the program."""
    with pytest.raises(Invalid):
        opened(text, KEY)
    with pytest.raises(Invalid):
        Key.parse(text)


def test_signatures_without_a_text_are_no_note() -> None:
    """Not even where the hall had signed an empty line."""
    with pytest.raises(Invalid, match="a signed note is text"):
        opened(HALL.signature("\n"), KEY)


def test_a_leaf_is_hashed_as_the_log_does() -> None:
    """The vector that is fixed for ever, and a case with all that stands beside it."""
    golden = json.loads((Path(__file__).parents[1] / "history" / "leaf.json").read_text(encoding="utf-8"))
    of = golden["leaf"]
    row = [of[name] for name in ("position", "stream_id", "version", "name", "recorded_at_us", "command_id")]
    with closing(Versions()) as versions:
        leaf = Rows(of["log_id"], versions).leaf([*row, of["command_seq"], of["state"]])
    assert leaf.hex() == golden["digest"]
    streams = {one[1] for one in HALL.rows}
    assert {str(stream) for stream in (CASE, beside(CASE, "access"), beside(CASE, "attempts"))} < streams
