CREATE TABLE happenings (at date NOT NULL, kind text, org int, UNIQUE (org, at, kind)) PARTITION BY RANGE (at);
CREATE TABLE happenings_1 PARTITION OF happenings FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE happenings_2 PARTITION OF happenings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE happenings_2_a PARTITION OF happenings_2 FOR VALUES IN ('a');
CREATE INDEX ON happenings (kind, org);
CREATE TABLE base (id int PRIMARY KEY, title text);
CREATE TABLE heir (extra int) INHERITS (base);
