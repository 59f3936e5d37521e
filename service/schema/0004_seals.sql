-- Signed checkpoints of the log's tree: how large it was, its root, and the note that says so under our key.

create table checkpoints (
    size       bigint primary key check (size > 0),
    root       bytea not null check (octet_length(root) = 32),
    epoch      int not null check (epoch > 0),
    signed_at  timestamptz not null,
    note       text not null
);
create trigger checkpoints_never_change before update or delete or truncate on checkpoints
    for each statement execute function refuse_change();
