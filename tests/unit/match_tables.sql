-- What the match service needs of the server's tables, for tests without Django.

CREATE TABLE matching_platform (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    base_url text NOT NULL,
    webhook_url text NOT NULL DEFAULT '',
    webhook_secret text NOT NULL DEFAULT '',
    enabled boolean NOT NULL DEFAULT true
);

CREATE TABLE matching_bank (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    policy text NOT NULL CHECK (policy IN ('block', 'review', 'record', 'benign')),
    enabled boolean NOT NULL DEFAULT true,
    enabled_ratio double precision NOT NULL DEFAULT 1.0,
    deleted_at timestamptz,
    thresholds jsonb NOT NULL DEFAULT '{}',
    flood jsonb NOT NULL DEFAULT '{}',
    trusted boolean NOT NULL DEFAULT false,
    seq bigint NOT NULL
);

CREATE TABLE matching_source (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bank_id bigint NOT NULL REFERENCES matching_bank,
    name text NOT NULL,
    trusted boolean NOT NULL DEFAULT false,
    thresholds jsonb NOT NULL DEFAULT '{}',
    seq bigint NOT NULL,
    UNIQUE (bank_id, name)
);

CREATE TABLE matching_member (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bank_id bigint NOT NULL REFERENCES matching_bank,
    status text NOT NULL CHECK (status IN ('pending', 'confirmed', 'withdrawn')),
    source text NOT NULL DEFAULT '',
    sha256 bytea,
    md5 bytea,
    pdq bytea,
    pdq_quality integer NOT NULL DEFAULT 0,
    embedding bytea,
    views bytea NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    appeal_token text UNIQUE,
    note text NOT NULL DEFAULT '',
    metadata jsonb,
    paused_until timestamptz,
    expires_at timestamptz,
    held text NOT NULL DEFAULT '',
    held_at timestamptz,
    released_at timestamptz,
    case_number bigint,
    frames bytea NOT NULL DEFAULT '',
    seq bigint NOT NULL,
    CONSTRAINT no_doubles_in_a_bank UNIQUE (bank_id, sha256)
);
CREATE INDEX ON matching_member (seq);
CREATE UNIQUE INDEX no_double_hashes_in_a_bank ON matching_member (bank_id, pdq, md5)
    NULLS NOT DISTINCT WHERE sha256 IS NULL;

CREATE TABLE matching_hosted (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    platform_id bigint NOT NULL REFERENCES matching_platform,
    content_id text NOT NULL,
    url_digest bytea NOT NULL,
    account_digest bytea NOT NULL,
    sha256 bytea NOT NULL,
    md5 bytea,
    pdq bytea,
    pdq_quality integer NOT NULL,
    embedding bytea,
    views bytea NOT NULL,
    frames bytea NOT NULL DEFAULT '',
    registered_at timestamptz NOT NULL,
    removed_at timestamptz,
    seq bigint NOT NULL,
    UNIQUE (platform_id, content_id)
);

CREATE TABLE matching_check (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    platform_id bigint NOT NULL REFERENCES matching_platform,
    at timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('publish', 'block', 'review')),
    member_id bigint REFERENCES matching_member,
    veto_id bigint REFERENCES matching_member,
    verdict text NOT NULL,
    found_by text NOT NULL,
    distance_bits integer,
    similarity double precision,
    label text NOT NULL,
    appeal_token text UNIQUE,
    sha256 bytea,
    md5 bytea,
    pdq bytea,
    pdq_quality integer NOT NULL,
    embedding bytea,
    views bytea NOT NULL,
    frames bytea NOT NULL DEFAULT ''
);

CREATE TABLE matching_opinion (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id bigint NOT NULL REFERENCES matching_member,
    verdict text NOT NULL CHECK (verdict IN ('true_positive', 'false_positive', 'disputed')),
    by text NOT NULL DEFAULT 'staff:1',
    at timestamptz NOT NULL DEFAULT now(),
    note text NOT NULL DEFAULT ''
);
CREATE INDEX ON matching_opinion (member_id);

CREATE SEQUENCE matching_seq;

-- The log itself is the server's (tests/flow/test_hma_tables.py).
CREATE FUNCTION audit_acting(actor text, moment timestamptz, reason text) RETURNS void
LANGUAGE sql AS $$ SELECT set_config('haechi.actor', coalesce(actor, ''), true); $$;

CREATE FUNCTION matching_take_seq() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Held until commit: whoever reads number n has seen everything before it.
    PERFORM pg_advisory_xact_lock(hashtext('haechi_matching'));
    NEW.seq := nextval('matching_seq');
    PERFORM pg_notify('haechi_matching', NEW.seq::text);
    RETURN NEW;
END $$;

CREATE TRIGGER take_seq BEFORE INSERT OR UPDATE ON matching_bank
    FOR EACH ROW EXECUTE FUNCTION matching_take_seq();
CREATE TRIGGER take_seq BEFORE INSERT OR UPDATE ON matching_source
    FOR EACH ROW EXECUTE FUNCTION matching_take_seq();
CREATE TRIGGER take_seq BEFORE INSERT OR UPDATE ON matching_member
    FOR EACH ROW EXECUTE FUNCTION matching_take_seq();
CREATE TRIGGER take_seq BEFORE INSERT OR UPDATE ON matching_hosted
    FOR EACH ROW EXECUTE FUNCTION matching_take_seq();

CREATE TABLE matching_apikey (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    platform_id bigint NOT NULL REFERENCES matching_platform,
    name text NOT NULL DEFAULT '',
    key_digest bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
