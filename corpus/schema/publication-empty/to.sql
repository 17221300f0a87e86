CREATE PUBLICATION p WITH (publish = 'insert, delete', publish_via_partition_root = true);
