CREATE TABLE events (at date NOT NULL, kind text, tenant int, UNIQUE (tenant, at, kind)) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE events_2_a PARTITION OF events_2 FOR VALUES IN ('a');
CREATE INDEX ON events (kind, tenant);
CREATE TABLE base (id int PRIMARY KEY, name text);
CREATE TABLE heir (extra int) INHERITS (base);
