INSERT INTO customers SELECT md5('c' || i)::uuid, 'Customer ' || i, 'c' || i || '@example.org',
  '2020-01-01'::timestamptz + i * interval '7 minutes' FROM generate_series(0, :orders / 20) i;
INSERT INTO orders SELECT i, md5('c' || i / 20)::uuid, (ARRAY['open','paid','sent','closed'])[1 + i % 4],
  (i % 90000) / 7.0, '2021-01-01'::timestamptz + i * interval '11 seconds',
  CASE i % 3 WHEN 0 THEN 'leave it with the neighbours of number ' || i END FROM generate_series(1, :orders) i;
INSERT INTO order_lines SELECT i, 1 + i / 4, 'SKU-' || md5((i % 5000)::text), 1 + i % 9, (i % 9000) / 100.0,
  CASE i % 5 WHEN 0 THEN sqrt(i) END FROM generate_series(0, :orders * 4 - 1) i;
INSERT INTO events SELECT i, i, (ARRAY['view','cart','pay'])[1 + i % 3],
  '2021-01-01'::timestamptz + i * interval '11 seconds', jsonb_build_object('session', md5(i::text),
  'path', '/products/' || i % 5000, 'agent', 'Mozilla/5.0 (X11; Linux x86_64)', 'steps', ARRAY[i, i % 7, i % 11],
  'referrer', repeat(md5((i % 100)::text), 6)) FROM generate_series(1, :orders) i;
