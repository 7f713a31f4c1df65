CREATE TABLE articles (
    id VARCHAR(24) NOT NULL,
    outlet VARCHAR(100) NOT NULL,
    revision INTEGER NOT NULL,
    first_seen_at VARCHAR(32) NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX articles_by_outlet ON articles (outlet, first_seen_at);
CREATE TABLE changes (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id VARCHAR(24) NOT NULL,
    revision INTEGER NOT NULL,
    kind VARCHAR(10) NOT NULL,
    at VARCHAR(32) NOT NULL
);
CREATE INDEX changes_by_article ON changes (id, revision);
CREATE TABLE entries (
    number INTEGER NOT NULL,
    "key" TEXT NOT NULL,
    outlet VARCHAR(100) NOT NULL,
    url TEXT NOT NULL,
    claim TEXT,
    state VARCHAR(10) NOT NULL,
    attempts INTEGER NOT NULL,
    next_try VARCHAR(32),
    outcome TEXT,
    seen_at VARCHAR(32) NOT NULL,
    PRIMARY KEY (number),
    UNIQUE ("key")
);
CREATE INDEX entries_waiting ON entries (state, outlet, number);
CREATE TABLE feeds (
    url TEXT NOT NULL,
    outlet VARCHAR(100) NOT NULL,
    next_due VARCHAR(32),
    state TEXT NOT NULL,
    PRIMARY KEY (url)
);
CREATE INDEX feeds_due ON feeds (next_due);
CREATE TABLE kiosque_meta (
    "key" VARCHAR(40) NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY ("key")
);
CREATE TABLE outcomes (
    day VARCHAR(10) NOT NULL,
    outlet VARCHAR(100) NOT NULL,
    outcome VARCHAR(80) NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (day, outlet, outcome)
);
CREATE TABLE addresses (
    url TEXT NOT NULL,
    "key" TEXT NOT NULL,
    article VARCHAR(24) NOT NULL,
    etag TEXT,
    last_modified TEXT,
    PRIMARY KEY (url),
    FOREIGN KEY(article) REFERENCES articles (id)
);
CREATE INDEX addresses_by_article ON addresses (article);
CREATE INDEX addresses_by_key ON addresses ("key");
CREATE TABLE revisions (
    id VARCHAR(24) NOT NULL,
    revision INTEGER NOT NULL,
    outlet VARCHAR(100) NOT NULL,
    outlet_name TEXT NOT NULL,
    country VARCHAR(2) NOT NULL,
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    lead TEXT,
    text TEXT NOT NULL,
    authors JSON NOT NULL,
    agency TEXT,
    section TEXT,
    tags JSON NOT NULL,
    image TEXT,
    language VARCHAR(35) NOT NULL,
    published VARCHAR(40),
    published_precision VARCHAR(10),
    published_from VARCHAR(10),
    published_text TEXT,
    published_confidence FLOAT,
    modified VARCHAR(40),
    fetched_at VARCHAR(32) NOT NULL,
    paywalled BOOLEAN NOT NULL,
    word_count INTEGER NOT NULL,
    text_hash VARCHAR(64) NOT NULL,
    cluster VARCHAR(24),
    rights JSON NOT NULL,
    archive TEXT,
    kiosque_version VARCHAR(40) NOT NULL,
    change INTEGER NOT NULL,
    PRIMARY KEY (id, revision),
    FOREIGN KEY(id) REFERENCES articles (id)
);
CREATE INDEX revisions_by_change ON revisions (change);
CREATE INDEX revisions_by_fetch ON revisions (fetched_at);
