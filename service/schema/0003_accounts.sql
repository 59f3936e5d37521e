-- Accounts of staff, their sessions and tokens, and the counters of limits. What somebody may do is not here: that
-- follows from the posts in the register. Only keyed digests, sealed boxes, keys, codes and times are stored, because
-- the write-ahead log keeps what a logged table ever held. Times are those of the database clock.

CREATE SCHEMA IF NOT EXISTS accounts;

CREATE TABLE accounts.accounts (
    person      uuid PRIMARY KEY,
    login_key   bytea NOT NULL UNIQUE CHECK (octet_length(login_key) = 32),  -- keyed HMAC of the log-in, to find it
    login_box   bytea NOT NULL,                                             -- the log-in, sealed, to show it
    name_box    bytea NOT NULL,
    secret      text NOT NULL CHECK (starts_with(secret, '$argon2id$')),
    secret_no   integer NOT NULL DEFAULT 1,   -- counts passwords, not hashes: a better hash of the same one keeps it
    change_by   timestamptz,                  -- set while the password is a one-time one: dead after that moment
    created_at  timestamptz NOT NULL DEFAULT statement_timestamp(),
    disabled_at timestamptz
);

CREATE TABLE accounts.sessions (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    person     uuid NOT NULL REFERENCES accounts.accounts ON DELETE CASCADE,
    post       text CHECK (length(post) <= 64),
    begun_at   timestamptz NOT NULL DEFAULT statement_timestamp(),
    seen_at    timestamptz NOT NULL DEFAULT statement_timestamp()
);
CREATE INDEX sessions_of_a_person ON accounts.sessions (person);
CREATE INDEX sessions_by_beginning ON accounts.sessions (begun_at);

CREATE TABLE accounts.tokens (
    token_id   uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
    person     uuid NOT NULL REFERENCES accounts.accounts ON DELETE CASCADE,
    post       text NOT NULL CHECK (length(post) <= 64),
    label      text NOT NULL CHECK (length(label) <= 64),
    created_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    ends_at    timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX tokens_of_a_person ON accounts.tokens (person);

-- Unlogged: a counter need not outlive a crash, and costs no flush. The free space lets a count rewrite its row in place.
CREATE UNLOGGED TABLE accounts.limits (
    key     bytea PRIMARY KEY CHECK (octet_length(key) = 32),  -- keyed HMAC of the limit's name and whom it counts
    hits    bigint NOT NULL,
    ends_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX limits_by_end ON accounts.limits (ends_at);
