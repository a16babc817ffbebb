CREATE TABLE shards (
    shard BIGINT PRIMARY KEY,
    -- Of the last lease that was given.
    epoch BIGINT NOT NULL
);

CREATE TABLE journal (
    shard BIGINT NOT NULL,
    -- The position of its first line, and the one after its last.
    first BIGINT NOT NULL,
    next BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    -- CRC-32 of the three numbers and the text.
    sum BIGINT NOT NULL,
    -- Of the lease that it was written under.
    epoch BIGINT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (shard, first)
);

CREATE TABLE snapshots (
    shard BIGINT PRIMARY KEY,
    next BIGINT NOT NULL,
    form BIGINT NOT NULL,
    -- CRC-32 of the bytes.
    sum BIGINT NOT NULL,
    bytes BYTEA NOT NULL
);
