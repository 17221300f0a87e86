CREATE TABLE t (a integer PRIMARY KEY);
CREATE TABLE u (a integer PRIMARY KEY, b text);
CREATE PUBLICATION p FOR TABLE t WHERE (a > 1), u (a) WITH (publish = 'insert', publish_via_partition_root = true);
