"""The tree over the log, against the field's vectors, the definition in the standard, and a library of others."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from projections.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofFails,
    check_consistency,
    check_inclusion,
    consistency,
    inclusion,
    root_of,
    subtree,
)

VECTORS: Final = (
    Path(os.environ.get("BIHUAN_SHARED", Path(__file__).parents[2] / ".." / "shared")) / "data/vectors/merkle"
)
LEAVES: Final = [hashlib.sha256(b"\x00" + f"leaf {n}".encode()).digest() for n in range(300)]
SIZES: Final = st.integers(1, len(LEAVES))


def defined(hashes: Sequence[bytes]) -> bytes:
    """Give the root as RFC 9162 §2.1.1 defines it, by splitting."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    left = 1
    while left * 2 < len(hashes):
        left *= 2
    return hashlib.sha256(b"\x01" + defined(hashes[:left]) + defined(hashes[left:])).digest()


def read(level: int, index: int) -> bytes:
    """Read the root of a complete subtree, and nothing of what lies to its right."""
    found = LEAVES[index << level : (index + 1) << level]
    assert len(found) == 1 << level
    return defined(found)


@pytest.mark.skipif(not VECTORS.is_dir(), reason="the shared data are not beside this clone: set BIHUAN_SHARED")
def test_every_vector_of_the_field_is_judged_as_it_says() -> None:
    """Good proofs hold, broken ones fail, size 0 in a proof of consistency is an error."""
    files = sorted(VECTORS.glob("*/**/*.json"))
    assert len(files) == 196
    assert [one for one in files if holds(json.loads(one.read_text())) is json.loads(one.read_text())["wantErr"]] == []


def holds(vector: dict[str, Any]) -> bool:
    """Judge a vector."""

    def plain(name: str) -> bytes:
        return base64.b64decode(vector[name] or "")

    proof = [base64.b64decode(one) for one in vector["proof"] or []]
    try:
        if "leafIdx" in vector:
            check_inclusion(plain("leafHash"), vector["leafIdx"], vector["treeSize"], proof, plain("root"))
        else:
            check_consistency(vector["size1"], plain("root1"), vector["size2"], plain("root2"), proof)
    except ProofFails:
        return False
    return True


def test_the_root_is_what_the_standard_defines() -> None:
    """At every size, grown leaf by leaf and split from above; the empty tree included."""
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT == defined([])
    for size, leaf in enumerate(LEAVES, start=1):
        frontier.append(leaf)
        assert frontier.root() == defined(LEAVES[:size]) == subtree(read, 0, size)
    assert root_of(LEAVES) == frontier.root()


def test_a_library_of_others_gives_the_same_roots_and_paths() -> None:
    """Where it starts from the same entries; its paths begin with the leaf, ours with its neighbour."""
    theirs = InmemoryTree(algorithm="sha256")
    for n in range(100):
        theirs.append_entry(f"leaf {n}".encode())
    for size in range(1, 101):
        assert theirs.get_root(size) == root_of(LEAVES[:size])
        for index in range(0, size, 7):
            assert theirs.prove_inclusion(index + 1, size).path[1:] == inclusion(read, index, size)


@given(data=st.data(), size=SIZES)
def test_a_proof_of_inclusion_holds_for_its_leaf_alone(data: st.DataObject, size: int) -> None:
    """For no other leaf, place, size or root, and not when a step is changed, missing or added."""
    index = data.draw(st.integers(0, size - 1))
    path, root = inclusion(read, index, size), root_of(LEAVES[:size])
    check_inclusion(LEAVES[index], index, size, path, root)
    other = data.draw(st.integers(0, len(LEAVES) - 1).filter(lambda one: one != index))
    for changed in _changed(data, path):
        assert fails(check_inclusion, LEAVES[index], index, size, changed, root)
    assert fails(check_inclusion, LEAVES[other], index, size, path, root)
    assert fails(check_inclusion, LEAVES[index], other, size, path, root)
    assert fails(check_inclusion, LEAVES[index], index, size, path, LEAVES[other])


@given(data=st.data(), size2=SIZES)
def test_a_proof_of_consistency_holds_for_its_trees_alone(data: st.DataObject, size2: int) -> None:
    """A tree that grew from another one, or of another size, is not its beginning."""
    size1 = data.draw(st.integers(1, size2))
    path = consistency(read, size1, size2)
    root1, root2 = root_of(LEAVES[:size1]), root_of(LEAVES[:size2])
    check_consistency(size1, root1, size2, root2, path)
    for changed in _changed(data, path):
        assert fails(check_consistency, size1, root1, size2, root2, changed)
    assert fails(check_consistency, size1, LEAVES[0] if size1 > 1 else LEAVES[1], size2, root2, path)
    assert fails(check_consistency, size1, root1, size2, hashlib.sha256(root2).digest(), path)
    assert fails(check_consistency, 0, EMPTY_ROOT, size2, root2, path)


def _changed(data: st.DataObject, path: Sequence[bytes]) -> list[list[bytes]]:
    added = [[*path, LEAVES[0]], [LEAVES[0], *path]]
    if not path:
        return added
    at = data.draw(st.integers(0, len(path) - 1))
    flipped = bytes([path[at][0] ^ 1]) + path[at][1:]
    return [
        *added,
        [*path[:at], *path[at + 1 :]],
        [*path[:at], flipped, *path[at + 1 :]],
        [*path[:at], b"", *path[at:]],
    ]


def fails(check: Any, *arguments: Any) -> bool:  # noqa: ANN401 - either of the two checks
    """Say whether a check refuses."""
    try:
        check(*arguments)
    except ProofFails:
        return True
    return False


def test_nothing_is_proved_of_what_is_not_there() -> None:
    """A leaf beyond the end, a larger tree, or an empty one."""
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="has no leaf"):
            inclusion(read, index, size)
    for size1, size2 in ((0, 5), (6, 5), (-1, 5)):
        with pytest.raises(ValueError, match="no proof"):
            consistency(read, size1, size2)
