CREATE TABLE t (a interval, b integer[] DEFAULT ARRAY[1, 2] NOT NULL, c smallint, d boolean DEFAULT true, e uuid NOT NULL);
