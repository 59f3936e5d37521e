"""Everything that somebody with all rights on the database can do to a log, and what an audit says of it first."""

from __future__ import annotations

from typing import Final

ASIDE: Final = "alter table events disable trigger all; alter table checkpoints disable trigger all;"
REHASH: Final = """
update events set leaf_hash = leaf_hash(
    (select log_id from log), position, stream_id, version, name, recorded_at, command_id, command_seq, state);
"""
GONE: Final = "delete from events where position > {0}; delete from checkpoints where size > {0};"
UP: Final = """
update events set position = position + 100000 where position > {0};
update events set position = position - 100001 where position > 100000;
"""
DOWN: Final = """
update events set position = position + 100000 where position >= {0};
update events set position = position - 99999 where position > 100000;
"""
PUT_IN: Final = """
insert into events select {0}, gen_random_uuid(), 1, name, recorded_at, gen_random_uuid(), 0, state, sha256('x')
from events where position = {0} - 1;
"""
EXCHANGE: Final = """
update events set position = position + 100000 where position in ({0}, {1});
update events set position = {0} + {1} - (position - 100000) where position > 100000;
"""
TIMES_STAY: Final = """
update events e set recorded_at = o.recorded_at from events o
where e.position in ({0}, {1}) and o.position = {0} + {1} - e.position;
"""


def together(*statements: str) -> str:
    """Do one after the other."""
    return ";".join(statements)


def edit(change: str) -> str:
    """Edit the event at position 7."""
    return f"update events set {change} where position = 7"  # noqa: S608 - written here


CHANGED: Final = "position 7: the row was changed after it was stored: it no longer gives its hash"
TOGETHER: Final = "position 7: the row and its hash were changed together: the tree has the hash of another event"
TAMPERED: Final = {
    "state": (edit("state = state || ' '::bytea"), CHANGED),
    "time": (edit("recorded_at = recorded_at + interval '1 microsecond'"), CHANGED),
    "command": (edit("command_id = gen_random_uuid()"), CHANGED),
    "place in the command": (edit("command_seq = 1"), CHANGED),
    "stream": (edit("stream_id = gen_random_uuid()"), CHANGED),
    "version": (edit("version = 2"), CHANGED),
    "name": (edit("name = 'complaint.accepted.1'"), CHANGED),
    "hash alone": (
        edit("leaf_hash = sha256('x')"),
        "position 7: the hash stored with the row was changed (leaf_hash), while the row fits the signed checkpoint",
    ),
    "state, and another hash": (
        edit("state = '{}', leaf_hash = sha256('x')"),
        "position 7: the row was changed after it was stored, and its hash was changed to one that is not its own",
    ),
    "state, hash made anew": (together(edit("state = '{}'"), REHASH), TOGETHER),
    "command, hash made anew": (together(edit("command_id = gen_random_uuid()"), REHASH), TOGETHER),
    "two edited": (
        together(edit("state = '{}'"), "update events set state = '{}' where position = 11"),
        CHANGED + "; 2 positions differ, from 7 on",
    ),
    "taken out": (
        "delete from events where position = 7",
        "position 7: event 7 was taken out: nothing stands in that place",
    ),
    "three taken out": (
        "delete from events where position in (7, 8, 9)",
        "position 7: events 7 to 9 were taken out: nothing stands in that place",
    ),
    "taken out and closed up": (
        together("delete from events where position = 7", UP.format(7)),
        "position 7: event 7 was taken out, and those behind moved up",
    ),
    "two taken out and closed up": (
        together("delete from events where position in (7, 8)", UP.format(7), UP.format(7), REHASH),
        "position 7: events 7 to 8 were taken out, and those behind moved up",
    ),
    "the first taken out and closed up": (
        together("delete from events where position = 1", UP.format(1)),
        "position 1: event 1 was taken out, and those behind moved up",
    ),
    "the last but one taken out and closed up": (
        together("delete from events where position = 11", UP.format(11)),
        "position 11: event 11 was taken out, and those behind moved up",
    ),
    "put in": (
        together(DOWN.format(7), PUT_IN.format(7)),
        "position 7: an event was put in here, and those behind moved down",
    ),
    "put in before the last": (
        together(DOWN.format(12), PUT_IN.format(12), REHASH),
        "position 12: an event was put in here, and those behind moved down",
    ),
    "two put in": (
        together(DOWN.format(7), DOWN.format(7), PUT_IN.format(7), PUT_IN.format(8), REHASH),
        "position 7: 2 events were put in here, and those behind moved down",
    ),
    "exchanged": (EXCHANGE.format(7, 9), "position 7: the events of positions 7 and 9 were exchanged"),
    "neighbours exchanged": (EXCHANGE.format(7, 8), "position 7: the events of positions 7 and 8 were exchanged"),
    "first and last exchanged": (
        together(EXCHANGE.format(1, 12), REHASH),
        "position 1: the events of positions 1 and 12 were exchanged",
    ),
    "exchanged in the times of each other": (
        together(EXCHANGE.format(7, 9), TIMES_STAY.format(7, 9), REHASH),
        "position 7: the events of positions 7 and 9 were exchanged",
    ),
    "three in another order": (
        together(EXCHANGE.format(7, 9), EXCHANGE.format(7, 11)),
        "position 7: the order was changed: the event of position 11 stands here, the one of 7 stands at 9",
    ),
    "cut off": (
        "delete from events where position > 9",
        "position 10: the log ends at 9, 12 were sealed: 10 to 12 are missing",
    ),
    "the last cut off": (
        "delete from events where position = 12",
        "position 12: the log ends at 11, 12 were sealed: 12 is missing",
    ),
    "everything cut off": (
        "delete from events",
        "position 1: the log ends at 0, 12 were sealed: 1 to 12 are missing",
    ),
    "tile": (
        "update seals_1 set hashes = overlay(hashes placing sha256('x') from 193)",
        "position 7: the tree was changed: it has another hash here, while the row fits the signed checkpoint",
    ),
    "tile cut off": (
        "update seals_1 set hashes = substr(hashes, 1, 192)",
        "position 1: tile 0 of level 0 of the tree has not the hashes it should have",
    ),
    "a tile too much": (
        "insert into seals_1 values (1, 0, sha256('x'))",
        "position 1: tile 0 of level 1 of the tree has not the hashes it should have",
    ),
    "tree put back": (
        "update projection_positions set position = 6; update seals_1 set hashes = substr(hashes, 1, 192)",
        "position 7: the tree ends at 6, though 12 events were signed",
    ),
    "note": (
        "update checkpoints set note = replace(note, 'epoch 1', 'epoch 2') where size = 8",
        "the checkpoint of 8 events was changed in the database: The signature of bihuan/{log} is not over this text.",
    ),
    "root of a checkpoint": (
        "update checkpoints set root = sha256('x') where size = 8",
        "the checkpoint of 8 events is not what its note says, in the database",
    ),
    "time of a checkpoint": (
        "update checkpoints set signed_at = signed_at + interval '1 second' where size = 8",
        "the checkpoint of 8 events is not what its note says, in the database",
    ),
    "size of a checkpoint": (
        "update checkpoints set size = 7 where size = 8",
        "the checkpoint of 7 events is not what its note says, in the database",
    ),
    "name of the log": (
        "update log set log_id = gen_random_uuid()",
        "the database does not say that it holds the log {log}, for which the key signs",
    ),
}
