CREATE TABLE shards (
    shard INTEGER PRIMARY KEY,
    -- Of the last lease that was given.
    epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE journal (
    shard INTEGER NOT NULL,
    -- The position of its first line, and the one after its last.
    first INTEGER NOT NULL,
    next INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    -- CRC-32 of the three numbers and the text.
    sum INTEGER NOT NULL,
    -- Of the lease that it was written under.
    epoch INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (shard, first)
) STRICT;

CREATE TABLE snapshots (
    shard INTEGER PRIMARY KEY,
    next INTEGER NOT NULL,
    form INTEGER NOT NULL,
    -- CRC-32 of the bytes.
    sum INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
