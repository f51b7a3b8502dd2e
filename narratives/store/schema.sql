-- One snapshot. Written once, then only read: so a paragraph repeats its document's outlet and date, and
-- no query needs a join to filter. Texts are never NULL (empty means absent); days and periods are NULL
-- where the date does not say. Queries join by `place`, the number of a row in the order of ids, because numbers
-- are compared much faster than ids.
CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);

CREATE TABLE documents (
    document_id VARCHAR NOT NULL,
    source_path VARCHAR NOT NULL,
    row INTEGER NOT NULL,
    url VARCHAR NOT NULL,
    outlet VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    date VARCHAR NOT NULL,
    date_precision VARCHAR NOT NULL,
    date_source VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    text_kind VARCHAR NOT NULL,
    source_ref VARCHAR NOT NULL,
    boilerplate INTEGER NOT NULL,
    paragraphs INTEGER NOT NULL,
    status VARCHAR NOT NULL,            -- read | rejected
    reason VARCHAR NOT NULL,
    place INTEGER NOT NULL
);

CREATE TABLE paragraphs (
    paragraph_id VARCHAR NOT NULL,
    document_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    speaker VARCHAR NOT NULL,
    speaker_method VARCHAR NOT NULL,
    quoted_person VARCHAR NOT NULL,
    voice VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    source_ref VARCHAR NOT NULL,
    words INTEGER NOT NULL,
    statement BOOLEAN NOT NULL,
    duplicate_of VARCHAR NOT NULL,
    outlet VARCHAR NOT NULL,
    date VARCHAR NOT NULL,
    first_day DATE,                     -- the days between which the partial date lies
    last_day DATE,
    year VARCHAR,                       -- the period labels; NULL where the date is too coarse
    half VARCHAR,
    quarter VARCHAR,
    month VARCHAR,
    text VARCHAR NOT NULL USING COMPRESSION uncompressed,  -- so that a few texts can be read without all others
    place INTEGER NOT NULL,
    document INTEGER NOT NULL,          -- the place of the document
    original INTEGER NOT NULL,          -- the place of the original; of no copy, its own
    rank INTEGER NOT NULL               -- the place in a random order that depends on the ids alone
);

CREATE TABLE words (                    -- which statement paragraphs contain a word, see store/words.py
    word VARCHAR NOT NULL,
    places INTEGER[] NOT NULL
);

CREATE TABLE narratives (
    narrative_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,          -- order of the codebook, then of the candidates' ids
    name VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,            -- codebook | discovered
    status VARCHAR NOT NULL,            -- active | candidate
    definition VARCHAR NOT NULL,
    parent VARCHAR NOT NULL,
    nearest VARCHAR NOT NULL,
    colour VARCHAR NOT NULL,
    threshold DOUBLE,
    phrases VARCHAR[] NOT NULL,
    digest VARCHAR NOT NULL,            -- of a codebook narrative's definition; empty for candidates
    includes VARCHAR[] NOT NULL,        -- the rest of a codebook narrative's definition; empty for candidates
    excludes VARCHAR[] NOT NULL,
    exemplars VARCHAR[] NOT NULL,
    rest DOUBLE                         -- mean probability of the statements without a row in `probabilities`
);

CREATE TABLE probabilities (            -- that a statement paragraph advances a narrative, from 0.005 up
    paragraph_id VARCHAR NOT NULL,
    narrative_id VARCHAR NOT NULL,
    probability DOUBLE NOT NULL,
    place INTEGER NOT NULL              -- of the paragraph, here and below
);

CREATE TABLE assignments (
    paragraph_id VARCHAR NOT NULL,
    narrative_id VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    score DOUBLE NOT NULL,
    status VARCHAR NOT NULL,            -- auto | confirmed | rejected
    exemplar VARCHAR NOT NULL,
    sentence VARCHAR NOT NULL,
    place INTEGER NOT NULL
);

CREATE TABLE clusters (                  -- themes (g-), topics (t-) and recurring claims (c-); see model.Cluster
    cluster_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    phrases VARCHAR[] NOT NULL,
    size INTEGER NOT NULL,
    narrative_id VARCHAR NOT NULL,
    nearest VARCHAR NOT NULL,
    purity DOUBLE NOT NULL,
    recurring BOOLEAN NOT NULL,
    routine BOOLEAN NOT NULL,
    stance DOUBLE NOT NULL,             -- of topics: the share of members that are worded like a claim
    cohesion DOUBLE NOT NULL,           -- mean similarity of members to a claim; 0 for themes and topics
    theme_id VARCHAR NOT NULL           -- the theme of a topic or claim; empty for themes
);

CREATE TABLE cluster_members (
    cluster_id VARCHAR NOT NULL,
    paragraph_id VARCHAR NOT NULL,
    rank INTEGER,                       -- 1 is the most central representative; NULL for plain members
    place INTEGER NOT NULL
);

CREATE TABLE lineage (                  -- what changed since the snapshot before; see model.LineageEvent
    kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    related VARCHAR[] NOT NULL,
    shares DOUBLE[] NOT NULL,
    note VARCHAR NOT NULL
);

CREATE TABLE events (
    date VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    narratives VARCHAR[] NOT NULL
);

CREATE TABLE speakers (
    name VARCHAR NOT NULL,
    affiliation VARCHAR NOT NULL,
    aliases VARCHAR[] NOT NULL,
    roles STRUCT(title VARCHAR, start_day VARCHAR, end_day VARCHAR)[] NOT NULL
);

CREATE TABLE map (                      -- see discover/projection.py; kept out of the snapshot's id
    paragraph_id VARCHAR NOT NULL,
    x FLOAT NOT NULL,
    y FLOAT NOT NULL,
    place INTEGER NOT NULL
);
